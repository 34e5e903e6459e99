"""Watch the host through Linux' /proc and /sys; portable.py does it on other systems."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from spyglass.probes import parse
from spyglass.probes.catalog import Sample, maker
from spyglass.probes.host.cpu import STAT, Cores, CpuTime, Load, Pressure
from spyglass.probes.host.disk import Disks
from spyglass.probes.host.filesystem import Filesystems
from spyglass.probes.host.memory import Memory, Paging
from spyglass.probes.host.network import Network
from spyglass.probes.host.system import Processes, Uptime
from spyglass.probes.probe import Finding, FindingState
from spyglass.probes.reader import Reader

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Source(Protocol):
    """Read one thing."""

    @property
    def what(self) -> str:
        """Name the thing."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the files that it is read from."""

    def collect(self) -> list[Sample]:
        """Return its samples."""


class HostProbe:
    """Watch the host whose /proc and /sys lie below ``root``.

    ``clock`` (seconds, monotonic) paces what is read seldom; ``statvfs`` is asked for the space of a mount point.
    """

    name = "host"

    def __init__(
        self,
        root: str | Path = "/",
        *,
        clock: Callable[[], float] = time.monotonic,
        statvfs: Callable[[bytes], os.statvfs_result] | None = None,
        ticks_per_second: int = TICKS_PER_SECOND,
    ) -> None:
        self._reader = reader = Reader(root)
        series = maker((parse.boot_seconds(reader.read_once(STAT)) or 0) * 1_000_000_000)
        self._sources: tuple[Source, ...] = (
            CpuTime(reader, series, ticks_per_second),
            Cores(reader, series, clock),
            Load(reader, series),
            Uptime(reader, series),
            Processes(reader, series, clock),
            Memory(reader, series),
            Paging(reader, series, clock),
            Pressure(reader, series),
            Filesystems(reader, series, clock, statvfs or self._space),
            Disks(reader, series),
            Network(reader, series),
        )
        self._counts: list[int] = [0] * len(self._sources)

    def collect(self) -> list[Sample]:
        """Return the samples of all sources; a missing source has none."""
        samples: list[Sample] = []
        for index, source in enumerate(self._sources):
            found = source.collect()
            self._counts[index] = len(found)
            samples += found
        return samples

    def findings(self) -> list[Finding]:
        """Return one line for the whole, and one for each thing that the last collection did not find."""
        problems = dict(self._reader.problems)
        lines = [Finding(self.name, FindingState.OK, f"{sum(self._counts)} values from /proc and /sys.")]
        for source, count in zip(self._sources, self._counts, strict=True):
            reasons = [f"{path}: {problems.pop(path)}" for path in source.paths if path in problems]
            if count == 0:
                cause = "; ".join(reasons) or "this system does not tell"
                lines.append(Finding(self.name, FindingState.ABSENT, f"No {source.what} ({cause})."))
            else:
                lines += [Finding(self.name, FindingState.PARTIAL, f"Not all {source.what} ({it}).") for it in reasons]
        return lines + [Finding(self.name, FindingState.PARTIAL, f"{it}: {why}.") for it, why in problems.items()]

    def close(self, *, forked: bool = False) -> None:  # noqa: ARG002 -- a child's copies are its own to close
        """Close the descriptors; the next collection opens them again."""
        self._reader.close()

    def _space(self, point: bytes) -> os.statvfs_result:
        return os.statvfs(os.fsencode(self._reader.root) + point)
