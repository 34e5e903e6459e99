"""Keep the price table complete: with the package's prices and a file's at start, with names of spans from then on.

A price that somebody gave, in a file or by hand, goes before the package's for as long as it is valid: its row stands
in the table as it was given, and the package's intervals are cut around it. They follow from the package, so that they
are whole again when the given price goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from spyglass.errors import PriceError
from spyglass.warehouse.connection import Connection, columns
from spyglass.warehouse.dictionaries import reload_prices
from spyglass.warehouse.prices import book as price_book
from spyglass.warehouse.prices import costs
from spyglass.warehouse.prices import rows as price_rows
from spyglass.warehouse.prices.amounts import FILE, date, period
from spyglass.warehouse.prices.days import CLOSING_AFTER
from spyglass.warehouse.prices.rows import Change, PriceFile, Row, around, is_declared, overlapping

Name = tuple[str, str]

# Spans that came within a day and wait for a price get one; older ones are a matter of a restatement.
_NEW_NAMES = """
SELECT provider, model, uniqExact(trace_id, span_id) AS spans
FROM spyglass.spans
WHERE cost_source = 'unpriced' AND model != '' AND ingested_at > now() - INTERVAL 1 DAY
    AND (provider, model) NOT IN (SELECT provider, model FROM spyglass.model_prices FINAL)
    AND (provider, model) NOT IN (
        SELECT provider, model FROM spyglass.model_price_misses FINAL WHERE source_version = {version:String})
GROUP BY provider, model
ORDER BY provider, model
"""
_COST = """spyglass_cost_nano_usd(
    kind, provider, model, timestamp, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    reasoning_tokens)"""
_WAITING = f"""
FROM spyglass.spans FINAL
WHERE cost_source = 'unpriced' AND input_tokens IS NOT NULL AND ingested_at > now() - INTERVAL 1 DAY
    AND {_COST} IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Say what became of a name that spans brought; ``source_model`` is "" where no source knows it."""

    provider: str
    model: str
    spans: int
    source_model: str


def synchronise(connection: Connection, book: PriceFile | None = None) -> int:
    """Write the prices that differ from the tables'; returns how many rows that were.

    Names that spans brought are matched again, because a newer package may know them better. Raises PriceError where
    the file contradicts what was set by hand. The caller loads the dictionary again.
    """
    changes = pending(connection, book)
    price_rows.write(connection, changes)
    return len(changes)


def pending(connection: Connection, book: PriceFile | None = None) -> list[Change]:
    """Return what synchronising would change; without a file, the prices of an earlier one stay. Raises PriceError."""
    stored = price_rows.models(connection)
    declared = [row for row in stored if is_declared(row) and not (book and row["source"] == FILE)]
    if book:
        declared = _with_file(declared, book)
    wanted = _around_all(declared, {*price_book.names(), *map(_name, stored), *map(_name, declared)})
    changes = price_rows.model_changes(stored, wanted)
    return changes + (price_rows.resource_changes(price_rows.resources(connection), book.resources) if book else [])


def put(connection: Connection, price: price_book.Price, closing_after: timedelta = CLOSING_AFTER) -> list[Change]:
    """Set a price by hand, in the place of the package's and of one set by hand with the same start.

    Calls of days that are not closed (``closing_after`` their end) are computed again. Raises PriceError where another
    price was given for a part of its interval.
    """
    row, stored = price.row(), price_rows.of_model(connection, price.provider, price.model)
    others = [other for other in stored if is_declared(other) and not _is_earlier(row, other)]
    _check_free(row, others)
    return _replace(connection, stored, [*others, row], closing_after)


def remove(
    connection: Connection, name: Name, start: datetime | None, closing_after: timedelta = CLOSING_AFTER
) -> list[Change]:
    """Remove the price that was given for a provider's model, and put the package's in its place; raises PriceError.

    ``start`` tells which one; it may be None where there is only one. Open days are as for ``put``.
    """
    stored = price_rows.of_model(connection, *name)
    declared = [row for row in stored if is_declared(row)]
    chosen = [row for row in declared if start is None or row["valid_from"] == int(start.timestamp())]
    if len(chosen) != 1:
        starts = ", ".join(map(date, sorted(row["valid_from"] for row in declared))) or "none"
        problem = f"{' '.join(name)} has {len(chosen)} given prices to remove{_since(start)}."
        raise PriceError(problem, f"Choose one by its start, with --from; there are: {starts}.")
    return _replace(connection, stored, [row for row in declared if row not in chosen], closing_after)


def resolve_new_models(connection: Connection) -> list[Resolved]:
    """Price the names that spans brought for the first time, and the spans that wait; returns what became of each name.

    Meant to be called every few seconds by the admin. A name that nobody knows is remembered and asked for again only
    when the package changes. Running it twice, or beside inserts of the same spans, changes nothing more.
    """
    version = price_book.SOURCE_VERSION
    names = connection.rows(_NEW_NAMES, version=version)
    known = {(row["provider"], row["model"]): price_book.prices(row["provider"], row["model"]) for row in names}
    missed = [{"provider": p, "model": m, "source_version": version} for (p, m), found in known.items() if not found]
    connection.insert("spyglass.model_price_misses", missed)
    price_rows.write(connection, price_rows.model_changes([], _package_rows(sorted(known))))
    if any(known.values()):
        reload_prices(connection)
    if connection.rows(f"SELECT count() AS waiting {_WAITING}")[0]["waiting"]:
        _price_waiting(connection)
    return [_resolved(row, known[row["provider"], row["model"]]) for row in names]


def _price_waiting(connection: Connection) -> None:
    """Write the waiting spans again, with their cost: a row with the same key replaces the earlier one.

    Their traces are marked first, so that their calls are priced too.
    """
    connection.execute(_MARK)
    names = [name for name in columns(connection, "spans") if name != "cost_source"]  # which follows from the cost
    selected = ", ".join(f"{_COST} AS cost_nano_usd" if name == "cost_nano_usd" else f"`{name}`" for name in names)
    listed = ", ".join(f"`{name}`" for name in names)
    connection.execute(f"INSERT INTO spyglass.spans ({listed}) SELECT {selected} {_WAITING}")


_MARK = f"""
INSERT INTO spyglass.dirty_traces (trace_id, started_at, ended_at)
SELECT trace_id, min(timestamp), max(timestamp + toIntervalNanosecond(duration_ns)) {_WAITING} GROUP BY trace_id
"""


def _with_file(declared: list[Row], book: PriceFile) -> list[Row]:
    """Add the file's prices; one that was set by hand and then exported into the file is the file's from now on."""
    by_hand = [row for row in declared if row | {"source": FILE} not in book.models]
    by_name = _by_name(by_hand)
    for row in book.models:
        _check_free(row, by_name.get(_name(row), []))
    return by_hand + book.models


def _around_all(declared: list[Row], names: set[Name]) -> list[Row]:
    by_name = _by_name(declared)
    every = sorted(names)
    return [row for name in every for row in around(by_name.get(name, []), _package_rows([name]))]


def publish(connection: Connection, changes: list[Change], closing_after: timedelta) -> None:
    """Write changes, so that costs are computed with them from now on, and again of the days that are not closed."""
    price_rows.write(connection, changes)
    reload_prices(connection)
    if changes:
        connection.execute(costs.refreshing(closing_after))


def _replace(connection: Connection, stored: list[Row], declared: list[Row], closing_after: timedelta) -> list[Change]:
    names = {*map(_name, stored), *map(_name, declared)}
    changes = price_rows.model_changes(stored, _around_all(declared, names))
    publish(connection, changes, closing_after)
    return changes


def _check_free(row: Row, others: list[Row]) -> None:
    other = overlapping(row, others)
    if other is not None:
        problem = (
            f"{row['provider']} {row['model']} has a price of source {other['source']!r} already, {period(other)}."
        )
        raise PriceError(problem, "Remove that one, or choose an interval beside it.")


def _is_earlier(row: Row, other: Row) -> bool:
    return bool(other["source"] == row["source"] and other["valid_from"] == row["valid_from"])


def _since(start: datetime | None) -> str:
    return f" from {date(start)}" if start else ""


def _by_name(rows: Iterable[Row]) -> dict[Name, list[Row]]:
    found: dict[Name, list[Row]] = {}
    for row in rows:
        found.setdefault(_name(row), []).append(row)
    return found


def _package_rows(wanted: Iterable[Name]) -> list[Row]:
    return [price.row() for provider, model in wanted for price in price_book.prices(provider, model)]


def _name(row: Row) -> Name:
    return row["provider"], row["model"]


def _resolved(row: dict[str, Any], found: list[price_book.Price]) -> Resolved:
    return Resolved(row["provider"], row["model"], row["spans"], found[0].source_model if found else "")
