"""Keep the price table complete: with the package's prices at start, with names that spans bring from then on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from spyglass.warehouse import price_book
from spyglass.warehouse.connection import Connection
from spyglass.warehouse.dictionaries import reload_prices

_STORED = """
SELECT provider, model, toUnixTimestamp(valid_from) AS valid_from, toUnixTimestamp(valid_to) AS valid_to,
    steps.daily_from, steps.above, steps.input, steps.cache_read, steps.cache_write, steps.output, steps.reasoning,
    request, source, source_model, source_version
FROM spyglass.model_prices FINAL
WHERE source = {source:String}
"""
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


def synchronise(connection: Connection) -> int:
    """Write the package's prices where they differ from the table's; returns how many rows that were.

    Names that spans brought are matched again, because a newer package may know them better.
    """
    stored = {_key(row): row for row in connection.rows(_STORED, source=price_book.SOURCE)}
    wanted_names = {*price_book.names(), *((provider, model) for provider, model, _ in stored)}
    wanted = {_key(row): row for row in _rows(sorted(wanted_names))}
    changed = [row | {"is_deleted": 0} for key, row in wanted.items() if stored.get(key) != row]
    gone = [row | {"is_deleted": 1} for key, row in stored.items() if key not in wanted]
    connection.insert("spyglass.model_prices", changed + gone)
    return len(changed) + len(gone)


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
    connection.insert("spyglass.model_prices", [price.row() for found in known.values() for price in found])
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
    columns = [row["name"] for row in connection.rows(_COLUMNS)]
    selected = ", ".join(f"{_COST} AS cost_nano_usd" if name == "cost_nano_usd" else f"`{name}`" for name in columns)
    listed = ", ".join(f"`{name}`" for name in columns)
    connection.execute(f"INSERT INTO spyglass.spans ({listed}) SELECT {selected} {_WAITING}")


_MARK = f"""
INSERT INTO spyglass.dirty_traces (trace_id, started_at, ended_at)
SELECT trace_id, min(timestamp), max(timestamp + toIntervalNanosecond(duration_ns)) {_WAITING} GROUP BY trace_id
"""
# cost_source is left out: it follows from the cost
_COLUMNS = """
SELECT name FROM system.columns
WHERE database = 'spyglass' AND table = 'spans' AND name != 'cost_source'
ORDER BY position
"""


def _rows(wanted: Iterable[tuple[str, str]]) -> list[dict[str, object]]:
    return [price.row() for provider, model in wanted for price in price_book.prices(provider, model)]


def _key(row: dict[str, Any]) -> tuple[str, str, object]:
    return row["provider"], row["model"], row["valid_from"]


def _resolved(row: dict[str, Any], found: list[price_book.Price]) -> Resolved:
    return Resolved(row["provider"], row["model"], row["spans"], found[0].source_model if found else "")
