"""Read what a provider billed, from the CSV that it exports: one line per day and model, in decimals of USD.

The forms are in ``FORMS``: the cost exports of OpenAI's and Anthropic's consoles, and FOCUS 1.x, which clouds export.
What is billed for a whole day or less counts on the day (UTC) on which it starts.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from spyglass.errors import InputFileError, PriceError

_MOST_DIGITS = 12
_DAY = timedelta(days=1)
_HINT = "Export it again with costs per day and model."


class Form(NamedTuple):
    """Name the columns of an export; of several for one thing, the first that is not empty counts.

    ``currency`` "" is USD by the name of the column. ``usage`` holds, per column, the words (in small letters) that
    tell what models used from taxes, credits and searches. ``model`` may be followed by what ``tail`` matches.
    ``provider`` is a name, or the columns that have it.
    """

    name: str
    start: str
    end: str
    amount: str
    currency: str
    model: tuple[str, ...]
    provider: str | tuple[str, ...]
    usage: Mapping[str, tuple[str, ...]]
    tail: str = ""

    @property
    def needed(self) -> set[str]:
        """Return the columns without which this is another form."""
        return {name for name in (self.start, self.end, self.amount, self.currency, self.model[-1]) if name}


FORMS = (
    Form(
        name="OpenAI costs",
        start="start_time",
        end="end_time",
        amount="amount_value",
        currency="amount_currency",
        model=("line_item",),
        provider="openai",
        usage={},
        tail=r",\s*[a-z0-9 _-]+$",  # gpt-5-mini-2025-08-07, cached input
    ),
    Form(
        name="Anthropic costs",
        start="usage_date_utc",
        end="",
        amount="cost_usd",
        currency="",
        model=("model",),
        provider="anthropic",
        usage={"cost_type": ("", "token", "tokens")},
    ),
    Form(
        name="FOCUS",
        start="ChargePeriodStart",
        end="ChargePeriodEnd",
        amount="BilledCost",
        currency="BillingCurrency",
        model=("x_Model", "ResourceName", "SkuId"),
        provider=("ServiceProviderName", "ProviderName", "ServiceName"),
        usage={"ChargeCategory": ("", "usage")},
    ),
)


class Line(NamedTuple):
    """Hold what was billed for one model on one day; ``model`` "" where it was for no use of a model."""

    day: date
    provider: str
    model: str
    usd: Decimal


def read(path: str) -> list[Line]:
    """Read an invoice; raises InputFileError with the line of the first thing that is wrong."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputFileError(path, f"it cannot be read ({error.strerror}).") from None
    except ValueError:
        raise InputFileError(path, "it is not text.", "Save it as CSV in UTF-8.") from None
    return parse(text, path)


def parse(text: str, path: str) -> list[Line]:
    """Read the text of an invoice; lines without an amount are left out. Raises InputFileError."""
    rows = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
    try:
        form = _form(rows.fieldnames or [])
        lines = list(_lines(rows, form))
    except csv.Error as error:
        raise InputFileError(path, f"line {rows.line_num} is no CSV ({error}).") from None
    except PriceError as error:
        raise InputFileError(path, error.problem, error.remedy) from None
    if not any(line.model for line in lines):
        raise InputFileError(path, "it bills no model.", _HINT)
    return lines


def _form(found: Sequence[str]) -> Form:
    for form in FORMS:
        if form.needed <= set(found):
            return form
    looked_for = "; ".join(f"{form.name}: {', '.join(sorted(form.needed))}" for form in FORMS)
    problem = f"it is no export that is known: its columns are {', '.join(found) or 'none'}."
    raise PriceError(problem, f"These were looked for: {looked_for}.")


def _lines(rows: csv.DictReader[str], form: Form) -> Iterator[Line]:
    for row in rows:
        if row[form.amount]:
            try:
                yield _line(row, form)
            except PriceError as error:
                raise PriceError(f"line {rows.line_num}: {error.problem}", error.remedy) from None


def _line(row: Mapping[str, str], form: Form) -> Line:
    currency = row[form.currency] if form.currency else "USD"
    if currency.upper() != "USD":
        raise PriceError(f"it is billed in {currency or 'no currency'}.", "Only USD can be compared.")
    start = _moment(row[form.start])
    if form.end and _moment(row[form.end]) - start > _DAY:
        raise PriceError(f"it bills from {row[form.start]} to {row[form.end]}, more than a day.", _HINT)
    names = (form.provider,) if isinstance(form.provider, str) else [row.get(name, "") for name in form.provider]
    used = all(row.get(name, "").lower() in words for name, words in form.usage.items())
    model = next((row[name] for name in form.model if row.get(name)), "")
    provider = next(filter(None, names), "")
    return Line(start.date(), provider, re.sub(form.tail, "", model) if used else "", _amount(row[form.amount]))


def _amount(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value.adjusted() > _MOST_DIGITS:
        raise PriceError(f"{text!r} is no amount of money.", "It is a decimal such as 12.50.")
    return value


def _moment(text: str) -> datetime:
    """Read a date, an ISO 8601 time, or seconds since 1970; a time without a zone is UTC."""
    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text), UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise PriceError(f"{text!r} is no time.", "It is a date, an ISO 8601 time or seconds since 1970.") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
