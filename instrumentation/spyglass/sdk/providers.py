"""Build OpenTelemetry's providers from the settings, and put them where libraries look for them.

A provider that the application installed before stays: its tracer provider gets our processor added where it is the
SDK's, and spyglass's own metrics and logs go through providers of our own.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple
from uuid import uuid4

from opentelemetry import _logs, metrics, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.util._once import Once

from spyglass import names
from spyglass.sdk.notices import log
from spyglass.sdk.transport import (
    TIMEOUT_SECONDS,
    CollectorSession,
    QuietMetricExporter,
    Reachability,
    Sender,
)
from spyglass.settings import Settings

MOST_ATTRIBUTES = 16_384
_LIMIT_VARIABLES = ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT")


def resource(settings: Settings) -> Resource:
    """Return who sends: the settings, over OTEL_RESOURCE_ATTRIBUTES, over OpenTelemetry's own words."""
    given = {
        names.SERVICE_NAME: settings.service,
        names.SERVICE_VERSION: settings.release,
        names.DEPLOYMENT_ENVIRONMENT_NAME: settings.environment,
        names.ORGANIZATION: settings.organization,
        names.PROJECT: settings.project,
        names.DEMO: settings.demo or None,
        names.HOST_NAME: socket.gethostname(),
        **process_attributes(),
    }
    return Resource.create({key: value for key, value in given.items() if value not in ("", None)})


def process_attributes() -> dict[str, Any]:
    """Return what is new in every process, a forked one included."""
    return {names.SERVICE_INSTANCE_ID: str(uuid4()), names.PROCESS_PID: os.getpid()}


def spyglass_version() -> str:
    """Return the version of spyglass, for the scope of its spans."""
    try:
        return version("spyglass")
    except PackageNotFoundError:
        return ""


def tracer_provider(who: Resource, sampler: Sampler, ids: IdGenerator | None) -> TracerProvider:
    """Return a tracer provider that keeps all attributes of a span that a program sets in good faith."""
    limited = any(os.environ.get(variable) for variable in _LIMIT_VARIABLES)
    limits = SpanLimits() if limited else SpanLimits(max_span_attributes=MOST_ATTRIBUTES)
    return TracerProvider(sampler, who, shutdown_on_exit=False, id_generator=ids, span_limits=limits)


class Senders(NamedTuple):
    """Hold what sends each signal; ``hurry`` makes all of them give up sooner, for the program is about to end."""

    spans: Sender
    logs: Sender
    metrics: MetricReader
    hurry: Callable[[], None]


def senders(settings: Settings, reachability: Reachability) -> Senders:
    """Return stock OTLP/HTTP exporters for the settings' endpoint."""
    endpoint = settings.endpoint.rstrip("/")
    sessions = [CollectorSession(endpoint, settings.token_file, reachability) for _ in range(3)]
    spans = OTLPSpanExporter(f"{endpoint}/v1/traces", session=sessions[0], timeout=TIMEOUT_SECONDS)
    logs = OTLPLogExporter(f"{endpoint}/v1/logs", session=sessions[1], timeout=TIMEOUT_SECONDS)
    numbers = QuietMetricExporter(f"{endpoint}/v1/metrics", session=sessions[2], timeout=TIMEOUT_SECONDS)
    exporters = ((spans, "spans"), (logs, "logs"), (numbers, "metrics"))
    each = [
        Sender(exporter, session, reachability, what)
        for (exporter, what), session in zip(exporters, sessions, strict=True)
    ]

    def hurry() -> None:
        for sender in each:
            sender.hurry()

    reader = PeriodicExportingMetricReader(numbers, export_interval_millis=settings.metric_interval_ms)
    return Senders(each[0], each[1], reader, hurry)


class Globals:
    """Put our providers where libraries look for them, and take them away again."""

    def __init__(self) -> None:
        self._installed: list[tuple[Any, str, str]] = []

    def foreign_tracer_provider(self) -> trace.TracerProvider | None:
        """Return the tracer provider that the application installed itself, if it did."""
        provider = trace.get_tracer_provider()
        return None if isinstance(provider, trace.ProxyTracerProvider) else provider

    def install(self, tracers: TracerProvider | None, meters: MeterProvider, loggers: LoggerProvider) -> None:
        """Install each provider whose place is free."""
        if tracers is not None:
            trace.set_tracer_provider(tracers)
            self._installed.append((trace, "_TRACER_PROVIDER", "_TRACER_PROVIDER_SET_ONCE"))
        internal_metrics = metrics._internal  # noqa: SLF001 -- the API keeps its one provider there
        if internal_metrics._METER_PROVIDER is None:  # noqa: SLF001 -- as above
            metrics.set_meter_provider(meters)
            self._installed.append((internal_metrics, "_METER_PROVIDER", "_METER_PROVIDER_SET_ONCE"))
        internal_logs = _logs._internal  # noqa: SLF001 -- the API keeps its one provider there
        if internal_logs._LOGGER_PROVIDER is None:  # noqa: SLF001 -- as above
            _logs.set_logger_provider(loggers)
            self._installed.append((internal_logs, "_LOGGER_PROVIDER", "_LOGGER_PROVIDER_SET_ONCE"))

    def uninstall(self) -> None:
        """Free the places again, so that init() works after shutdown()."""
        for module, provider, once in self._installed:
            setattr(module, provider, None)
            setattr(module, once, Once())
        self._installed.clear()


def renew_metrics(meters: MeterProvider, reader: MetricReader, who: Resource) -> None:
    """Make metrics work in a forked child: its own resource, and no lock that a thread of the parent held."""
    meters._sdk_config.resource = who  # noqa: SLF001 -- OpenTelemetry has no public way to renew it after a fork
    if isinstance(reader, PeriodicExportingMetricReader):
        reader._export_lock = threading.Lock()  # noqa: SLF001 -- as above


Counts = Callable[[], Iterable[tuple[int, Mapping[str, str]]]]


def observe(meters: MeterProvider, metric: names.Metric, counts: Counts) -> None:
    """Report a metric of the SDK about itself: ``counts`` gives values with their attributes at each collection."""
    meter = meters.get_meter(names.SCOPE)
    create = (
        meter.create_observable_counter
        if metric.instrument is names.Instrument.COUNTER
        else meter.create_observable_gauge
    )

    def observations(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(value, dict(attributes)) for value, attributes in counts()]

    create(metric.name, callbacks=[observations], unit=metric.unit, description=metric.sentence)


def report_foreign(provider: object, *, joined: bool) -> None:
    """Tell the operator that the application has a tracer provider of its own, and what that means."""
    kind = f"{type(provider).__module__}.{type(provider).__qualname__}"
    if joined:
        log.info("spyglass joined the tracer provider that the application installed (%s).", kind)
    else:
        log.warning(
            "spyglass cannot join the tracer provider that the application installed (%s): "
            "only spans of spyglass itself are sent.",
            kind,
        )
