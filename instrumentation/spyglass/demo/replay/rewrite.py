"""Give recordings other times or other ids, keeping everything that hangs together together."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple

from spyglass.demo.replay.recordings import JSON
from spyglass.errors import UsageError

# In OTLP/JSON every object key is a field of the protocol (attribute names are values), so a key's name is enough.
TIME_KEYS = frozenset({"startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "observedTimeUnixNano"})
ID_BYTES = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
HEXADECIMAL = re.compile(r"[0-9a-fA-F]*")
LATEST = 2**64 - 1


class Ids:
    """Give every old id a new one, the same in all files: trace, span, parent and link ids stay joined.

    A new id is a keyed BLAKE2 hash of the old one, so nothing is remembered however long the recording is. ``key``
    makes the mapping repeatable; each object has its own by default.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(16)

    def renew(self, old: str, size: int) -> str:
        """Return the new id of ``size`` bytes, in hexadecimal."""
        return hashlib.blake2b(old.lower().encode(), key=self._key, digest_size=size).hexdigest()


class Period(NamedTuple):
    """Hold the earliest and the latest time of something, in nanoseconds since 1970."""

    oldest: int
    newest: int


def times(document: JSON) -> Period | None:
    """Return the earliest and the latest time in a request; None when it has none."""
    found = [time for _, _, time in _times(document)]
    return Period(min(found), max(found)) if found else None


def shift(document: JSON, nanoseconds: int) -> None:
    """Move all times of a request, in place; absent times (0) stay absent."""
    for holder, key, time in _times(document):
        holder[key] = str(time + nanoseconds)


def renew_ids(document: JSON, ids: Ids) -> None:
    """Give a request new ids, in place; absent ids stay absent."""
    for holder, key, old in _ids(document):
        holder[key] = ids.renew(old, ID_BYTES[key])


def check_ids(document: JSON) -> None:
    """Raise UsageError when an id is not what OTLP/JSON wants."""
    for _, key, value in _ids(document):
        if len(value) != 2 * ID_BYTES[key] or not HEXADECIMAL.fullmatch(value):
            raise UsageError(f"{key} {value!r} is not {2 * ID_BYTES[key]} hexadecimal digits, as OTLP/JSON wants.")


def _ids(document: JSON) -> Iterator[tuple[JSON, str, str]]:
    for holder, key, value in _fields(document):
        if key in ID_BYTES and value:
            yield holder, key, str(value)


def _times(document: JSON) -> Iterator[tuple[JSON, str, int]]:
    for holder, key, value in _fields(document):
        if key in TIME_KEYS:
            time = _time(key, value)
            if time:
                yield holder, key, time


def _time(key: str, value: object) -> int:
    try:
        time = int(str(value or 0))
    except ValueError:
        time = -1
    if not 0 <= time <= LATEST:
        raise UsageError(f"{key} {value!r} is no time in nanoseconds since 1970.")
    return time


def _fields(document: JSON) -> Iterator[tuple[JSON, str, Any]]:
    waiting: list[Any] = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            for key, value in list(node.items()):
                if isinstance(value, dict | list):
                    waiting.append(value)
                else:
                    yield node, key, value
