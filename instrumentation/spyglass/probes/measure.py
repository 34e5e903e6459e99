"""Measure what a collection of the host and process probes costs on this machine."""

from __future__ import annotations

import time

from spyglass.probes.catalog import Sample
from spyglass.probes.export.points import Points
from spyglass.probes.host import HostProbe
from spyglass.probes.process import Kernel, ProcessProbe

INTERVAL_SECONDS = 5.0  # the default of metric_interval_ms
WARM_UP = 20


class _Clock:
    """Go on by one interval per collection, so that what is read seldom counts with its true share."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def cost(collections: int = 1_000) -> dict[str, float]:
    """Return CPU seconds per 1,000 collections: read_parse_seconds, points_serialise_seconds and total_seconds.

    Beside them: series (time series in a collection), bytes (of a request) and collections (how many were measured).
    Both probes run together, as every 5 seconds; sending is not part of it. Only on Linux.
    """
    clock, points = _Clock(), Points({"service.name": "measure"})
    probes = (HostProbe(clock=clock), ProcessProbe(kernel=Kernel(clock=clock)))
    spent = [0.0, 0.0]
    size = count = 0
    for turn in range(-WARM_UP, collections):
        clock.now += INTERVAL_SECONDS
        before = time.process_time()
        samples: list[Sample] = [sample for probe in probes for sample in probe.collect()]
        between = time.process_time()
        size, count = len(points.serialise(samples, time.time_ns())), len(samples)
        if turn >= 0:
            spent[0] += between - before
            spent[1] += time.process_time() - between
    for probe in probes:
        probe.close()
    read, made = (seconds * 1_000 / collections for seconds in spent)
    return {
        "read_parse_seconds": read,
        "points_serialise_seconds": made,
        "total_seconds": read + made,
        "series": count,
        "bytes": size,
        "collections": collections,
    }
