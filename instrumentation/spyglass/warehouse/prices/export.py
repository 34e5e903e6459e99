"""Write prices as the file that ``file`` reads (YAML, or JSON, which is YAML too), or as CSV for tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import yaml

from spyglass.warehouse.prices.amounts import date, time_of_day, usd
from spyglass.warehouse.prices.book import CONDITIONS, LAST_DAY, TOKENS
from spyglass.warehouse.prices.rows import Row

_COLUMNS = (
    *("provider", "model", "valid_from", "valid_to", *CONDITIONS, *TOKENS, "usd_per_request"),
    *("resource", "label", "usd_per_hour"),
)


def model_entry(row: Row) -> dict[str, Any]:
    """Return a row of ``model_prices`` as an entry of the file; decimals are texts, the end may lack."""
    steps = [_step(row, place) for place in range(len(row["steps.input"]))]
    prices = steps[0] if len(steps) == 1 else steps
    entry = {"provider": row["provider"], "model": row["model"], **_interval(row), "usd_per_million_tokens": prices}
    return entry | ({"usd_per_request": usd(row["request"])} if row["request"] else {})


def resource_entry(row: Row) -> dict[str, Any]:
    """Return a row of ``resource_prices`` as an entry of the file."""
    return {
        "resource": row["resource"],
        "label": row["label"],
        **_interval(row),
        "usd_per_hour": usd(row["nano_usd"]),
    }


def export(models: Iterable[Row], resources: Iterable[Row], form: str) -> str:
    """Write rows in the form ``yaml``, ``json`` or ``csv``, sorted by name and start."""
    entries = {
        "models": [model_entry(row) for row in _sorted(models, "provider", "model")],
        "resources": [resource_entry(row) for row in _sorted(resources, "resource", "label")],
    }
    return _FORMS[form](entries)


def _step(row: Row, place: int) -> dict[str, Any]:
    """Return one step; a condition that all calls meet is left out."""
    tier, seconds, above = (row[f"steps.{name}"][place] for name in CONDITIONS)
    when = {"tier": tier, "daily_from": time_of_day(seconds) if seconds else "", "above": above}
    given = {name: value for name, value in when.items() if value}
    return given | {name: usd(row[f"steps.{name}"][place]) for name in TOKENS}


def _sorted(rows: Iterable[Row], *identity: str) -> list[Row]:
    return sorted(rows, key=lambda row: [row[key] for key in (*identity, "valid_from")])


def _interval(row: Row) -> dict[str, str]:
    end = {"valid_to": date(row["valid_to"])} if row["valid_to"] != LAST_DAY.timestamp() else {}
    return {"valid_from": date(row["valid_from"]), **end}


def _yaml(entries: dict[str, Any]) -> str:
    return yaml.dump(_plain(entries), Dumper=_Dumper, sort_keys=False)


def _plain(value: Any, key: str = "") -> Any:
    """Make the prices numbers, which YAML writes without quotes."""
    if isinstance(value, dict):
        return {name: _plain(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return Decimal(value) if key in TOKENS or key.startswith("usd_") else value


class _Dumper(yaml.SafeDumper):
    """Write decimals as they are."""


def _number(dumper: _Dumper, value: Decimal) -> yaml.ScalarNode:
    text = f"{value:f}"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in text else 'int'}", text)


_Dumper.add_representer(Decimal, _number)


def _json(entries: dict[str, Any]) -> str:
    # not as ASCII: what JSON escapes as a pair of surrogates, YAML reads as two characters
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"


def _csv(entries: dict[str, Any]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for entry in entries["models"]:
        prices = entry.pop("usd_per_million_tokens")
        writer.writerows(entry | step for step in (prices if isinstance(prices, list) else [prices]))
    writer.writerows(entries["resources"])
    return text.getvalue()


_FORMS: dict[str, Callable[[dict[str, Any]], str]] = {"yaml": _yaml, "json": _json, "csv": _csv}
FORMS = tuple(_FORMS)
