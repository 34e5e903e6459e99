"""Turn any object into JSON, within bounds and without ever raising."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import date, time
from enum import Enum
from operator import index
from types import UnionType
from typing import Any

MAX_NODES = 10_000
MAX_DEPTH = 32
WHOLE_TO_TEXT = 4  # all strings of one object together are kept up to this many times the limit of one
_CUT = "…"
_MARGIN = 256  # characters; longer than what any pattern needs to recognise the beginning of a secret
_MAX_INTEGER_BITS = 256
_SEQUENCES = (list, tuple, set, frozenset, deque)

Redact = Callable[[str], str]


class Jsonable:
    """Convert objects to JSON's types, once; ``truncated`` says whether anything was left out.

    A string keeps ``limit`` characters, all strings together four times as many; None keeps all. Beyond 10,000 values
    or 32 levels an object is cut, and a cycle, an unreadable or unknown object is replaced by a word about it.
    """

    def __init__(self, limit: int | None, redact: Redact | None = None) -> None:
        self.truncated = False
        self._limit = limit
        self._redact = redact
        self._nodes = MAX_NODES
        self._characters = math.inf if limit is None else limit * WHOLE_TO_TEXT
        self._path: set[int] = set()

    def __call__(self, value: Any, depth: int = 0) -> Any:
        """Return the value in JSON's types."""
        if value is None or value is True or value is False:
            return value
        kind = type(value)
        if kind is str:
            return self.text(value)
        if kind is int:
            return self._integer(value)
        if kind is float:
            return value if math.isfinite(value) else str(value)
        return self._object(value, depth)

    def text(self, text: str) -> str:
        """Return the text, cut to the limit; a secret that the cut would halve is redacted before."""
        if self._limit is None:
            return text
        limit = int(min(self._limit, self._characters))
        if len(text) > limit:
            self.truncated = True
            text = self._cut(text, limit)
        self._characters -= len(text)
        return text

    def _cut(self, text: str, limit: int) -> str:
        if self._redact is None:
            return text[:limit]
        redacted = self._redact(text[: limit + _MARGIN])
        return redacted[: max(0, min(limit, len(redacted) - _MARGIN))]

    def _integer(self, value: int) -> int | str:
        if value.bit_length() > _MAX_INTEGER_BITS:
            return hex(value)[:_MAX_INTEGER_BITS]
        # A card number is redacted as text; as a bare number it would leave broken JSON behind.
        digits = str(value)
        return digits if self._redact is not None and self._redact(digits) != digits else value

    def _object(self, value: Any, depth: int) -> Any:
        self._nodes -= 1
        if self._nodes < 0 or depth >= MAX_DEPTH:
            self.truncated = True
            return _CUT
        if id(value) in self._path:
            return "<cycle>"
        self._path.add(id(value))
        try:
            return self._convert(value, depth)
        except Exception:  # noqa: BLE001 -- a stranger's object may raise anything when it is read
            return f"<unreadable {type(value).__name__}>"
        finally:
            self._path.discard(id(value))

    def _convert(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            return self._mapping(value.items(), depth)
        if isinstance(value, _SEQUENCES):
            return self._sequence(value, depth)
        if isinstance(value, type):
            return self.text(value.__name__)
        if dataclasses.is_dataclass(value):
            return self._mapping(
                ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value)), depth
            )
        return self(_simpler(value), depth + 1)

    def _mapping(self, items: Iterable[tuple[object, Any]], depth: int) -> dict[str, Any]:
        converted: dict[str, Any] = {}
        for key, item in items:
            if self._spent():
                break
            converted[self.text(key if type(key) is str else str(key))] = self(item, depth + 1)
        return converted

    def _sequence(self, items: Iterable[Any], depth: int) -> list[Any]:
        converted: list[Any] = []
        for item in items:
            if self._spent():
                converted.append(_CUT)
                break
            converted.append(self(item, depth + 1))
        return converted

    def _spent(self) -> bool:
        self._nodes -= 1
        if self._nodes < 0:
            self.truncated = True
        return self._nodes < 0


def _simpler(value: Any) -> Any:
    """Return a value that says the same in simpler types; in the end its text."""
    for kind, simplify in _SIMPLER:
        if isinstance(value, kind):
            return simplify(value)
    if callable(dump := getattr(value, "model_dump", None)):  # pydantic, and so the clients of OpenAI and Anthropic
        return dump()
    return index(value) if hasattr(value, "__index__") else str(value)


_SIMPLER: tuple[tuple[type | UnionType, Callable[[Any], Any]], ...] = (
    (bytes | bytearray | memoryview, lambda value: f"<{len(value)} bytes>"),
    (Enum, lambda value: value.value),
    # Subclasses of builtin types, whatever they override.
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (date | time, lambda value: value.isoformat()),
)


def encode(value: Any) -> str:
    """Return JSON text of a value in JSON's types."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def safe_text(value: object) -> str:
    """Return str(value), or a word about it where that raises."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 -- a stranger's __str__ may raise anything
        return f"<unprintable {type(value).__name__}>"
