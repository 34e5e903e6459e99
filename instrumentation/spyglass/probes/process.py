"""Watch the process that the probe runs in, through Linux' /proc; portable.py does it on other systems."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spyglass.probes import parse
from spyglass.probes.catalog import Sample, maker
from spyglass.probes.probe import Finding, FindingState
from spyglass.probes.reader import Reader

STAT = "proc/self/stat"
IO = "proc/self/io"
DESCRIPTORS = "proc/self/fd"
BOOT = "proc/stat"


def _since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _own_usage() -> resource.struct_rusage:
    return resource.getrusage(resource.RUSAGE_SELF)


def _open_cpus() -> int:
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Kernel:
    """Hold what the kernel tells by calls and not by files.

    ``clock`` and ``since_boot`` are in seconds, the second counts sleep too. ``usage`` is getrusage(2), which counts
    all threads, where /proc/self/status has the main thread's switches only. ``cpus`` counts the CPUs that the process
    may use.
    """

    clock: Callable[[], float] = time.monotonic
    since_boot: Callable[[], float] = _since_boot
    usage: Callable[[], resource.struct_rusage] = _own_usage
    cpus: Callable[[], int] = _open_cpus
    ticks_per_second: int = os.sysconf("SC_CLK_TCK")
    page_bytes: int = os.sysconf("SC_PAGE_SIZE")


class ProcessProbe:
    """Watch the process that /proc/self below ``root`` describes."""

    name = "process"

    def __init__(self, root: str | Path = "/", kernel: Kernel | None = None) -> None:
        self._reader = Reader(root)
        self._kernel = kernel or Kernel()
        self._last: tuple[float, float, float] | None = None  # clock, user and system seconds
        self._count = 0
        # Linux 6.2 and later give the number of descriptors as the size of the folder; earlier ones have to list it.
        self._size_counts = self._reader.size(DESCRIPTORS) == self._listed_descriptors()
        self._make_all_series()

    def _make_all_series(self) -> None:
        series = maker(self._start_ns())
        modes = ("user", "system")
        self._time = [series("process.cpu.time", {"cpu.mode": mode}) for mode in modes]
        self._utilization = [series("process.cpu.utilization", {"cpu.mode": mode}) for mode in modes]
        faults, switches = "process.paging.faults", "process.context_switches"
        self._faults = [series(faults, {"system.paging.fault.type": kind}) for kind in ("minor", "major")]
        kinds = ("voluntary", "involuntary")
        self._switches = [series(switches, {"process.context_switch.type": kind}) for kind in kinds]
        self._resident = series("process.memory.usage")
        self._virtual = series("process.memory.virtual")
        self._threads = series("process.thread.count")
        self._descriptors = series("process.unix.file_descriptor.count")
        self._uptime = series("process.uptime")
        self._io = {way: series("process.disk.io", {"disk.io.direction": way}) for way in ("read", "write")}

    def collect(self) -> list[Sample]:
        """Return the samples; utilisation needs a collection before this one."""
        samples = [*self._collect_usage(), *self._collect_stat(), *self._collect_io()]
        self._count = len(samples)
        return samples

    def _collect_usage(self) -> list[Sample]:
        usage, now = self._kernel.usage(), self._kernel.clock()
        user, system = usage.ru_utime, usage.ru_stime
        samples: list[Sample] = [
            *zip(self._time, (user, system), strict=True),
            *zip(self._faults, (usage.ru_minflt, usage.ru_majflt), strict=True),
            *zip(self._switches, (usage.ru_nvcsw, usage.ru_nivcsw), strict=True),
        ]
        last, self._last = self._last, (now, user, system)
        if last is not None and now > last[0]:
            capacity = (now - last[0]) * self._kernel.cpus()
            samples += zip(self._utilization, ((user - last[1]) / capacity, (system - last[2]) / capacity), strict=True)
        return samples

    def _collect_stat(self) -> list[Sample]:
        samples: list[Sample] = []
        if (stat := parse.process_stat(self._reader.read(STAT))) is not None:
            samples += [
                (self._resident, stat.resident_pages * self._kernel.page_bytes),
                (self._virtual, stat.virtual_bytes),
                (self._threads, stat.threads),
            ]
            uptime = self._kernel.since_boot() - stat.start_ticks / self._kernel.ticks_per_second
            samples.append((self._uptime, max(uptime, 0.0)))
        descriptors = self._reader.size(DESCRIPTORS) if self._size_counts else self._listed_descriptors()
        return [*samples, (self._descriptors, descriptors)] if descriptors else samples

    def _listed_descriptors(self) -> int:
        return max(len(self._reader.names(DESCRIPTORS)) - 1, 0)  # one of them reads the list

    def _collect_io(self) -> list[Sample]:
        return [(self._io[way], size) for way, size in parse.process_io(self._reader.read(IO)).items()]

    def findings(self) -> list[Finding]:
        """Return one line for the whole, and one for each file that could not be read."""
        lines = [Finding(self.name, FindingState.OK, f"{self._count} values of this process.")]
        problems = self._reader.problems.items()
        return lines + [Finding(self.name, FindingState.PARTIAL, f"{path}: {why}.") for path, why in problems]

    def close(self, *, forked: bool = False) -> None:  # noqa: ARG002 -- a child's copies are its own to close
        """Close the descriptors; the next collection opens them again."""
        self._reader.close()

    def _start_ns(self) -> int:
        stat = parse.process_stat(self._reader.read_once(STAT))
        boot = parse.boot_seconds(self._reader.read_once(BOOT))
        if stat is None or boot is None:
            return 0
        return boot * 1_000_000_000 + stat.start_ticks * 1_000_000_000 // self._kernel.ticks_per_second
