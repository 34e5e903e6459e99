"""Watch the input and output of disks.

Each byte is counted once: whole disks of real hardware only, which sysfs gives a ``device`` link (virtio and Xen disks
have it too). Partitions are parts of a disk; loop, RAM and zram disks are none; device-mapper and RAID devices pass on
what the disks below them count.
"""

from __future__ import annotations

from spyglass.probes import parse
from spyglass.probes.catalog import MakeSeries, Sample, Series
from spyglass.probes.reader import Reader

DISKSTATS = "proc/diskstats"
BLOCK = "sys/block"
SECTOR_BYTES = 512  # of /proc/diskstats, whatever the disk's own sectors are
# Metrics of reads, in the order of the columns, whose writes stand four columns further; factor to the metric's unit.
COLUMNS = (
    ("system.disk.operations", 0, 1),
    ("system.disk.merged", 1, 1),
    ("system.disk.io", 2, SECTOR_BYTES),
    ("system.disk.operation_time", 3, 0.001),
)
WRITES = 4
BUSY_COLUMN = 9


class Disks:
    """Read the counters of every real disk."""

    what = "disk input and output"
    paths = (DISKSTATS, BLOCK)

    def __init__(self, reader: Reader, series: MakeSeries) -> None:
        self._reader = reader
        self._make_series = series
        self._known: dict[bytes, tuple[Series, ...]] = {}
        self._unwanted: set[bytes] = set()

    def collect(self) -> list[Sample]:
        """Return the samples of the disks that are there now."""
        samples: list[Sample] = []
        for name, row in parse.disks(self._reader.read(DISKSTATS), self._unwanted):
            if name not in self._known and not self._meet(name):
                continue
            samples += zip(self._known[name], _values(row), strict=True)
        return samples

    def _meet(self, name: bytes) -> bool:
        device = name.decode("utf-8", "replace")
        if self._is_real(device):
            self._known[name] = self._series(device)
        else:
            self._unwanted.add(name)
        return name in self._known

    def _series(self, device: str) -> tuple[Series, ...]:
        named = {"system.device": device}
        return (
            *(
                self._make_series(metric, named | {"disk.io.direction": direction})
                for direction in ("read", "write")
                for metric, _, _ in COLUMNS
            ),
            self._make_series("system.disk.io_time", named),
        )

    def _is_real(self, device: str) -> bool:
        folder = f"{BLOCK}/{device.replace('/', '!')}"
        hidden = f"{folder}/hidden"  # a path of an NVMe disk that is counted under the disk's own name
        return self._reader.exists(f"{folder}/device") and not (
            self._reader.exists(hidden) and self._reader.read_once(hidden).strip() == b"1"
        )


def _values(row: list[int]) -> list[float]:
    both = [row[column + shift] * factor for shift in (0, WRITES) for _, column, factor in COLUMNS]
    return [*both, row[BUSY_COLUMN] * 0.001]
