"""Take spans and logs from OpenTelemetry's providers: stamp whose they are, and put them into the queues."""

from __future__ import annotations

from opentelemetry.context import Context, get_current
from opentelemetry.sdk._logs import LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from spyglass import names
from spyglass.sdk.queue import ExportQueue
from spyglass.sdk.scope import Scope, scope_of

Spans = ExportQueue[ReadableSpan, ReadableSpan]
Logs = ExportQueue[ReadWriteLogRecord, ReadableLogRecord]


class SpanForwarder(SpanProcessor):
    """Stamp the ids of the session onto every span that starts, and queue every sampled span that ends.

    After a fork ``resource`` is the child's, and is put onto the child's spans: the tracers keep the parent's.
    """

    def __init__(self, queue: Spans) -> None:
        self._queue = queue
        self._left = False
        self.resource: Resource | None = None

    def leave(self) -> None:
        """Fall silent in a provider of the application, which gives no processor back."""
        self._left = True

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Stamp a span, whoever started it."""
        if self._left:
            return
        scope = scope_of(get_current() if parent_context is None else parent_context)
        if scope is not None and not _is_ours(span):
            span.set_attributes(_belonging(scope))
        if self.resource is not None:
            span._resource = self.resource  # noqa: SLF001 -- OpenTelemetry has no public way to renew it after a fork

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span."""
        context = span.context
        if context is not None and context.trace_flags.sampled and not self._left:
            self._queue.put(span)

    def shutdown(self) -> None:
        """Send what waits; the queue itself is closed by spyglass.shutdown()."""
        self._queue.flush(timeout=5.0)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self._queue.flush(timeout_millis / 1e3)


def _belonging(scope: Scope) -> dict[str, str]:
    """Return whose a foreign span is: the session, and the agent that it ran inside.

    The agent's name goes under the parent's key, because the span may be an agent of its own, named by its emitter; the
    collector gives it to spans that are none.
    """
    if not scope.execution_id:
        return dict(scope.session)
    return {**scope.session, names.AGENT_PARENT_NAME: scope.agent, names.EXECUTION_ID: scope.execution_id}


def _is_ours(span: Span) -> bool:
    """Say whether spyglass itself started the span, with the ids of the session on it."""
    scope = span.instrumentation_scope
    return scope is not None and scope.name == names.SCOPE


class LogForwarder(LogRecordProcessor):
    """Stamp the ids of the session onto every log record, and queue it."""

    def __init__(self, queue: Logs) -> None:
        self._queue = queue
        self.resource: Resource | None = None

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Queue a log record."""
        record = log_record.log_record
        scope = scope_of(record.context or get_current())
        if scope is not None and scope.session:
            record.attributes = {**scope.session, **(record.attributes or {})}
        if self.resource is not None:
            log_record.resource = self.resource
        self._queue.put(log_record)

    def shutdown(self) -> None:
        """Send what waits; the queue itself is closed by spyglass.shutdown()."""
        self._queue.flush(timeout=5.0)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self._queue.flush(timeout_millis / 1e3)
