"""Compare what calls cost, as computed, with what a provider billed: per day and model, in decimals of USD."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.prices import book
from spyglass.warehouse.prices.invoice import Line

_COMPANIES = {"amazon web services": "aws", "google cloud": "google", "microsoft": "azure", "mistral ai": "mistral"}
_HUNDRED = Decimal(100)
_NOTHING = Decimal(0)
_COMPUTED = """
SELECT
    toString(toDate(started_at)) AS day, provider, model, count() AS calls, countIf(cost_nano_usd IS NULL) AS unpriced,
    sum(cost_nano_usd) AS nano_usd
FROM spyglass.llm_calls FINAL
WHERE started_at >= toDateTime({first:Date}, 'UTC') AND started_at < toDateTime({end:Date}, 'UTC')
    AND provider IN {providers:Array(String)} AND NOT demo
GROUP BY day, provider, model
"""
_PROVIDERS = """
SELECT DISTINCT provider FROM spyglass.llm_calls
WHERE started_at >= toDateTime({first:Date}, 'UTC') AND started_at < toDateTime({end:Date}, 'UTC')
"""


class Comparison(NamedTuple):
    """Hold both sides of one day and model; a side without it is None. ``unpriced`` calls are in no cost."""

    day: date
    model: str
    calls: int
    unpriced: int
    computed_usd: Decimal | None
    billed_usd: Decimal | None

    @property
    def difference_usd(self) -> Decimal:
        """Return what was computed above what was billed."""
        return (self.computed_usd or _NOTHING) - (self.billed_usd or _NOTHING)

    @property
    def difference_percent(self) -> Decimal | None:
        """Return the difference in percent of what was billed; None where that is nothing."""
        return self.difference_usd / self.billed_usd * _HUNDRED if self.billed_usd else None

    def is_within(self, percent: Decimal) -> bool:
        """Say whether the sides differ by at most so much of what was billed; one side alone is never within."""
        return abs(self.difference_usd) * _HUNDRED <= percent * abs(self.billed_usd or _NOTHING)


class Reconciliation(NamedTuple):
    """Hold the comparisons, sorted by day and model, and what was billed for no use of a model."""

    comparisons: list[Comparison]
    other_usd: Decimal

    @property
    def total(self) -> Comparison:
        """Return the sum of all."""
        every = self.comparisons
        return Comparison(
            every[0].day,
            "",
            sum(each.calls for each in every),
            sum(each.unpriced for each in every),
            _sum(each.computed_usd for each in every),
            _sum(each.billed_usd for each in every),
        )


def reconcile(warehouse: Warehouse, lines: Sequence[Line], provider: str = "") -> Reconciliation:
    """Compare the days of an invoice, for the providers that it names, or for this one as spans carry it.

    Both sides are put under the name that the package has for a model, where it knows one, so that dated names, aliases
    and names for people ("Claude Haiku 4.5") meet. Demo calls are left out.
    """
    first, last = min(line.day for line in lines), max(line.day for line in lines)
    days: dict[str, object] = {"first": first, "end": last + timedelta(days=1)}
    named = {provider} if provider else {line.provider for line in lines}
    wanted = {_identifier(name) for name in named}
    spelled = [row["provider"] for row in warehouse.rows(_PROVIDERS, **days) if _identifier(row["provider"]) in wanted]
    computed = warehouse.rows(_COMPUTED, **days, providers=spelled)
    sides: dict[tuple[date, str], Comparison] = {}
    for row in computed:
        nano = row["nano_usd"]
        usd = None if nano is None else Decimal(nano).scaleb(-9)
        day = date.fromisoformat(row["day"])
        _add(sides, Comparison(day, canonical(row["provider"], row["model"]), row["calls"], row["unpriced"], usd, None))
    for line in lines:
        if line.model:
            _add(sides, Comparison(line.day, canonical(provider or line.provider, line.model), 0, 0, None, line.usd))
    other = sum((line.usd for line in lines if not line.model), _NOTHING)
    return Reconciliation([sides[key] for key in sorted(sides)], other)


def canonical(provider: str, model: str) -> str:
    """Return the package's name of a model (provider/model), else the provider and the name as they are."""
    identifier = _identifier(provider)
    slug = re.sub(r"\s+", "-", model.strip().lower())
    for name in (model, slug, slug.replace(".", "-")):
        found = book.prices(identifier, name)
        if found:
            return found[0].source_model
    return f"{identifier}/{model}"


def _identifier(provider: str) -> str:
    """Return the package's id of a provider, of which an invoice may have the company's name (OpenAI, LLC)."""
    word = provider.strip().lower().split(",", maxsplit=1)[0]
    return book.provider_id(_COMPANIES.get(word, word))


def _add(sides: dict[tuple[date, str], Comparison], found: Comparison) -> None:
    key = (found.day, found.model)
    before = sides.get(key, Comparison(*key, 0, 0, None, None))
    sides[key] = Comparison(
        *key,
        before.calls + found.calls,
        before.unpriced + found.unpriced,
        _sum((before.computed_usd, found.computed_usd)),
        _sum((before.billed_usd, found.billed_usd)),
    )


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, _NOTHING) if known else None


def described(found: Comparison) -> dict[str, Any]:
    """Return a comparison for people and scripts; decimals are texts, and coverage is the share of calls priced."""
    percent = found.difference_percent
    return {
        "day": found.day.isoformat(),
        "model": found.model,
        "calls": found.calls,
        "unpriced_calls": found.unpriced,
        "coverage": round(1 - found.unpriced / found.calls, 4) if found.calls else None,
        "usd_computed": _text(found.computed_usd),
        "usd_billed": _text(found.billed_usd),
        "usd_difference": _text(found.difference_usd),
        "percent": None if percent is None else f"{percent:.2f}",
        "side": _side(found),
    }


def _side(found: Comparison) -> str:
    if found.billed_usd is None:
        return "computed only"
    return "both" if found.calls else "billed only"


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"
