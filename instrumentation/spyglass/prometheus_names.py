"""Say what an OTLP metric, attribute or value is called in Prometheus; no query types such a name by hand.

The rules are those of Prometheus' default strategy, UnderscoreEscapingWithSuffixes (otlptranslator 1.0.0, which
Prometheus 3.14 pins). What the parts of the stack say about themselves is scraped, never translated: those names stand
in the table PART_METRICS.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, Protocol

from spyglass.names import Instrument

# The label and its values that the collector's span_metrics connector writes for a span's status.
STATUS_CODE_LABEL: Final = "status_code"
STATUS_CODE_ERROR: Final = "STATUS_CODE_ERROR"

# UCUM units that are spelled out; every other unit is appended as it is written.
_UNITS: Final = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tibibytes",
    "KBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "%": "percent",
    "1": "",
}
_PER_UNITS: Final = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}


class Described(Protocol):
    """Have what decides a name: names.Metric has it, and an entry of the probes' catalogue."""

    @property
    def name(self) -> str:
        """Return the OTLP name."""

    @property
    def instrument(self) -> Instrument:
        """Return the kind of instrument."""

    @property
    def unit(self) -> str:
        """Return the UCUM unit."""


class PartMetric(NamedTuple):
    """Describe one metric that a part of the stack exports about itself: its name in Prometheus, and its meaning."""

    name: str
    part: str
    labels: tuple[str, ...]
    sentence: str


PART_METRICS: Final[tuple[PartMetric, ...]] = (
    PartMetric("up", "prometheus", ("job", "instance"), "1 while a part answers Prometheus' scrape, else 0."),
    PartMetric("ALERTS", "prometheus", ("alertname", "alertstate", "severity"), "1 for each pending or firing alert."),
    PartMetric(
        "otelcol_exporter_queue_size", "collector", ("exporter", "data_type"), "What waits in an exporter's queue."
    ),
    PartMetric(
        "otelcol_exporter_queue_capacity", "collector", ("exporter", "data_type"), "What an exporter's queue can hold."
    ),
    PartMetric("otelcol_exporter_enqueue_failed_spans", "collector", ("exporter",), "Spans that found a queue full."),
    PartMetric(
        "otelcol_exporter_enqueue_failed_metric_points", "collector", ("exporter",), "Points that found a queue full."
    ),
    PartMetric(
        "otelcol_exporter_enqueue_failed_log_records", "collector", ("exporter",), "Logs that found a queue full."
    ),
    PartMetric(
        "otelcol_receiver_accepted_spans", "collector", ("receiver", "transport"), "Spans taken from their senders."
    ),
    PartMetric(
        "otelcol_receiver_refused_spans", "collector", ("receiver", "transport"), "Spans given back to their senders."
    ),
    PartMetric(
        "otelcol_receiver_refused_metric_points",
        "collector",
        ("receiver", "transport"),
        "Metric points given back to their senders.",
    ),
    PartMetric(
        "otelcol_receiver_refused_log_records",
        "collector",
        ("receiver", "transport"),
        "Logs given back to their senders.",
    ),
)
PARTS: Final = {metric.name: metric for metric in PART_METRICS}


def series_name(metric: Described) -> str:
    """Return the name of a metric in Prometheus, without the suffixes of a histogram's series."""
    tokens = [token for token in re.split(r"[^A-Za-z0-9:]+", metric.name) if token]
    tokens += _unit_tokens(metric.unit, tokens)
    if metric.instrument is Instrument.COUNTER:
        tokens = [*(token for token in tokens if token != "total"), "total"]  # noqa: S105 -- a word of a name
    if metric.instrument is Instrument.GAUGE and metric.unit == "1":
        tokens = [*(token for token in tokens if token != "ratio"), "ratio"]  # noqa: S105 -- a word of a name
    name = "_".join(tokens)
    return f"_{name}" if name[0].isdigit() else name


def series_names(metric: Described) -> tuple[str, ...]:
    """Return the names of all series that a metric has in Prometheus: three for a histogram, else one."""
    name = series_name(metric)
    if metric.instrument is Instrument.HISTOGRAM:
        return (f"{name}_bucket", f"{name}_sum", f"{name}_count")
    return (name,)


def label_name(attribute: str) -> str:
    """Return the label that an attribute becomes in Prometheus."""
    label = re.sub(r"[^A-Za-z0-9_]", "_", attribute)
    if label[0].isdigit():
        return f"key_{label}"
    return f"key{label}" if label[0] == "_" and not label.startswith("__") else label


def part_metric(name: str) -> str:
    """Return the name of a part's own metric; raises KeyError for one that PART_METRICS does not list."""
    return PARTS[name].name


def _unit_tokens(unit: str, tokens: list[str]) -> list[str]:
    main, _, per = (part.strip() for part in unit.partition("/"))
    found = []
    if main and not re.search(r"[{}]", main):
        spelled = _clean(_UNITS.get(main, main))
        found += [spelled] if spelled and spelled not in tokens else []
    if per and not re.search(r"[{}]", per):
        found += [f"per_{_clean(_PER_UNITS.get(per, per))}"]
    return found


def _clean(unit: str) -> str:
    return re.sub(r"[^A-Za-z0-9:]+", "_", unit).strip("_")
