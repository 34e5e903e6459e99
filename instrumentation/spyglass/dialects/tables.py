"""Read the dialects' tables: comma-separated files beside this module, with comments after ``#``.

A condition in them is alternatives (`` or ``) of terms (`` & ``). A term is a key (present), ``!key`` (absent), or a
key, a comparison and values separated by ``|``: ``=`` is one of, ``!=`` is none of, ``^=`` begins with, ``$=`` ends
with, ``==`` equals what another key holds. Numbers, true and false stand for themselves, everything else is text. A key
is an attribute, a place in a JSON attribute (``key>inner``), or ``@span.name``, ``@scope.name``; ``@root`` and
``@failed`` are conditions of their own. What cannot be asked, such as how a number begins, makes a condition fail.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Dialect(NamedTuple):
    """Name a dialect and say whose spans speak it: a pattern of scope names, or a condition on the span."""

    name: str
    title: str
    framework: str
    scope: str
    mark: str

    @property
    def rows(self) -> tuple[Row, ...]:
        """Return the rows of its table in order."""
        return tuple(Row(*row) for row in _rows(f"tables/{self.name}.csv"))


class Row(NamedTuple):
    """Say that in a dialect's spans the source means the concept: its type, its unit, and when it is read.

    A source is an attribute's key, a place in a JSON attribute (``key>inner>0``) that a row ``json`` has parsed, a sum
    of such, a constant (``=text``), the span's name (``@span.name``), or an event and which of its keys (``event
    NAME>key``; without a key, the time from the span's start).
    """

    concept: str
    source: str
    type: str
    unit: str
    condition: str
    note: str


class Fault(NamedTuple):
    """Describe a known fault of an emitter: who, which versions, when, what is wrong, and what puts it right."""

    id: str
    scope: str
    versions: str
    condition: str
    correct: str
    wrong: str


class ContentKey(NamedTuple):
    """Say that an attribute (exact, prefix or indexed) holds content, and of which part."""

    key: str
    match: str
    part: str


class Rename(NamedTuple):
    """Say that a metric with the old name is the new one, if its operation is among these (empty: always)."""

    old: str
    new: str
    operations: str


@cache
def dialects() -> tuple[Dialect, ...]:
    """Return the dialects in the order in which they are asked."""
    return tuple(Dialect(*row) for row in _rows("dialects.csv"))


@cache
def concepts() -> dict[str, str]:
    """Return the attribute that holds each concept."""
    return dict(_pairs("concepts.csv"))


def faults() -> tuple[Fault, ...]:
    """Return the rows of faults.csv in order."""
    return tuple(Fault(*row) for row in _rows("faults.csv"))


def providers() -> dict[str, str]:
    """Return OpenTelemetry's provider names by the names that senders use."""
    return dict(_pairs("providers.csv"))


def metric_renames() -> tuple[Rename, ...]:
    """Return the rows of metrics.csv in order."""
    return tuple(Rename(*row) for row in _rows("metrics.csv"))


def content_keys() -> tuple[ContentKey, ...]:
    """Return the rows of content_keys.csv in order."""
    return tuple(ContentKey(*row) for row in _rows("content_keys.csv"))


def _pairs(name: str) -> Iterable[tuple[str, str]]:
    return ((key, value) for key, value in _rows(name))


def _rows(name: str) -> list[list[str]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    rows = list(csv.reader(line for line in lines if line and not line.startswith("#")))
    return rows[1:]
