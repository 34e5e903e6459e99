"""Read and write what people give for a price: decimals of USD, and moments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from spyglass.errors import PriceError
from spyglass.warehouse.price_book import FIRST_DAY, LAST_DAY, Price, Step

OVERRIDE = "override"
FILE = "file"

_DECIMALS = 9
_MOST_DIGITS = 9  # before the point: a billion USD is no price, and a cost of it would not fit into 64 bits
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d))?")


def nano_usd(text: str) -> int:
    """Read a decimal of USD as nano-USD; raises PriceError unless it is finite, from 0 to a billion, 9 decimals."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise PriceError(f"{text!r} is not a number.", "A price is a decimal of USD, such as 2.5.") from None
    if not value.is_finite() or value.is_signed():
        raise PriceError(f"{text} is no price.", "A price is finite and not negative; 0 is free.")
    if value and value.adjusted() >= _MOST_DIGITS:
        raise PriceError(f"{text} USD is too much.", "A price is below a billion USD.")
    # a fraction, because decimals of any length are rounded silently by arithmetic; tiny ones are refused before
    nano = None if value and value.adjusted() < -_DECIMALS else Fraction(value) * 10**_DECIMALS
    if nano is None or nano.denominator != 1:
        raise PriceError(f"{text} has more than {_DECIMALS} decimals.", "Round it: prices are whole nano-USD.")
    return int(nano)


def amount(field: str, text: str) -> int:
    """Read a decimal of USD as nano-USD; raises PriceError that names the field."""
    try:
        return nano_usd(text)
    except PriceError as error:
        raise PriceError(f"{field}: {error.problem}", error.remedy) from None


def check_name(text: str) -> None:
    """Raise PriceError for a name that no span could carry readably."""
    if not text.isprintable():
        raise PriceError(f"{text!r} is no name.", "Names have printable characters only.")


def usd(nano: int) -> str:
    """Write nano-USD as a decimal of USD, exactly and without an exponent."""
    return f"{Decimal(nano).scaleb(-_DECIMALS).normalize():f}"


def moment(text: str) -> datetime:
    """Read a date (midnight, UTC) or an RFC 3339 time; raises PriceError for others, and outside of 1970 to 2105."""
    try:
        found = datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else None
        at = found and (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        at = None
    if at is None:
        raise PriceError(f"{text!r} is no time.", "Write a date (2026-01-31) or a time (2026-01-31T12:00:00Z).")
    if not FIRST_DAY <= at <= LAST_DAY:
        raise PriceError(f"{text} is out of range.", f"Times go from {date(FIRST_DAY)} to {date(LAST_DAY)}.")
    return at


def date(at: datetime | int) -> str:
    """Write a moment (or seconds since 1970) as a date where it is midnight in UTC, else in RFC 3339."""
    whole = datetime.fromtimestamp(at, UTC) if isinstance(at, int) else at
    return f"{whole:%Y-%m-%d}" if whole.timestamp() % 86_400 == 0 else f"{whole:%Y-%m-%dT%H:%M:%SZ}"


def interval(start: str, end: str) -> tuple[datetime, datetime]:
    """Read both ends, the second exclusive; "" is the first day and no end. Raises PriceError where it is empty."""
    first = moment(start) if start else FIRST_DAY
    last = moment(end) if end else LAST_DAY
    if last <= first:
        raise PriceError(f"It ends at {end or date(last)}, not after its start.", "Let it end later than it starts.")
    return first, last


def period(row: Mapping[str, Any]) -> str:
    """Write the interval of a row of prices."""
    end = "" if row["valid_to"] == LAST_DAY.timestamp() else f" until {date(row['valid_to'])}"
    return f"from {date(row['valid_from'])}{end}"


def price(provider: str, model: str, when: tuple[datetime, datetime], texts: Mapping[str, str], source: str) -> Price:
    """Make a price of decimals of USD, by the name of a field of ``Step`` (per million tokens) or ``request``.

    What is absent falls back as in ``price_book``: cached tokens to input, reasoning to output, output to nothing.
    Raises PriceError.
    """
    check_name(provider)
    check_name(model)
    if not model:
        raise PriceError("The model has no name.", "Name it as spans carry it.")
    given = {field: amount(field, text) for field, text in texts.items()}
    incoming, outgoing = given["input"], given.get("output", 0)
    step = Step(
        daily_from=0,
        above=0,
        input=incoming,
        cache_read=given.get("cache_read", incoming),
        cache_write=given.get("cache_write", incoming),
        output=outgoing,
        reasoning=given.get("reasoning", outgoing),
    )
    return Price(provider, model, *when, (step,), given.get("request", 0), "", source, "")
