"""Watch the processors: time and utilisation by mode, load, pressure, frequency, counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import sub

from spyglass.probes import parse
from spyglass.probes.catalog import MakeSeries, Sample
from spyglass.probes.every import Every
from spyglass.probes.reader import Reader

STAT = "proc/stat"
LOADAVG = "proc/loadavg"
CPUINFO = "proc/cpuinfo"
CPUS = "sys/devices/system/cpu"
FREQUENCY = "cpufreq/scaling_cur_freq"
SIBLINGS = "topology/thread_siblings_list"

# idle and iowait may step back a little (proc(5)); taken as they are, that would look like a restart of the counter.
STEP_BACK_SECONDS = 3.0
FREQUENCY_EVERY_SECONDS = 15.0
CORES_EVERY_SECONDS = 300.0

RESOURCE = "spyglass.system.pressure.resource"
KIND = "spyglass.system.pressure.kind"
PRESSURE_KINDS = {
    "proc/pressure/cpu": ("some",),
    "proc/pressure/memory": ("some", "full"),
    "proc/pressure/io": ("some", "full"),
}
PRESSURE_METRICS = ("spyglass.system.pressure.share", "spyglass.system.pressure.time")

_CPU_FOLDER = re.compile(r"cpu[0-9]+")


class CpuTime:
    """Read time and utilisation by mode, and the number of logical CPUs, all from /proc/stat."""

    what = "CPU time"
    paths = (STAT,)

    def __init__(self, reader: Reader, series: MakeSeries, ticks_per_second: int) -> None:
        self._reader = reader
        self._ticks_per_second = ticks_per_second
        self._ticks: list[int] = []
        self._base: list[int] = []
        self._shares: list[float] = []
        self._time = [series("system.cpu.time", {"cpu.mode": mode}) for mode in parse.CPU_MODES]
        self._utilization = [series("system.cpu.utilization", {"cpu.mode": mode}) for mode in parse.CPU_MODES]
        self._count = series("system.cpu.logical.count")

    def collect(self) -> list[Sample]:
        """Return the samples; utilisation needs a collection before this one, at least a tick ago."""
        stat = self._reader.read(STAT)
        ticks = self._ticks = self._forward(parse.cpu_ticks(stat))
        self._share(ticks)
        samples: list[Sample] = [
            *zip(self._time, [count / self._ticks_per_second for count in ticks], strict=False),
            *zip(self._utilization, self._shares, strict=False),
        ]
        count = parse.cpu_count(stat)
        if count is not None:
            samples.append((self._count, count))
        return samples

    def _share(self, ticks: list[int]) -> None:
        deltas = [*map(sub, ticks, self._base)]
        total = sum(deltas)
        if len(self._base) != len(ticks) or min(deltas, default=0) < 0:
            self._shares, self._base = [], ticks
        elif total > 0:  # else no tick has passed, and the shares stand
            self._shares, self._base = [delta / total for delta in deltas], ticks

    def _forward(self, ticks: list[int]) -> list[int]:
        if len(ticks) != len(self._ticks):
            return ticks
        allowed = STEP_BACK_SECONDS * self._ticks_per_second
        return [last if 0 < last - now < allowed else now for last, now in zip(self._ticks, ticks, strict=True)]


class Load:
    """Read the load averages."""

    what = "load averages"
    paths = (LOADAVG,)

    def __init__(self, reader: Reader, series: MakeSeries) -> None:
        self._reader = reader
        self._series = [series(f"spyglass.system.load.{minutes}m") for minutes in (1, 5, 15)]

    def collect(self) -> list[Sample]:
        """Return the samples."""
        return [*zip(self._series, parse.load(self._reader.read(LOADAVG)), strict=False)]


class Pressure:
    """Read how long threads stalled for want of CPU, memory or IO.

    The kernel prints "full" for the CPU too, as 0: for a whole system it is undefined (accounting/psi.rst).
    """

    what = "pressure stall information"
    paths = tuple(PRESSURE_KINDS)

    def __init__(self, reader: Reader, series: MakeSeries) -> None:
        self._reader = reader
        self._series = {
            path: {
                kind: tuple(series(name, {RESOURCE: path.rpartition("/")[2], KIND: kind}) for name in PRESSURE_METRICS)
                for kind in kinds
            }
            for path, kinds in PRESSURE_KINDS.items()
        }

    def collect(self) -> list[Sample]:
        """Return the samples."""
        samples: list[Sample] = []
        for path, by_kind in self._series.items():
            lines = parse.pressure(self._reader.read(path))
            for kind, series in by_kind.items():
                if kind in lines:
                    samples += zip(series, lines[kind], strict=True)
        return samples


class Cores:
    """Read the mean frequency of the logical CPUs, and count the physical cores that hold them.

    Frequencies come from cpufreq, else from /proc/cpuinfo; many machines tell neither.
    """

    what = "CPU frequency and cores"
    paths = (CPUS,)

    def __init__(self, reader: Reader, series: MakeSeries, clock: Callable[[], float]) -> None:
        self._reader = reader
        self._frequency = series("system.cpu.frequency")
        self._count = series("system.cpu.physical.count")
        self._files: list[str] = []
        self._fixed: list[Sample] = []
        self._find = Every(CORES_EVERY_SECONDS, clock, self._read_cores)
        self._changing = Every(FREQUENCY_EVERY_SECONDS, clock, self._read_files)

    def collect(self) -> list[Sample]:
        """Return the samples."""
        self._find()
        return self._fixed + self._changing()

    def _read_cores(self) -> None:
        folders = [f"{CPUS}/{name}" for name in self._reader.names(CPUS) if _CPU_FOLDER.fullmatch(name)]
        self._files = [file for folder in folders if self._reader.exists(file := f"{folder}/{FREQUENCY}")]
        siblings = [file for folder in folders if self._reader.exists(file := f"{folder}/{SIBLINGS}")]
        cores = {self._reader.read_once(file) for file in siblings} - {b""}
        self._fixed = [(self._count, len(cores))] if cores else []
        if not self._files:
            self._fixed += self._mean(parse.frequencies(self._reader.read_once(CPUINFO)))
            if len(self._fixed) < 2:  # noqa: PLR2004 -- frequency and count
                self._reader.problems["CPU frequency or cores"] = "this system does not tell both"

    def _read_files(self) -> list[Sample]:
        rows = [parse.numbers([self._reader.read_once(file)]) for file in self._files]
        return self._mean([row[0] * 1_000 for row in rows if row])

    def _mean(self, hertz: list[int]) -> list[Sample]:
        return [(self._frequency, sum(hertz) // len(hertz))] if hertz else []
