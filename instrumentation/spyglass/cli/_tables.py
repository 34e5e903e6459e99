"""Print answers of the warehouse as tables for people."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

_NOTHING = "-"
_MONEY = "_nano_usd"
_NANO = 10**9
_MOST_CHARACTERS = 60


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows that have the same columns, or say on standard error that there are none.

    Columns that end with ``_nano_usd`` become decimals of USD; long texts are cut; what is unknown is a dash.
    """
    if not rows:
        print("No rows.", file=sys.stderr)
        return
    names = list(rows[0])
    heads = [name.removesuffix(_MONEY) + "_usd" if name.endswith(_MONEY) else name for name in names]
    lines = [heads, *([_word(name, row[name]) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = [any(isinstance(row[name], int | float) for row in rows) for name in names]
    for line in lines:
        cells = (
            word.rjust(width) if number else word.ljust(width)
            for word, width, number in zip(line, widths, right, strict=True)
        )
        print("  ".join(cells).rstrip())


def _word(name: str, value: object) -> str:
    if value is None:
        return _NOTHING
    if name.endswith(_MONEY) and isinstance(value, int):
        return f"{Decimal(value) / _NANO:f}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}" + (f".{value.microsecond // 1000:03d}" if value.microsecond else "")
    if isinstance(value, list | tuple):
        return _short(", ".join(str(item) for item in value))
    return _short(str(value))


def _short(text: str) -> str:
    line = "".join(character if character.isprintable() else " " for character in text)
    return (line if len(line) <= _MOST_CHARACTERS else f"{line[: _MOST_CHARACTERS - 1]}…") or _NOTHING
