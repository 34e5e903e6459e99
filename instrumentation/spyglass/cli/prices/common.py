"""Share what the commands about prices have in common: options, the connection, and tables."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from spyglass.cli.warehouse import running
from spyglass.settings import Settings, load

if TYPE_CHECKING:
    from spyglass.warehouse.client import Warehouse
    from spyglass.warehouse.prices.rows import PriceFile

_NO_CONTENT = "-"


def add_command(commands: Any, name: str, sentence: str, command: Callable[..., int]) -> argparse.ArgumentParser:
    """Add a command whose description is the sentence of its help."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=sentence, description=f"{sentence.capitalize()}.")
    parser.set_defaults(command=command)
    return parser


def add_name(parser: argparse.ArgumentParser) -> None:
    """Add provider and model."""
    parser.add_argument("provider", help="as spans carry it, such as openai")
    parser.add_argument("model", help="as spans carry it, such as gpt-5-mini")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument("--json", action="store_true", help="print one JSON object per row; amounts of money are texts")


def connect(settings: Settings | None = None) -> Warehouse:
    """Return a client of the local warehouse as its admin."""
    from spyglass.warehouse.client import admin  # noqa: PLC0415 -- a command imports what it needs

    return admin(running(settings or load().settings))


def closing_after(settings: Settings) -> timedelta:
    """Return how long after its end a day's costs may still follow the prices."""
    return timedelta(hours=settings.cost_closing_hours)


def price_file(settings: Settings) -> PriceFile | None:
    """Return the file of SPYGLASS_PRICES_FILE; raises InputFileError."""
    from spyglass.warehouse.prices.file import read  # noqa: PLC0415 -- a command imports what it needs

    return read(settings.prices_file) if settings.prices_file else None


def say_if_none(found: Sequence[object], sentence: str) -> int:
    """Say the sentence on stderr where nothing was found; returns 0."""
    if not found:
        print(sentence, file=sys.stderr)
    return 0


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], arguments: argparse.Namespace) -> None:
    """Print one JSON object per row, or a table of the columns that any row has."""
    if arguments.json:
        for row in rows:
            print(json.dumps(row))
        return
    used = [name for name in columns if any(row.get(name) is not None for row in rows)]
    lines = [used, *([_word(row.get(name)) for name in used] for row in rows)] if rows else []
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip())


def _word(value: object) -> str:
    return _NO_CONTENT if value in (None, "") else str(value)
