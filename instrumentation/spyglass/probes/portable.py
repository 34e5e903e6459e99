"""Watch host and process through psutil, on systems without Linux' /proc; what psutil does not know there is absent."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from spyglass.probes.catalog import MakeSeries, Sample, Series, maker
from spyglass.probes.probe import Finding, FindingState

NANO = 1_000_000_000
CPU_MODES = ("user", "nice", "system", "idle", "iowait")  # interrupts are left out: Windows counts them in system too
LOOPBACK = re.compile(r"lo[0-9]*|Loopback .*")
WAYS = ("read", "write")
DIRECTIONS = ("receive", "transmit")


class _Portable:
    """Keep one object per series, which is made when its first value comes."""

    name: str

    def __init__(self, start_seconds: float) -> None:
        self._make: MakeSeries = maker(int(start_seconds * NANO))
        self._series: dict[tuple[str, ...], Series] = {}
        self._count = 0
        self._missing: list[str] = []

    def _sample(self, value: float, name: str, *attributes: str) -> Sample:
        key = (name, *attributes)
        series = self._series.get(key)
        if series is None:
            pairs = dict(zip(attributes[::2], attributes[1::2], strict=True))
            series = self._series[key] = self._make(name, pairs)
        return series, value

    def _gather(self, *parts: Callable[[], Iterator[Sample]]) -> list[Sample]:
        samples: list[Sample] = []
        self._missing = []
        for part in parts:
            try:
                samples += part()
            except Exception as error:  # noqa: BLE001 -- psutil's errors differ by system: AttributeError, OSError, own
                self._missing.append(f"{part.__name__.strip('_')}: {error}")
        self._count = len(samples)
        return samples

    def findings(self) -> list[Finding]:
        """Return one line for the whole, and one for each part that psutil could not tell."""
        lines = [Finding(self.name, FindingState.OK, f"{self._count} values from psutil.")]
        return lines + [Finding(self.name, FindingState.PARTIAL, f"{it}.") for it in self._missing]

    def close(self, *, forked: bool = False) -> None:
        """Do nothing: psutil keeps nothing open."""


class PortableHost(_Portable):
    """Watch the host; ``psutil`` is the module."""

    name = "host"

    def __init__(self, psutil: Any) -> None:
        super().__init__(psutil.boot_time())
        self._psutil = psutil
        self._base: dict[str, float] = {}
        self._shares: dict[str, float] = {}

    def collect(self) -> list[Sample]:
        """Return the samples."""
        return self._gather(
            self._cpu, self._counts, self._frequency, self._load, self._memory, self._swap, self._space, self._disks,
            self._network,
        )  # fmt: skip

    def _cpu(self) -> Iterator[Sample]:
        times = self._psutil.cpu_times()
        now = {mode: getattr(times, mode) for mode in CPU_MODES if hasattr(times, mode)}
        deltas = {mode: seconds - self._base.get(mode, seconds) for mode, seconds in now.items()}
        total = sum(deltas.values())
        if not self._base or min(deltas.values()) < 0:
            self._shares, self._base = {}, now
        elif total > 0:  # else no tick has passed, and the shares stand
            self._shares, self._base = {mode: delta / total for mode, delta in deltas.items()}, now
        for mode, seconds in now.items():
            yield self._sample(seconds, "system.cpu.time", "cpu.mode", mode)
        for mode, share in self._shares.items():
            yield self._sample(share, "system.cpu.utilization", "cpu.mode", mode)

    def _counts(self) -> Iterator[Sample]:
        if logical := self._psutil.cpu_count():
            yield self._sample(logical, "system.cpu.logical.count")
        if physical := self._psutil.cpu_count(logical=False):
            yield self._sample(physical, "system.cpu.physical.count")
        yield self._sample(len(self._psutil.pids()), "system.process.count")
        yield self._sample(time.time() - self._psutil.boot_time(), "system.uptime")

    def _frequency(self) -> Iterator[Sample]:
        if (frequency := self._psutil.cpu_freq()) is not None and frequency.current:
            yield self._sample(int(frequency.current * 1e6), "system.cpu.frequency")

    def _load(self) -> Iterator[Sample]:
        for minutes, value in zip((1, 5, 15), self._psutil.getloadavg(), strict=True):
            yield self._sample(value, f"spyglass.system.load.{minutes}m")

    def _memory(self) -> Iterator[Sample]:
        memory = self._psutil.virtual_memory()
        yield self._sample(memory.total, "system.memory.limit")
        for state in ("used", "free"):
            size = getattr(memory, state)
            yield self._sample(size, "system.memory.usage", "system.memory.state", state)
            yield self._sample(size / memory.total, "system.memory.utilization", "system.memory.state", state)

    def _swap(self) -> Iterator[Sample]:
        swap = self._psutil.swap_memory()
        for state in ("used", "free"):
            size = getattr(swap, state)
            yield self._sample(size, "system.paging.usage", "system.paging.state", state)
            if swap.total:
                yield self._sample(size / swap.total, "system.paging.utilization", "system.paging.state", state)

    def _space(self) -> Iterator[Sample]:
        for part in {part.device: part for part in reversed(self._psutil.disk_partitions(all=False))}.values():
            with contextlib.suppress(OSError):  # an empty drive
                yield from self._space_of(part)

    def _space_of(self, part: Any) -> Iterator[Sample]:
        usage = self._psutil.disk_usage(part.mountpoint)
        mode = "ro" if "ro" in part.opts.split(",") else "rw"
        named = (
            "system.device", part.device, "system.filesystem.mountpoint", part.mountpoint,
            "system.filesystem.type", part.fstype, "system.filesystem.mode", mode,
        )  # fmt: skip
        yield self._sample(usage.total, "system.filesystem.limit", *named)
        for state, size in (("used", usage.used), ("free", usage.free)):
            with_state = (*named, "system.filesystem.state", state)
            yield self._sample(size, "system.filesystem.usage", *with_state)
            if usage.total:
                yield self._sample(size / usage.total, "system.filesystem.utilization", *with_state)

    def _disks(self) -> Iterator[Sample]:
        for device, disk in (self._psutil.disk_io_counters(perdisk=True) or {}).items():
            for way in WAYS:
                named = ("system.device", device, "disk.io.direction", way)
                yield self._sample(getattr(disk, f"{way}_bytes"), "system.disk.io", *named)
                yield self._sample(getattr(disk, f"{way}_count"), "system.disk.operations", *named)
                yield self._sample(getattr(disk, f"{way}_time") / 1000, "system.disk.operation_time", *named)

    def _network(self) -> Iterator[Sample]:
        for interface, card in self._psutil.net_io_counters(pernic=True).items():
            if LOOPBACK.fullmatch(interface):
                continue
            rows = ((card.bytes_recv, card.packets_recv, card.errin, card.dropin),
                    (card.bytes_sent, card.packets_sent, card.errout, card.dropout))  # fmt: skip
            for direction, row in zip(DIRECTIONS, rows, strict=True):
                named = ("network.interface.name", interface, "network.io.direction", direction)
                yield self._sample(row[0], "system.network.io", *named)
                yield self._sample(row[1], "system.network.packet.count", "system.device", *named[1:])
                yield self._sample(row[2], "system.network.errors", *named)
                yield self._sample(row[3], "system.network.packet.dropped", *named)


class PortableProcess(_Portable):
    """Watch the process that a ``psutil.Process`` stands for; ``cpus`` is how many CPUs are open to it."""

    name = "process"

    def __init__(self, process: Any, cpus: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(process.create_time())
        self._process = process
        self._cpus = cpus
        self._clock = clock
        self._last: tuple[float, float, float] | None = None

    def collect(self) -> list[Sample]:
        """Return the samples."""
        with self._process.oneshot():
            return self._gather(self._cpu, self._memory, self._counts, self._descriptors, self._disk, self._switches)

    def _cpu(self) -> Iterator[Sample]:
        times, now = self._process.cpu_times(), self._clock()
        seconds = {"user": times.user, "system": times.system}
        last, self._last = self._last, (now, times.user, times.system)
        for mode, value in seconds.items():
            yield self._sample(value, "process.cpu.time", "cpu.mode", mode)
        if last is not None and now > last[0]:
            capacity = (now - last[0]) * self._cpus
            for (mode, value), before in zip(seconds.items(), last[1:], strict=True):
                yield self._sample((value - before) / capacity, "process.cpu.utilization", "cpu.mode", mode)

    def _memory(self) -> Iterator[Sample]:
        memory = self._process.memory_info()
        yield self._sample(memory.rss, "process.memory.usage")
        yield self._sample(memory.vms, "process.memory.virtual")

    def _counts(self) -> Iterator[Sample]:
        yield self._sample(self._process.num_threads(), "process.thread.count")
        yield self._sample(time.time() - self._process.create_time(), "process.uptime")

    def _descriptors(self) -> Iterator[Sample]:
        yield self._sample(self._process.num_fds(), "process.unix.file_descriptor.count")

    def _disk(self) -> Iterator[Sample]:
        counters = self._process.io_counters()
        for way in WAYS:
            yield self._sample(getattr(counters, f"{way}_bytes"), "process.disk.io", "disk.io.direction", way)
            yield self._sample(getattr(counters, f"{way}_count"), "process.disk.operations", "disk.io.direction", way)

    def _switches(self) -> Iterator[Sample]:
        switches = self._process.num_ctx_switches()
        for kind in ("voluntary", "involuntary"):
            name = "process.context_switch.type"
            yield self._sample(getattr(switches, kind), "process.context_switches", name, kind)
