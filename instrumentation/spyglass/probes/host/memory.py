"""Watch memory and swap."""

from __future__ import annotations

from collections.abc import Callable

from spyglass.probes import parse
from spyglass.probes.catalog import MakeSeries, Sample
from spyglass.probes.every import Every
from spyglass.probes.reader import Reader

MEMINFO = "proc/meminfo"
VMSTAT = "proc/vmstat"
PAGING_EVERY_SECONDS = 15.0  # the kernel adds up two hundred rows per CPU for it
STATES = ("used", "free", "buffers", "cached")


class Memory:
    """Read memory and swap space by state from /proc/meminfo."""

    what = "memory"
    paths = (MEMINFO,)

    def __init__(self, reader: Reader, series: MakeSeries) -> None:
        self._reader = reader
        self._limit = series("system.memory.limit")
        self._available = series("system.memory.linux.available")
        self._usage = {state: series("system.memory.usage", {"system.memory.state": state}) for state in STATES}
        self._share = {state: series("system.memory.utilization", {"system.memory.state": state}) for state in STATES}
        swap = ("used", "free")
        self._swap = {state: series("system.paging.usage", {"system.paging.state": state}) for state in swap}
        self._swap_share = {
            state: series("system.paging.utilization", {"system.paging.state": state}) for state in swap
        }

    def collect(self) -> list[Sample]:
        """Return the samples; a row that the kernel does not print leaves out what needs it."""
        rows = parse.meminfo(self._reader.read(MEMINFO))
        states = memory_states(rows)
        limit = rows.get("MemTotal", 0)
        samples: list[Sample] = [(self._usage[state], size) for state, size in states.items()]
        if limit:
            samples.append((self._limit, limit))
            samples += [(self._share[state], size / limit) for state, size in states.items()]
        if "MemAvailable" in rows:
            samples.append((self._available, rows["MemAvailable"]))
        return samples + self._collect_swap(rows)

    def _collect_swap(self, rows: dict[str, int]) -> list[Sample]:
        if "SwapTotal" not in rows or not 0 <= rows.get("SwapFree", -1) <= rows["SwapTotal"]:
            return []
        total = rows["SwapTotal"]
        states = {"used": total - rows["SwapFree"], "free": rows["SwapFree"]}
        samples: list[Sample] = [(self._swap[state], size) for state, size in states.items()]
        return samples + [(self._swap_share[state], size / total) for state, size in states.items() if total]


def memory_states(rows: dict[str, int]) -> dict[str, int]:
    """Return bytes by state; used is what the other three leave of the total, so that the four add up to it."""
    names = {"free": "MemFree", "buffers": "Buffers", "cached": "Cached"}
    states = {state: rows[name] for state, name in names.items() if name in rows}
    if "cached" in states:
        states["cached"] += rows.get("SReclaimable", 0)
    used = rows.get("MemTotal", -1) - sum(states.values())
    return {"used": used, **states} if len(states) == len(names) and used >= 0 else states


class Paging:
    """Read page faults and swapped pages from /proc/vmstat."""

    what = "paging"
    paths = (VMSTAT,)

    def __init__(self, reader: Reader, series: MakeSeries, clock: Callable[[], float]) -> None:
        self._reader = reader
        self._samples = Every(PAGING_EVERY_SECONDS, clock, self._read)
        faults, operations = "system.paging.faults", "system.paging.operations"
        self._major = series(faults, {"system.paging.fault.type": "major"})
        self._minor = series(faults, {"system.paging.fault.type": "minor"})
        self._in = series(operations, {"system.paging.direction": "in"})
        self._out = series(operations, {"system.paging.direction": "out"})

    def collect(self) -> list[Sample]:
        """Return the samples."""
        return self._samples()

    def _read(self) -> list[Sample]:
        rows = parse.vmstat(self._reader.read(VMSTAT))
        if "pgfault" in rows and "pgmajfault" in rows:
            # pgfault counts the major ones too
            rows["minor"] = max(rows["pgfault"] - rows["pgmajfault"], 0)
        names = (("pgmajfault", self._major), ("minor", self._minor), ("pswpin", self._in), ("pswpout", self._out))
        return [(series, rows[name]) for name, series in names if name in rows]
