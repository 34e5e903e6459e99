"""Say what a probe is: something that collects samples, and can say what it found to watch."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Protocol

from spyglass.probes.catalog import Sample


class Finding(NamedTuple):
    """Say in one sentence what a probe watches, or why it does not watch a thing."""

    probe: str
    state: FindingState
    sentence: str


class FindingState(StrEnum):
    """Say whether a probe, or a part of it, gives values."""

    OK = "ok"
    PARTIAL = "partial"  # a part of it is missing
    ABSENT = "absent"  # there is nothing to watch


class Probe(Protocol):
    """Collect samples from one thread; never raise for something that is missing."""

    name: str

    def collect(self) -> list[Sample]:
        """Return a value for each series that has one now, in an order that stays the same."""

    def findings(self) -> list[Finding]:
        """Return what the last collection found, for ``spyglass doctor``."""

    def close(self, *, forked: bool = False) -> None:
        """Give back descriptors and handles; a later collection opens them again.

        In a ``forked`` child, forget the parent's instead, and close nothing that the parent still uses.
        """
