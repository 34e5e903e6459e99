"""Write folders that look like a machine's /proc and /sys."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from spyglass.probes.catalog import Sample
from spyglass.probes.host import HostProbe

Make = Callable[..., HostProbe]
BLOCK = 4096

STAT = """\
cpu  1000 20 300 40000 50 6 7 8 900 0
cpu0 500 10 150 20000 25 3 4 4 450 0
cpu1 500 10 150 20000 25 3 3 4 450 0
intr 1957380 0 0 14
ctxt 2592892
btime 1700000000
processes 34100
procs_running 3
procs_blocked 0
"""
MEMINFO = """\
MemTotal:       16000000 kB
MemFree:         4000000 kB
MemAvailable:   11000000 kB
Buffers:          500000 kB
Cached:          6000000 kB
SwapCached:         1234 kB
SwapTotal:       2000000 kB
SwapFree:        1500000 kB
SReclaimable:     700000 kB
HugePages_Total:       0
"""
VMSTAT = "nr_free_pages 2605821\npgfault 5000\npgmajfault 40\npswpin 7\npswpout 9\n"
DISKSTATS = """\
   7       0 loop0 11 0 88 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 259       0 nvme0n1 100 20 8000 3000 200 40 16000 5000 0 7000 8000 1 2 3 4 5 6
 259       1 nvme0n1p1 90 20 7000 2900 190 40 15000 4900 0 6900 7900 1 2 3 4 5 6
 253       0 dm-0 95 0 7000 2900 190 0 15000 4900 0 6900 7900 1 2 3 4 5 6
"""
NET_DEV = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0
  eth0: 1605231701   92308    1    2    0     0          0         0  5219782   50173    3    4    0     0       0          0
veth12ab:     5       1    0    0    0     0          0         0        5       1    0    0    0     0       0          0
"""  # noqa: E501 -- as wide as the kernel prints it
MOUNTINFO = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 259:1 / / rw,relatime - ext4 /dev/nvme0n1p1 rw,discard
28 27 259:1 /srv /srv rw,relatime - ext4 /dev/nvme0n1p1 rw,discard
29 27 0:40 / /dev/shm rw,nosuid - tmpfs tmpfs rw
30 27 7:0 / /snap/core/1 ro,nodev - squashfs /dev/loop0 ro
31 27 0:50 / /mnt/nfs rw - nfs4 server:/export rw
32 27 8:1 / /mnt/usb\\040stick ro,noatime shared:5 - vfat /dev/sdb1 ro
"""
FILESYSTEMS = "nodev\tproc\nnodev\ttmpfs\n\text4\n\tvfat\n\tsquashfs\nnodev\tnfs4\nnodev\toverlay\n"
SIBLINGS = "devices/system/cpu/cpu{}/topology/thread_siblings_list"

PROC = {
    "stat": STAT,
    "loadavg": "0.27 0.32 0.79 3/107 1635\n",
    "uptime": "5000.25 9000.50\n",
    "meminfo": MEMINFO,
    "vmstat": VMSTAT,
    "diskstats": DISKSTATS,
    "net/dev": NET_DEV,
    "self/mountinfo": MOUNTINFO,
    "filesystems": FILESYSTEMS,
    "cpuinfo": "processor\t: 0\ncpu MHz\t\t: 2599.998\n\nprocessor\t: 1\ncpu MHz\t\t: 2600.000\n",
    "pressure/cpu": "some avg10=6.79 avg60=1.92 avg300=4.52 total=384591390\n"
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    "pressure/memory": "some avg10=0.50 avg60=0.00 avg300=0.00 total=1000000\n"
    "full avg10=0.25 avg60=0.00 avg300=0.00 total=500000\n",
    "pressure/io": "some avg10=0.71 avg60=0.37 avg300=0.15 total=9758054\n"
    "full avg10=0.52 avg60=0.32 avg300=0.10 total=5256856\n",
    "self/stat": "4242 (py (3) thon) S 1 4242 4242 0 -1 4194304 900 0 5 0 150 50 0 0 20 0 12 0 250000 "
    "104857600 2560 18446744073709551615 1 1 0 0 0\n",
    "self/io": "rchar: 6976\nwchar: 1\nsyscr: 10\nsyscw: 0\nread_bytes: 8192\nwrite_bytes: 4096\n"
    "cancelled_write_bytes: 0\n",
}
SYS = {
    "block/nvme0n1/device/model": "disk\n",
    "block/nvme0n1/hidden": "0\n",
    "block/loop0/size": "88\n",
    "block/dm-0/size": "1\n",
    SIBLINGS.format(0): "0-1\n",
    SIBLINGS.format(1): "0-1\n",
    "devices/system/cpu/online": "0-1\n",
}
PIDS = (1, 42, 4242)
DESCRIPTORS = ("0", "1", "2", "7")


class Tree:
    """Hold the root of a false machine: a modern one, until files are changed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for path, text in PROC.items():
            self.write(f"proc/{path}", text)
        for path, text in SYS.items():
            self.write(f"sys/{path}", text)
        for pid in PIDS:
            (root / "proc" / str(pid)).mkdir()
        for number in DESCRIPTORS:
            self.write(f"proc/self/fd/{number}", "")

    def write(self, path: str, text: str) -> None:
        """Write a file in place, as the kernel does: who has it open reads the new text."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        """Change a part of a file that has it."""
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text
        self.write(path, text.replace(old, new))

    def remove(self, path: str) -> None:
        """Take a file away."""
        (self.root / path).unlink()


class Clock:
    """Stand still until told to go on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


Values = dict[tuple[str, ...], float]


def values(samples: list[Sample]) -> Values:
    """Return the values by (name, attribute value …), each of which may stand there once only."""
    keys = [(series.entry.name, *series.attributes.values()) for series, _ in samples]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, (value for _, value in samples), strict=True))


def only(found: Values, name: str) -> Mapping[tuple[str, ...], float]:
    """Return the values of one metric by its attribute values."""
    return {key[1:]: value for key, value in found.items() if key[0] == name}


def space(*, blocks: int = 1000, free: int = 400, available: int = 300) -> os.statvfs_result:
    """Return what statvfs(3) says of a filesystem of so many blocks."""
    return os.statvfs_result((BLOCK, BLOCK, blocks, free, available, 0, 0, 0, 0, 255))
