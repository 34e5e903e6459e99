"""Hold everything that init() made in this process, and end it in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource

from spyglass import names
from spyglass.sdk import autoinstrument
from spyglass.sdk.carry import flush_before_the_worker_ends
from spyglass.sdk.dedupe import OneSpanPerModelCall
from spyglass.sdk.logs import emit_event
from spyglass.sdk.notices import log
from spyglass.sdk.processors import LogForwarder, SpanForwarder
from spyglass.sdk.providers import Globals, process_attributes, renew_metrics
from spyglass.sdk.queue import ExportQueue
from spyglass.sdk.report import DropReason, Signal
from spyglass.sdk.tracing import Tracing
from spyglass.settings import Settings

_LEAST = 0.2  # seconds that metrics get at the end, whatever the queues took


class Stoppable(Protocol):
    """What runs until it is stopped, such as the probes."""

    def stop(self) -> None:
        """Stop it."""


class Runtime:
    """Hold the parts of one init(); the fields are filled once, by ``lifecycle``."""

    settings: Settings
    resource: Resource
    tracing: Tracing
    tracers: trace.TracerProvider
    loggers: LoggerProvider
    meters: MeterProvider
    reader: MetricReader
    spans: ExportQueue[Any, Any]
    logs: ExportQueue[Any, Any]
    span_forwarder: SpanForwarder
    log_forwarder: LogForwarder
    sampler: OneSpanPerModelCall
    hurry: Callable[[], None]
    instrumentation: autoinstrument.Instrumentation
    start_probes: Callable[[Mapping[str, str]], Stoppable | None]

    def __init__(self) -> None:
        self.globals = Globals()
        self.undo: list[Callable[[], None]] = []
        self.probes: Stoppable | None = None
        self.bootstrapped = False
        self._had_probes = False

    def dropped(self) -> dict[tuple[Signal, DropReason], int]:
        """Return what was given up, by signal and reason; only what is not 0."""
        return {(q.signal, reason): n for q in (self.spans, self.logs) for reason, n in sorted(q.dropped.items()) if n}

    def drop_counts(self) -> Iterable[tuple[int, Mapping[str, str]]]:
        """Return the same as observations of a metric."""
        for (signal, reason), count in self.dropped().items():
            yield count, {names.SIGNAL: signal.value, names.DROP_REASON: reason.value}

    def queue_sizes(self) -> Iterable[tuple[int, Mapping[str, str]]]:
        """Return how much waits, as observations of a metric."""
        return [(len(queue), {names.SIGNAL: queue.signal.value}) for queue in (self.spans, self.logs)]

    def evaluated(self, trace_id: int, span_id: int, attributes: Mapping[str, Any], timestamp: int) -> None:
        """Emit the evaluation of a trace, joined to it, by who is in session now; span id 0 means the whole trace."""
        judged = trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=trace.TraceFlags(1))
        context = trace.set_span_in_context(trace.NonRecordingSpan(judged))
        emit_event(self.loggers, names.EVENT_EVALUATION, attributes, context=context, timestamp=timestamp)

    def flush(self, timeout: float) -> bool:
        """Send everything that waits; return whether it was all sent within the time, in seconds."""
        deadline = time.monotonic() + timeout
        sent = self.spans.flush(timeout)
        sent = self.logs.flush(max(0.0, deadline - time.monotonic())) and sent
        # A thread of its own, because the stock reader does not keep to a time.
        collect = threading.Thread(target=_harmless, args=(self.meters.force_flush,), daemon=True)
        _harmless(collect.start)
        if collect.ident is not None:
            collect.join(max(0.0, deadline - time.monotonic()))
        return sent

    def shutdown(self, timeout: float) -> None:
        """Stop everything within the time, in seconds, and say what could not be sent."""
        deadline = time.monotonic() + timeout
        self.hurry()
        for undo in reversed(self.undo):
            _harmless(undo)
        if self.probes is not None:
            _harmless(self.probes.stop)
        for queue in (self.spans, self.logs):
            queue.shutdown(max(_LEAST, deadline - time.monotonic()))
        _harmless(lambda: self.meters.shutdown(max(_LEAST, deadline - time.monotonic()) * 1e3))
        self.globals.uninstall()
        lost = sum(count for (_, reason), count in self.dropped().items() if reason is DropReason.SHUTDOWN)
        if lost:
            log.warning("spyglass: %d spans and logs could not be sent before the end.", lost)

    def after_fork(self) -> None:
        """Make this the runtime of a child: empty queues, an instance id of its own, probes of its own."""
        self.spans.after_fork()
        self.logs.after_fork()
        self.resource = self.resource.merge(Resource(process_attributes()))
        self.span_forwarder.resource = self.log_forwarder.resource = self.resource
        _harmless(lambda: renew_metrics(self.meters, self.reader, self.resource))
        self._had_probes, self.probes = self.probes is not None, None  # their threads belong to the parent
        self.spans.on_start = self.logs.on_start = self._first_of_child

    def _first_of_child(self) -> None:
        self.spans.on_start = self.logs.on_start = None
        flush_before_the_worker_ends()
        if self._had_probes:
            self.probes = self.start_probes({name: str(value) for name, value in self.resource.attributes.items()})


def _harmless(action: Callable[[], object]) -> None:
    try:
        action()
    except Exception as error:  # noqa: BLE001 -- one part that fails must not keep the others from ending
        log.debug("spyglass: %r", error)
