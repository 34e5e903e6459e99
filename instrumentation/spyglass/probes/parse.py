"""Turn the texts of /proc into numbers. Pure functions that never raise: what is missing or not a number is left out.

The formats are those of proc(5) and of the kernel's Documentation/filesystems/proc.rst, admin-guide/iostats.rst and
accounting/psi.rst.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import NamedTuple

LARGEST = 2**63 - 1  # of an OTLP integer; what is above was negative in the kernel
KIB = 1024

# The columns of /proc/stat's first line by cpu.mode, hardware and software interrupts in one. A guest's time is part of
# user and nice already.
CPU_MODES = ("user", "nice", "system", "idle", "iowait", "interrupt", "steal")
CPU_COLUMNS = 8

_MEMORY = ("MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "SReclaimable", "SwapTotal", "SwapFree")
MEMORY_KEYS = {name: f"\n{name}:".encode() for name in _MEMORY}
PAGING_KEYS = {name: f"\n{name} ".encode() for name in ("pgfault", "pgmajfault", "pswpin", "pswpout")}
PROCESS_IO_KEYS = {"read": b"\nread_bytes:", "write": b"\nwrite_bytes:"}

_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")
_MEGAHERTZ = re.compile(rb"^cpu MHz\s*: ([0-9]{1,6})\.([0-9]{3})", re.MULTILINE)
_PRESSURE = re.compile(rb"^(some|full) avg10=([0-9]{1,3}\.[0-9]{2}) .*total=([0-9]{1,19})$", re.MULTILINE)


def numbers(fields: Iterable[bytes]) -> list[int]:
    """Return the fields as whole numbers; [] when one of them is none, or is one that no counter can hold."""
    try:
        row = [*map(int, fields)]
    except ValueError:
        return []
    return row if row and min(row) >= 0 and max(row) <= LARGEST else []


def number_after(text: bytes, key: bytes, end: bytes = b"\n") -> int | None:
    """Return the whole number between ``key`` and ``end``, or None."""
    start = text.find(key) + len(key)
    stop = text.find(end, start)
    if start < len(key) or stop < 0:
        return None
    try:
        number = int(text[start:stop])
    except ValueError:
        return None
    return number if 0 <= number <= LARGEST else None


def cpu_ticks(stat: bytes) -> list[int]:
    """Return the clock ticks since boot of all CPUs together, in the order of CPU_MODES; old kernels have fewer."""
    fields = stat[: max(stat.find(b"\n"), 0)].split()
    if not fields or fields[0] != b"cpu":
        return []
    row = numbers(fields[1 : CPU_COLUMNS + 1])
    return [*row[:5], *([row[5] + row[6]] if len(row) > 6 else []), *row[7:]]  # noqa: PLR2004 -- the columns


def cpu_count(stat: bytes) -> int | None:
    """Return how many logical CPUs are online."""
    return stat.count(b"\ncpu") or None


def frequencies(cpuinfo: bytes) -> list[int]:
    """Return the frequency of each logical CPU in Hz; only x86 prints them."""
    return [int(mega) * 1_000_000 + int(kilo) * 1_000 for mega, kilo in _MEGAHERTZ.findall(cpuinfo)]


def boot_seconds(stat: bytes) -> int | None:
    """Return the Unix time of boot in whole seconds."""
    return number_after(stat, b"\nbtime ")


def load(loadavg: bytes) -> list[float]:
    """Return the load averages of 1, 5 and 15 minutes, or []."""
    return _floats(loadavg.split(None, 3)[:3], 3)


def uptime_seconds(uptime: bytes) -> float | None:
    """Return the seconds since boot."""
    found = _floats(uptime.split(None, 1)[:1], 1)
    return found[0] if found else None


def _floats(fields: list[bytes], count: int) -> list[float]:
    try:
        row = [float(field) for field in fields]
    except ValueError:
        return []
    return row if len(row) == count and all(0 <= value <= LARGEST for value in row) else []


def meminfo(text: bytes) -> dict[str, int]:
    """Return the rows of /proc/meminfo that are used, in bytes."""
    rows = _rows(b"\n" + text, MEMORY_KEYS, b" kB\n")
    return {name: value * KIB for name, value in rows.items() if value <= LARGEST // KIB}


def vmstat(text: bytes) -> dict[str, int]:
    """Return the rows of /proc/vmstat that are used."""
    return _rows(b"\n" + text, PAGING_KEYS, b"\n")


def _rows(text: bytes, keys: Mapping[str, bytes], end: bytes) -> dict[str, int]:
    return {name: value for name, key in keys.items() if (value := number_after(text, key, end)) is not None}


def pressure(text: bytes) -> dict[str, tuple[float, float]]:
    """Return the lines of /proc/pressure/cpu, memory or io by kind (some, full).

    Each holds the share of the last 10 seconds (0..1) and the seconds since boot in which threads stalled.
    """
    lines = _PRESSURE.findall(text)
    return {kind.decode(): (float(average) / 100, int(total) / 1e6) for kind, average, total in lines}


DISK_COUNTERS = 11


def disks(diskstats: bytes, unwanted: Container[bytes] = ()) -> Iterator[tuple[bytes, list[int]]]:
    """Yield device and the 11 counters that every kernel since 2.6.25 has, except for devices in ``unwanted``.

    Counters: reads, reads merged, sectors read, ms reading, the same four of writes, in flight, ms busy, ms weighted.
    A shorter line is a partition of an older kernel.
    """
    for line in diskstats.splitlines():
        fields = line.split(None, 3)
        if len(fields) > 3 and fields[2] not in unwanted:  # noqa: PLR2004 -- the columns before the counters
            row = numbers(fields[3].split()[:DISK_COUNTERS])
            if len(row) == DISK_COUNTERS:
                yield fields[2], row


INTERFACE_COLUMNS = 16
RECEIVED = slice(0, 4)
TRANSMITTED = slice(8, 12)


def interfaces(net_dev: bytes, unwanted: Container[bytes] = ()) -> Iterator[tuple[bytes, list[int]]]:
    """Yield interface and its counters: bytes, packets, errors and drops received, then the same four transmitted."""
    for line in net_dev.splitlines():
        name, _, rest = line.partition(b":")  # kernels before 2.6.38 leave no space after the colon
        name = name.strip()
        fields = rest.split()
        if len(fields) == INTERFACE_COLUMNS and name not in unwanted:
            row = numbers(fields[RECEIVED] + fields[TRANSMITTED])
            if row:
                yield name, row


class Mount(NamedTuple):
    """Hold one mounted filesystem; the mount point is bytes, as Linux names need not be text."""

    device: str
    point: bytes
    kind: str
    mode: str


def mounts(mountinfo: bytes) -> Iterator[Mount]:
    """Yield the mounts of /proc/self/mountinfo in its order."""
    for line in mountinfo.splitlines():
        front, _, back = line.partition(b" - ")
        fields, source = front.split(b" "), back.split(b" ")
        if len(fields) > 5 and len(source) > 1:  # noqa: PLR2004 -- the columns that are used below
            mode = "ro" if b"ro" in fields[5].split(b",") else "rw"
            yield Mount(_text(_unescape(source[1])), _unescape(fields[4]), _text(source[0]), mode)


def block_filesystems(filesystems: bytes) -> set[str]:
    """Return the types of filesystem that live on a block device, from /proc/filesystems."""
    return {_text(line.strip()) for line in filesystems.splitlines() if not line.startswith(b"nodev")}


class ProcessStat(NamedTuple):
    """Hold what is used of /proc/self/stat: counts, ticks since boot, bytes and pages."""

    threads: int
    start_ticks: int
    virtual_bytes: int
    resident_pages: int


def process_stat(text: bytes) -> ProcessStat | None:
    """Return the columns num_threads, starttime, vsize and rss; the command before them may hold any character."""
    fields = text[text.rfind(b")") + 1 :].split()[17:22]
    row = numbers([fields[0], *fields[2:]]) if len(fields) == 5 else []  # noqa: PLR2004 -- the slice above
    return ProcessStat(*row) if row else None


def process_io(text: bytes) -> dict[str, int]:
    """Return the bytes that the process caused to be read from and written to disks, by direction."""
    return _rows(b"\n" + text, PROCESS_IO_KEYS, b"\n")


def _unescape(field: bytes) -> bytes:
    return _OCTAL.sub(lambda match: bytes([int(match[1], 8)]), field)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
