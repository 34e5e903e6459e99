"""Answer questions about prices, as rows that become JSON: decimals of USD are texts, times are texts in UTC."""

from __future__ import annotations

import json
from typing import Any

from spyglass.warehouse.connection import Connection
from spyglass.warehouse.prices import rows as price_rows
from spyglass.warehouse.prices.amounts import date, usd
from spyglass.warehouse.prices.book import CONDITIONS, LAST_DAY, TOKENS
from spyglass.warehouse.prices.rows import Change, Row

# a name whose spans have a price at their time waits for its cost, which comes within seconds: it is not unpriced
_UNPRICED = """
SELECT provider, model, count() AS calls, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens
FROM spyglass.spans FINAL
WHERE cost_source = 'unpriced' AND model != ''
    AND positionCaseInsensitiveUTF8(provider, {provider:String}) > 0
    AND positionCaseInsensitiveUTF8(model, {model:String}) > 0
    AND empty(dictGetOrDefault('spyglass.price', 'input', (toString(provider), toString(model)), toDateTime(timestamp),
        []::Array(Int64)))
GROUP BY provider, model
ORDER BY calls DESC, provider, model
"""
_HISTORY = """
SELECT formatDateTime(at, '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS at, who, action, row
FROM spyglass.price_changes
WHERE provider = {provider:String} AND model = {model:String} AND resource = ''
ORDER BY price_changes.at DESC, valid_from DESC
"""


def current(connection: Connection, provider: str, model: str, now: float) -> list[Row]:
    """Return the prices at this moment of the names that contain these words, in any case; "" is in all."""
    rows = [
        row
        for row in price_rows.models(connection)
        if row["valid_from"] <= now < row["valid_to"]
        and provider.lower() in row["provider"].lower()
        and model.lower() in row["model"].lower()
    ]
    return [described(row) for row in sorted(rows, key=lambda row: (row["provider"], row["model"]))]


def unpriced(connection: Connection, provider: str, model: str) -> list[Row]:
    """Return the names that spans carry without a price at their time, with calls and tokens (None: unknown)."""
    return connection.rows(_UNPRICED, provider=provider, model=model)


def history(connection: Connection, provider: str, model: str) -> list[Row]:
    """Return every change of a model's prices since changes are kept, newest first: at, who, action and the price."""
    rows = connection.rows(_HISTORY, provider=provider, model=model)
    return [{key: row[key] for key in ("at", "who", "action")} | described(json.loads(row["row"])) for row in rows]


def change(found: Change) -> Row:
    """Return what would become of a row: action and the price."""
    return {"action": found.action} | described(found.row)


def described(row: Row) -> Row:
    """Return a row of a price table for people and scripts; an end that is not known is None.

    The prices of a model are a list of steps, of which most models have one: USD per million tokens for calls of a tier
    ("" is the standard, which comes first), from a second of the day on (UTC), with more than so many input tokens.
    """
    end = None if row["valid_to"] == LAST_DAY.timestamp() else date(row["valid_to"])
    ends = {"valid_from": date(row["valid_from"]), "valid_to": end, "source": row["source"]}
    if "resource" in row:
        return {"resource": row["resource"], "label": row["label"], **ends, "usd_per_hour": usd(row["nano_usd"])}
    steps = [_step(row, place) for place in range(len(row["steps.input"]))]
    named = {"provider": row["provider"], "model": row["model"]}
    return named | ends | {"usd_per_million_tokens": steps, "usd_per_request": usd(row["request"])}


def _step(row: Row, place: int) -> dict[str, Any]:
    when = {name: row[f"steps.{name}"][place] for name in CONDITIONS}
    return when | {name: usd(row[f"steps.{name}"][place]) for name in TOKENS}
