"""Watch the space of filesystems: those on a block device, ZFS, and a container's own root; each device once.

Others are left out: pseudo filesystems have no space, network filesystems may block whoever asks, and images
(squashfs and their like) are always full. Of several mounts of a device, the one nearest to the root stands for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from spyglass.probes import parse
from spyglass.probes.catalog import MakeSeries, Sample, Series
from spyglass.probes.every import Every
from spyglass.probes.reader import Reader

MOUNTS = "proc/self/mountinfo"
TYPES = "proc/filesystems"
MOUNTS_EVERY_SECONDS = 60.0

IMAGES = {"squashfs", "erofs", "cramfs", "romfs", "iso9660", "udf"}
LOOP_DEVICE = "/dev/loop"
STATES = ("used", "free", "reserved")


class Filesystems:
    """Read the space of every real filesystem."""

    what = "filesystems"
    paths = (MOUNTS, TYPES)

    def __init__(
        self,
        reader: Reader,
        series: MakeSeries,
        clock: Callable[[], float],
        statvfs: Callable[[bytes], os.statvfs_result],
    ) -> None:
        self._reader = reader
        self._make_series = series
        self._statvfs = statvfs
        self._known: dict[parse.Mount, tuple[Series, ...]] = {}
        self._mounts = Every(MOUNTS_EVERY_SECONDS, clock, self._find)

    def collect(self) -> list[Sample]:
        """Return the samples; a filesystem that does not say its size has none."""
        samples: list[Sample] = []
        for mount in self._mounts():
            try:
                sizes = _sizes(self._statvfs(mount.point))
            except (OSError, ValueError) as error:  # unmounted since, not open to us, or a name that is none
                self._reader.problems[f"space of {mount.point.decode('utf-8', 'replace')}"] = str(error)
                continue
            samples += zip(self._known[mount], sizes, strict=False)
        return samples

    def _find(self) -> list[parse.Mount]:
        chosen = real_mounts(self._reader.read_once(MOUNTS), self._reader.read_once(TYPES))
        self._known = {mount: self._known.get(mount) or self._series(mount) for mount in chosen}
        return chosen

    def _series(self, mount: parse.Mount) -> tuple[Series, ...]:
        named = {
            "system.device": mount.device,
            "system.filesystem.mountpoint": mount.point.decode("utf-8", "replace"),
            "system.filesystem.type": mount.kind,
            "system.filesystem.mode": mount.mode,
        }
        by_state = (
            self._make_series(metric, named | {"system.filesystem.state": state})
            for metric in ("system.filesystem.usage", "system.filesystem.utilization")
            for state in STATES
        )
        return self._make_series("system.filesystem.limit", named), *by_state


def real_mounts(mountinfo: bytes, filesystems: bytes) -> list[parse.Mount]:
    """Return the mounts that are watched, sorted by mount point."""
    kinds = (parse.block_filesystems(filesystems) | {"zfs"}) - IMAGES
    by_device: dict[str, parse.Mount] = {}
    for mount in sorted(parse.mounts(mountinfo), key=lambda mount: (len(mount.point), mount.point)):
        real = mount.kind in kinds and not mount.device.startswith(LOOP_DEVICE)
        if real or (mount.kind == "overlay" and mount.point == b"/"):
            by_device.setdefault(mount.device, mount)
    return sorted(by_device.values(), key=lambda mount: mount.point)


def _sizes(found: os.statvfs_result) -> list[float]:
    block = found.f_frsize
    limit = found.f_blocks * block
    if not limit:
        return []
    blocks = (found.f_blocks - found.f_bfree, found.f_bavail, found.f_bfree - found.f_bavail)
    usage = [max(count, 0) * block for count in blocks]
    return [limit, *usage, *(size / limit for size in usage)]
