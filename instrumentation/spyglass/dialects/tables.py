"""Read the dialect tables: comma-separated files beside this module, with comments after ``#``."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Concept(NamedTuple):
    """Say that in spans of a dialect the source attribute means the target; ``kind`` is how the value is read."""

    dialect: str
    target: str
    source: str
    kind: str


class KindRule(NamedTuple):
    """Say that this value of the source attribute makes a span of this kind, and which operation it names."""

    dialect: str
    source: str
    value: str
    kind: str
    operation: str


class ContentKey(NamedTuple):
    """Say that an attribute (exact, prefix or indexed) holds content, and of which part."""

    key: str
    match: str
    part: str


def concepts() -> tuple[Concept, ...]:
    """Return the rows of concepts.csv in order; the first present source of a target wins."""
    return tuple(Concept(*row) for row in _rows("concepts.csv"))


def kinds() -> tuple[KindRule, ...]:
    """Return the rows of kinds.csv in order; the first rule that fits wins."""
    return tuple(KindRule(*row) for row in _rows("kinds.csv"))


def providers() -> dict[str, str]:
    """Return OpenTelemetry's provider names by the names that senders use."""
    return {sent: name for sent, name in _rows("providers.csv")}  # noqa: C416 -- checks that each row has two cells


def content_keys() -> tuple[ContentKey, ...]:
    """Return the rows of content_keys.csv in order."""
    return tuple(ContentKey(*row) for row in _rows("content_keys.csv"))


def _rows(name: str) -> list[list[str]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    rows = list(csv.reader(line for line in lines if line and not line.startswith("#")))
    return rows[1:]
