"""Turn what somebody gives for the parameters of a question into what the server binds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from spyglass.errors import QuestionError
from spyglass.warehouse.questions.header import Parameter, Question

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"-?(\d{1,6})([smhdw])")
_MOST_UINT32 = 2**32 - 1
# Before and after these ClickHouse's DateTime, which the tables of totals have, wraps around.
_FIRST, _LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2106, 1, 1, tzinfo=UTC)


def bind(question: Question, values: Mapping[str, object], now: datetime | None = None) -> dict[str, str]:
    """Return a text for each parameter, its default where no value is given.

    A moment is a datetime (naive: UTC) or a text: ``now``, ``-24h`` or ``24h`` (ago; s, m, h, d or w), a date, or RFC
    3339, in which UTC may be left out. Raises QuestionError where a value is missing, unknown or not of its type, and
    where the range that ``since`` and ``until`` name is empty.
    """
    known = {parameter.name for parameter in question.parameters}
    for name in values:
        if name not in known:
            takes = f"It takes {', '.join(sorted(known))}." if known else "It takes none."
            raise QuestionError(f"{question.name} has no parameter {name!r}.", takes)
    moment = now or datetime.now(UTC)
    bound = {parameter.name: _value(question, parameter, values, moment) for parameter in question.parameters}
    if "since" in bound and "until" in bound and bound["since"] >= bound["until"]:
        raise QuestionError(f"since ({bound['since']}) is not before until ({bound['until']}).")
    return bound


def _value(question: Question, parameter: Parameter, values: Mapping[str, object], now: datetime) -> str:
    given = values.get(parameter.name, parameter.default)
    if given is None:
        raise QuestionError(f"{question.name} needs a value for {parameter.name}: {parameter.sentence}.")
    return _TYPES[parameter.type](parameter.name, given, now)


def _text(name: str, given: object, _: datetime) -> str:
    if "\0" in str(given):
        raise QuestionError(f"{name} holds a byte that no text has: NUL.")
    return str(given)


def _number(name: str, given: object, _: datetime) -> str:
    text = str(given)
    if not (text.isascii() and text.isdecimal() and int(text) <= _MOST_UINT32):
        raise QuestionError(f"{name} is no whole number between 0 and {_MOST_UINT32}: {text[:40]!r}.")
    return str(int(text))


def _moment(name: str, given: object, now: datetime) -> str:
    found = given if isinstance(given, datetime) else _read(name, str(given), now)
    moment = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    if not _FIRST <= moment < _LAST:
        raise QuestionError(f"{name} is not between {_FIRST:%Y} and {_LAST:%Y}: {given}.")
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"


def _read(name: str, text: str, now: datetime) -> datetime:
    ago = _AGO.fullmatch(text)
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return now if text == "now" else datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise QuestionError(
            f"{name} is no moment: {text[:40]!r}.", "It looks like now, -24h, 2026-01-31 or 2026-01-31T12:00:00Z."
        ) from None


_TYPES: dict[str, Callable[[str, object, datetime], str]] = {
    "String": _text,
    "UInt32": _number,
    "DateTime64(3, 'UTC')": _moment,
}
