"""Bring any value into a form that OpenTelemetry takes as an attribute in every version, without ever raising."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from spyglass.sdk.jsonable import Jsonable, Redact, encode, safe_text

SCALARS = frozenset((str, bool, float))
LONGEST = 65_536  # characters of one attribute that is no content
_INT64 = 2**63
_STACK_LIMIT = 16_384  # characters of a stack trace; the end of it says what happened


def cleaned(attributes: Mapping[str, Any], clean: Redact | None) -> dict[str, Any]:
    """Return attributes that OpenTelemetry takes in every version: scalars and lists of them, the rest as JSON."""
    result: dict[str, Any] = {}
    for key, value in attributes.items():
        if value is None:
            continue
        kept = value if value.__class__ in SCALARS else attribute_value(value)
        if clean is not None and kept.__class__ is str:
            kept = clean(kept)
        result[key if key.__class__ is str else safe_text(key)] = kept
    return result


def attribute_value(value: Any) -> Any:
    """Return a value that is not None as OpenTelemetry takes it."""
    if value.__class__ is int:
        return value if -_INT64 <= value < _INT64 else hex(value)[:LONGEST]
    if isinstance(value, list | tuple) and value and _is_uniform(value):
        return list(value)
    plain = Jsonable(LONGEST)(value)
    return plain if isinstance(plain, str | bool | int | float) else encode(plain)


def _is_uniform(value: list[Any] | tuple[Any, ...]) -> bool:
    kind = value[0].__class__
    if kind is int:
        return all(item.__class__ is int and -_INT64 <= item < _INT64 for item in value)
    return kind in SCALARS and all(item.__class__ is kind for item in value)


def qualified(kind: type) -> str:
    """Return a class's name with its module, as OpenTelemetry writes exception types."""
    return kind.__qualname__ if kind.__module__ in (None, "builtins") else f"{kind.__module__}.{kind.__qualname__}"


def stack_trace(error: BaseException) -> str:
    """Return the stack trace as text, or nothing where it cannot be written."""
    try:
        return "".join(traceback.format_exception(error))[-_STACK_LIMIT:]
    except Exception:  # noqa: BLE001 -- a stranger's __str__ or a broken source line may raise anything
        return ""
