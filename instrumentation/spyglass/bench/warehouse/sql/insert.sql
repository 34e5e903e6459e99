INSERT INTO spyglass.otel_traces
(
    Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName,
    ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage
)
