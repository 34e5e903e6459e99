"""Read the catalogue: every metric that a probe can send, as data in ``catalog.csv``."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from spyglass.names import Instrument

CATALOG = Path(__file__).with_name("catalog.csv")
COMMENT = "#"


@dataclass(frozen=True, slots=True)
class Entry:
    """Describe one metric: who sends it, what it is (UCUM unit), which attributes it may carry, and what it means."""

    probe: str
    heading: str
    name: str
    instrument: Instrument
    integer: bool
    unit: str
    attributes: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Name one time series; a probe makes each once and gives the same object with every value.

    ``start_ns`` is the Unix time at which a counter was 0 (0 = unknown): boot for the host and its GPUs, the start of
    the process for the process. Prometheus adds a sample of 0 at that time, so it has to be the true one: with the
    probe's own start and a lost first export, increase() counts everything since boot as one jump.
    """

    entry: Entry
    attributes: Mapping[str, str]
    start_ns: int


Sample = tuple[Series, float]
MakeSeries = Callable[..., Series]


def read(path: Path = CATALOG) -> dict[str, Entry]:
    """Return the entries of the catalogue by metric name, in the order of the file."""
    rows = path.read_text(encoding="utf-8").splitlines()
    header = next(csv.reader(rows))
    entries: dict[str, Entry] = {}
    heading = ""
    for row in rows[1:]:
        if row.startswith(COMMENT):
            heading = row.removeprefix(COMMENT).strip()
            continue
        fields = dict(zip(header, next(csv.reader([row])), strict=True))
        entries[fields["name"]] = _entry(fields, heading)
    return entries


def _entry(fields: Mapping[str, str], heading: str) -> Entry:
    return Entry(
        probe=fields["probe"],
        heading=heading,
        name=fields["name"],
        instrument=Instrument(fields["instrument"]),
        integer=fields["value"] == "int",
        unit=fields["unit"],
        attributes=tuple(fields["attributes"].split()),
        sentence=fields["sentence"],
    )


ENTRIES = read()


def maker(start_ns: int) -> MakeSeries:
    """Return a function ``series(name, attributes)`` for counters that were 0 at this Unix time in nanoseconds."""
    return partial(_series, start_ns)


def _series(start_ns: int, name: str, attributes: Mapping[str, str] | None = None) -> Series:
    return Series(ENTRIES[name], dict(attributes or {}), start_ns)
