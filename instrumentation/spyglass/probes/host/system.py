"""Watch the host as a whole: time since boot, number of processes."""

from __future__ import annotations

from collections.abc import Callable

from spyglass.probes import parse
from spyglass.probes.catalog import MakeSeries, Sample
from spyglass.probes.every import Every
from spyglass.probes.reader import Reader

UPTIME = "proc/uptime"
PROC = "proc"
PROCESSES_EVERY_SECONDS = 60.0  # listing /proc costs as much as half of all else


class Uptime:
    """Read the time since boot."""

    what = "uptime"
    paths = (UPTIME,)

    def __init__(self, reader: Reader, series: MakeSeries) -> None:
        self._reader = reader
        self._series = series("system.uptime")

    def collect(self) -> list[Sample]:
        """Return the sample."""
        seconds = parse.uptime_seconds(self._reader.read(UPTIME))
        return [] if seconds is None else [(self._series, seconds)]


class Processes:
    """Count the processes that /proc shows."""

    what = "number of processes"
    paths = (PROC,)

    def __init__(self, reader: Reader, series: MakeSeries, clock: Callable[[], float]) -> None:
        self._reader = reader
        self._series = series("system.process.count")
        self._samples = Every(PROCESSES_EVERY_SECONDS, clock, self._read)

    def collect(self) -> list[Sample]:
        """Return the sample."""
        return self._samples()

    def _read(self) -> list[Sample]:
        count = sum(map(str.isdecimal, self._reader.names(PROC)))
        return [(self._series, count)] if count else []
