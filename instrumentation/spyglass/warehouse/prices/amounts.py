"""Read and write what people give for a price: decimals of USD, moments, and steps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from spyglass.errors import PriceError
from spyglass.warehouse.prices.book import CONDITIONS, FIRST_DAY, LAST_DAY, STANDARD, Price, Step

OVERRIDE = "override"
FILE = "file"

_DECIMALS = 9
_MOST_DIGITS = 9  # before the point: a billion USD is no price, and a cost of it would not fit into 64 bits
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d))?")
_TIER = re.compile(r"[a-z0-9_.-]{0,64}")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
_COUNT = re.compile(r"\d{1,12}")


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
    """Make a price without tiers of decimals of USD, by a name of ``book.TOKENS`` (per million) or ``request``.

    What is absent falls back as in ``book``: cached tokens to input, reasoning to output, output to nothing. Raises
    PriceError.
    """
    tokens = {name: text for name, text in texts.items() if name != "request"}
    return stepped_price((provider, model), when, [tokens], texts.get("request", "0"), source)


def stepped_price(
    name: tuple[str, str],
    when: tuple[datetime, datetime],
    steps: Sequence[Mapping[str, str]],
    request: str,
    source: str,
) -> Price:
    """Make a price of steps: each has prices, and for which tier, time of the day and size of the input they hold.

    ``name`` is provider and model. Without ``tier`` it is the standard; ``daily_from`` is a time of the day in UTC
    (08:30), ``above`` a count of input tokens that a call has to exceed. Raises PriceError for steps that are equal,
    and where a call could find none.
    """
    for word in name:
        check_name(word)
    if not name[1]:
        raise PriceError("The model has no name.", "Name it as spans carry it.")
    made = sorted((_step(step) for step in steps), key=lambda step: step.order)
    _check_steps(made)
    return Price(*name, *when, tuple(made), amount("request", request), "", source, "")


def time_of_day(seconds: int) -> str:
    """Write seconds since midnight as a time of the day, with seconds only where there are any."""
    return f"{time(seconds // 3600, seconds // 60 % 60, seconds % 60):%H:%M:%S}".removesuffix(":00")


def _step(texts: Mapping[str, str]) -> Step:
    given = {field: amount(field, text) for field, text in texts.items() if field not in CONDITIONS}
    incoming, outgoing = given["input"], given.get("output", 0)
    read, write = given.get("cache_read", incoming), given.get("cache_write", incoming)
    audio = given.get("audio_input", incoming)
    return Step(
        tier=_tier(texts.get("tier", STANDARD)),
        daily_from=_seconds(texts.get("daily_from", "00:00")),
        above=_above(texts.get("above", "0")),
        input=incoming,
        cache_read=read,
        cache_write=write,
        cache_write_1h=given.get("cache_write_1h", write),
        output=outgoing,
        reasoning=given.get("reasoning", outgoing),
        audio_input=audio,
        audio_cache_read=given.get("audio_cache_read", read if "cache_read" in given else audio),
        audio_output=given.get("audio_output", outgoing),
    )


def _tier(text: str) -> str:
    if not _TIER.fullmatch(text):
        raise PriceError(f"tier: {text!r} is no name of a tier.", "Write it in small letters, such as batch.")
    return text


def _seconds(text: str) -> int:
    if not _TIME.fullmatch(text):
        raise PriceError(f"daily_from: {text!r} is no time of the day.", "Write it in UTC, from 00:00 to 23:59:59.")
    found = time.fromisoformat(text)
    return found.hour * 3600 + found.minute * 60 + found.second


def _above(text: str) -> int:
    if not _COUNT.fullmatch(text):
        raise PriceError(f"above: {text!r} is no count of tokens.", "Write a whole number, such as 200000.")
    return int(text)


def _check_steps(steps: Sequence[Step]) -> None:
    """Raise PriceError unless every call finds exactly one step of the standard, and of each tier that there is."""
    ranges: dict[tuple[str, int], list[int]] = {}
    for step in steps:
        ranges.setdefault((step.tier, step.daily_from), []).append(step.above)
    for (tier, seconds), counts in ranges.items():
        where = f"{tier or 'the standard'} from {time_of_day(seconds)}"
        if len(counts) != len(set(counts)):
            raise PriceError(f"Two steps of {where} begin above the same input.", "Remove one of them.")
        if 0 not in counts:
            raise PriceError(f"There is no price of {where} for small inputs.", "Add a step without above.")
    for tier in {STANDARD, *(step.tier for step in steps)}:
        if (tier, 0) not in ranges:
            problem = f"There is no price of {tier or 'the standard'} at midnight."
            raise PriceError(problem, "Add a step without daily_from.")
