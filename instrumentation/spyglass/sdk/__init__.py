"""What an agent's program calls: providers, spans, context, content, logs, auto-instrumentation.

In the order of the data: operations (the decorators) → handles (one open span) → tracing (context, OpenTelemetry) →
queue and transport (what leaves). ``lifecycle`` puts them together; nothing here imports OpenTelemetry before init().
"""
