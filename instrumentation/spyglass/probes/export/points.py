"""Make OTLP of samples, in one request that is kept: a collection writes its values and times into the same points.

Building protobuf messages costs many times what serialising them does, so they are built again only when the set of
series changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import compress
from operator import lt
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from spyglass.names import Instrument
from spyglass.probes.catalog import Entry, Sample, Series

SCOPE = "spyglass.probes"


class Points:
    """Turn the samples of one sender into serialised requests; ``resource`` are its attributes."""

    def __init__(self, resource: Mapping[str, str]) -> None:
        self._request = ExportMetricsServiceRequest()
        group = self._request.resource_metrics.add()
        _add_attributes(group.resource.attributes, resource)
        self._scope = group.scope_metrics.add()
        self._scope.scope.name = SCOPE
        self._scope.scope.version = version("spyglass")
        self._last_ns = 0
        # One row per series, in the order of the samples.
        self._order: tuple[Series, ...] = ()
        self._points: list[Any] = []
        self._integers: list[bool] = []
        self._counters: list[bool] = []
        # The values of the counters among them, and those of all counters ever seen when the set last changed.
        self._counts: list[float] = []
        self._seen: dict[Series, float] = {}
        self._starts: dict[Series, int] = {}

    def serialise(self, samples: Sequence[Sample], now_ns: int) -> bytes:
        """Return the request with these values at this Unix time."""
        order, values = zip(*samples, strict=True) if samples else ((), ())
        if order != self._order:
            self._build(order)
        self._restart_fallen(values)
        for point, integer, value in zip(self._points, self._integers, values, strict=True):
            point.time_unix_nano = now_ns
            if integer:
                point.as_int = value
            else:
                point.as_double = value
        self._last_ns = now_ns
        return bytes(self._request.SerializeToString())

    def _restart_fallen(self, values: Sequence[float]) -> None:
        # A counter that fell was reset, or wrapped (the kernel keeps milliseconds of disks in 32 bits). From then on
        # it starts at the collection before, which was the last to see its old value.
        counts = [*compress(values, self._counters)]
        if any(map(lt, counts, self._counts)):
            rows = compress(zip(self._order, self._points, strict=True), self._counters)
            for (series, point), now, last in zip(rows, counts, self._counts, strict=True):
                if now < last:
                    point.start_time_unix_nano = self._starts[series] = self._last_ns
        self._counts = counts

    def _build(self, order: tuple[Series, ...]) -> None:
        self._seen.update(zip(compress(self._order, self._counters), self._counts, strict=True))
        self._scope.ClearField("metrics")
        data = {entry: self._add_metric(entry) for entry in dict.fromkeys(series.entry for series in order)}
        self._order = order
        self._points = [self._add_point(data[series.entry], series) for series in order]
        self._integers = [series.entry.integer for series in order]
        self._counters = [series.entry.instrument is Instrument.COUNTER for series in order]
        self._counts = [self._seen.get(series, 0) for series in compress(order, self._counters)]

    def _add_metric(self, entry: Entry) -> Any:
        metric = self._scope.metrics.add(name=entry.name, unit=entry.unit, description=entry.sentence)
        if entry.instrument is Instrument.GAUGE:
            return metric.gauge
        metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        metric.sum.is_monotonic = entry.instrument is Instrument.COUNTER
        return metric.sum

    def _add_point(self, data: Any, series: Series) -> Any:
        point = data.data_points.add()
        if series.entry.instrument is not Instrument.GAUGE:
            point.start_time_unix_nano = self._starts.get(series, series.start_ns)
        _add_attributes(point.attributes, series.attributes)
        return point


def _add_attributes(target: Any, pairs: Mapping[str, str]) -> None:
    for name, value in pairs.items():
        target.add(key=name).value.string_value = value
