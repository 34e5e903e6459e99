"""Find out which rows of the price tables have to change, and change them: never without an entry in price_changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from spyglass.warehouse.connection import Connection
from spyglass.warehouse.prices import book as price_book
from spyglass.warehouse.prices import versions

Row = dict[str, Any]

ADDED = "added"
CHANGED = "changed"
REMOVED = "removed"

_MODELS = """
SELECT provider, model, toUnixTimestamp(valid_from) AS valid_from, toUnixTimestamp(valid_to) AS valid_to,
    steps.tier, steps.daily_from, steps.above, steps.input, steps.cache_read, steps.cache_write, steps.cache_write_1h,
    steps.output, steps.reasoning, steps.audio_input, steps.audio_cache_read, steps.audio_output,
    request, source, source_model, source_version
FROM spyglass.model_prices FINAL
"""
_OF_ONE = "WHERE provider = {provider:String} AND model = {model:String}"
_RESOURCES = """
SELECT resource, label, toUnixTimestamp(valid_from) AS valid_from, toUnixTimestamp(valid_to) AS valid_to, nano_usd,
    source
FROM spyglass.resource_prices FINAL
"""


@dataclass(frozen=True, slots=True)
class Change:
    """Say what becomes of one row: ``row`` as it will be, or as it is before it is removed."""

    table: str
    action: str
    row: Row


@dataclass(frozen=True, slots=True)
class PriceFile:
    """Hold the rows of ``model_prices`` and ``resource_prices`` that a file gives, in its order."""

    models: list[Row]
    resources: list[Row]


def models(connection: Connection) -> list[Row]:
    """Return the prices of models, those of the past and of the future too."""
    return connection.rows(_MODELS)


def of_model(connection: Connection, provider: str, model: str) -> list[Row]:
    """Return the prices of one model."""
    return connection.rows(_MODELS + _OF_ONE, provider=provider, model=model)


def resources(connection: Connection) -> list[Row]:
    """Return the prices of resources."""
    return connection.rows(_RESOURCES)


def model_changes(stored: Iterable[Row], wanted: Iterable[Row]) -> list[Change]:
    """Return what makes the stored prices of models the wanted ones."""
    return _changes("model_prices", _model_key, stored, wanted)


def resource_changes(stored: Iterable[Row], wanted: Iterable[Row]) -> list[Change]:
    """Return what makes the stored prices of resources the wanted ones."""
    return _changes("resource_prices", _resource_key, stored, wanted)


def is_declared(row: Row) -> bool:
    """Say whether somebody gave this price, in a file or by hand; the others follow from the package."""
    return bool(row["source"] != price_book.SOURCE)


def overlapping(row: Row, others: Iterable[Row]) -> Row | None:
    """Return the first of the others that is valid at a moment of this one's interval."""
    return next((o for o in others if o["valid_from"] < row["valid_to"] and row["valid_from"] < o["valid_to"]), None)


def around(declared: list[Row], packaged: Iterable[Row]) -> list[Row]:
    """Return the declared prices of one model, and what they leave of the package's intervals."""
    taken = sorted((row["valid_from"], row["valid_to"]) for row in declared)
    left = [
        row | {"valid_from": start, "valid_to": end}
        for row in packaged
        for start, end in uncovered(row["valid_from"], row["valid_to"], taken)
    ]
    return declared + left


def uncovered(start: int, end: int, taken: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the parts of an interval that no other one takes; the others are sorted, all ends are exclusive."""
    left = []
    for first, last in taken:
        if start < min(first, end):
            left.append((start, min(first, end)))
        start = max(start, last)
    return [*left, (start, end)] if start < end else left


def write(connection: Connection, changes: list[Change]) -> None:
    """Write the changes as a new version of the price book; no change is no version.

    Their entries in price_changes come first: an entry too many is better than a change without.
    """
    if not changes:
        return
    opened = versions.open_version(connection, versions.PRICES)
    entry = {"who": opened["who"], "price_book_version": opened["version"]}
    connection.insert("spyglass.price_changes", [entry | _entry(change) for change in changes])
    for table in sorted({change.table for change in changes}):
        rows = [c.row | {"is_deleted": int(c.action == REMOVED)} for c in changes if c.table == table]
        connection.insert(f"spyglass.{table}", rows)


def _changes(
    table: str, key: Callable[[Row], tuple[Any, ...]], stored: Iterable[Row], wanted: Iterable[Row]
) -> list[Change]:
    before, after = {key(row): row for row in stored}, {key(row): row for row in wanted}
    written = [
        Change(table, CHANGED if at in before else ADDED, row) for at, row in after.items() if before.get(at) != row
    ]
    return written + [Change(table, REMOVED, row) for at, row in before.items() if at not in after]


def _model_key(row: Row) -> tuple[Any, ...]:
    return row["provider"], row["model"], row["valid_from"]


def _resource_key(row: Row) -> tuple[Any, ...]:
    return row["resource"], row["label"], row["valid_from"]


def _entry(change: Change) -> Row:
    named = ("provider", "model", "resource", "label", "valid_from", "valid_to", "source")
    columns = {name: change.row.get(name, "") for name in named}
    return {"action": change.action, **columns, "row": json.dumps(change.row)}
