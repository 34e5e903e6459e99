"""Put the parts of the SDK together, in the order in which data flows through them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Sampler, _get_from_env_or_default

from spyglass import names
from spyglass.sdk import clean, logs, propagate, providers, repairs, subprocesses
from spyglass.sdk.autoinstrument import Instrumentation, Instrumented
from spyglass.sdk.capture import Capture
from spyglass.sdk.dedupe import OneSpanPerModelCall
from spyglass.sdk.jsonable import Redact
from spyglass.sdk.notices import log
from spyglass.sdk.processors import LogForwarder, SpanForwarder
from spyglass.sdk.queue import ExportQueue, Sent
from spyglass.sdk.redaction import redactor
from spyglass.sdk.registry.tables import scopes_without_tokens
from spyglass.sdk.report import Signal
from spyglass.sdk.runtime import Runtime, Stoppable
from spyglass.sdk.tracing import Tracing
from spyglass.sdk.transport import Reachability, silence_exporters
from spyglass.settings import Settings

NO_PROBES = ("", "none")


@dataclass(frozen=True, slots=True)
class Outside:
    """Hold what the SDK reaches the world with; tests put in their own."""

    send_spans: Callable[[list[Any]], Sent]
    send_logs: Callable[[list[Any]], Sent]
    reader: MetricReader
    hurry: Callable[[], None] = lambda: None
    abort_spans: Callable[[], None] = lambda: None
    abort_logs: Callable[[], None] = lambda: None
    clock: Callable[[], int] = time.time_ns
    ids: IdGenerator | None = None


def collector(settings: Settings, lost: Callable[[], int]) -> Outside:
    """Return the world as it is: a collector behind OTLP/HTTP."""
    silence_exporters()
    spans, logs_, reader, hurry = providers.senders(settings, Reachability(settings.endpoint, lost))
    return Outside(spans, logs_, reader, hurry, spans.abort, logs_.abort)


def assemble(settings: Settings, outside: Outside | None = None) -> Runtime:
    """Return a running runtime; raises whatever a part raises that cannot start."""
    runtime = Runtime()
    runtime.settings = settings
    if outside is None:
        outside = collector(settings, lambda: sum(runtime.dropped().values()))
    redact = _redactor(settings)
    runtime.hurry = outside.hurry
    runtime.resource = providers.resource(settings)
    _queues(runtime, outside, redact)
    foreign = _providers(runtime, outside)
    source = redact if foreign else None  # another exporter may read these spans before ours has redacted them
    capture = Capture(settings.content, settings.content_limit, redact)
    tracer = runtime.tracers.get_tracer(names.SCOPE, providers.spyglass_version())
    runtime.tracing = Tracing(tracer, capture, outside.clock, source)
    _observers(runtime)
    _instrumentation(runtime)
    if settings.propagate:
        runtime.undo.append(propagate.patch())
        runtime.undo.append(repairs.start())
    if settings.carry_to_subprocesses:
        runtime.undo.append(subprocesses.patch())
    if settings.logs:
        runtime.undo.append(logs.attach_to_logging(logs.OtlpHandler(runtime.loggers, settings.log_level)))
    runtime.start_probes = partial(_probes, settings)
    runtime.probes = runtime.start_probes({name: str(value) for name, value in runtime.resource.attributes.items()})
    return runtime


def _redactor(settings: Settings) -> Redact | None:
    if not settings.redact:
        return None
    usable = []
    for pattern in settings.redact_patterns.splitlines():
        try:
            re.compile(pattern)
        except re.error as error:
            log.warning(
                "spyglass: SPYGLASS_REDACT_PATTERNS: %r is no regular expression (%s); left out.", pattern, error
            )
        else:
            usable.append(pattern)
    return redactor(usable)


def _queues(runtime: Runtime, outside: Outside, redact: Redact | None) -> None:
    settings = runtime.settings
    bounds: dict[str, Any] = {"size": settings.queue_size, "interval_seconds": settings.export_interval_ms / 1e3}
    runtime.spans = ExportQueue(
        Signal.SPANS,
        prepare=lambda span: clean.clean_span(span, redact),
        send=outside.send_spans,
        abort=outside.abort_spans,
        **bounds,
    )
    runtime.logs = ExportQueue(
        Signal.LOGS,
        prepare=lambda record: clean.clean_log(record, redact),
        send=outside.send_logs,
        abort=outside.abort_logs,
        **bounds,
    )
    runtime.span_forwarder = SpanForwarder(runtime.spans)
    runtime.log_forwarder = LogForwarder(runtime.logs)


def _providers(runtime: Runtime, outside: Outside) -> bool:
    """Fill the runtime's providers; return whether spans go through a provider of the application."""
    who = runtime.resource
    runtime.reader = outside.reader
    runtime.meters = MeterProvider([outside.reader], who, shutdown_on_exit=False)
    runtime.loggers = LoggerProvider(who, shutdown_on_exit=False)
    runtime.loggers.add_log_record_processor(runtime.log_forwarder)
    runtime.sampler = OneSpanPerModelCall(_sampler(), scopes_without_tokens())
    theirs = runtime.globals.foreign_tracer_provider()
    joined = isinstance(theirs, TracerProvider)
    if theirs is not None:
        providers.report_foreign(theirs, joined=joined)
    ours = None
    if isinstance(theirs, TracerProvider):
        runtime.tracers = theirs
        theirs.add_span_processor(runtime.span_forwarder)
        runtime.undo.append(runtime.span_forwarder.leave)
    else:
        ours = providers.tracer_provider(who, runtime.sampler, outside.ids)
        ours.add_span_processor(runtime.span_forwarder)
        runtime.tracers = ours
    runtime.globals.install(ours if theirs is None else None, runtime.meters, runtime.loggers)
    return joined


def _sampler() -> Sampler:
    return _get_from_env_or_default()


def _observers(runtime: Runtime) -> None:
    providers.observe(runtime.meters, names.SDK_DROPPED, runtime.drop_counts)
    providers.observe(runtime.meters, names.SDK_QUEUE_SIZE, runtime.queue_sizes)


def _instrumentation(runtime: Runtime) -> None:
    def changed(row: Instrumented) -> None:
        logs.emit_event(runtime.loggers, names.EVENT_INSTRUMENTED, row.attributes())

    def langchain() -> None:
        runtime.sampler.langchain = True

    runtime.instrumentation = Instrumentation(runtime.settings, runtime.tracers, changed, langchain)
    runtime.instrumentation.start()
    runtime.undo.append(runtime.instrumentation.stop)
    providers.observe(runtime.meters, names.SDK_INSTRUMENTED, runtime.instrumentation.counts)


def _probes(settings: Settings, resource_attributes: Mapping[str, str]) -> Stoppable | None:
    if settings.probes.strip() in NO_PROBES:
        return None
    try:
        from spyglass import probes  # noqa: PLC0415 -- a program without probes need not read them

        started: Stoppable = probes.start(settings, resource_attributes)
    except Exception as error:  # noqa: BLE001 -- a machine that cannot be measured can still be traced
        log.warning("spyglass: the probes could not start: %r.", error)
        return None
    return started
