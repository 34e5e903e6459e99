"""Look at prices: those of now, their changes, what sync would change, and the file of those that were given."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spyglass.cli.prices.common import add_command, add_json, add_name, connect, price_file, print_rows, say_if_none
from spyglass.settings import load

_FORMS = ("yaml", "csv", "json")
# What of a price fits into a line: the first step of the standard, and how many steps there are.
_FLAT = ("input", "output", "cache_read", "cache_write", "reasoning", "usd_per_request", "steps")
_CHANGE = (
    *("action", "provider", "model", "resource", "label", "valid_from", "valid_to", *_FLAT, "usd_per_hour"),
    "source",
)


def add(commands: Any) -> None:
    """Add the commands."""
    _add_list(commands)
    history = add_command(commands, "history", "list the changes of a model's prices, newest first", _history)
    add_name(history)
    diff = add_command(commands, "diff", "list what sync would change; exit code 1 where that is something", _diff)
    export = add_command(
        commands, "export", "write the given prices as a file that SPYGLASS_PRICES_FILE takes", _export
    )
    export.add_argument("--format", choices=_FORMS, default="yaml", help="csv is for tables (default: %(default)s)")
    for command in (history, diff):
        add_json(command)


def print_prices(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], arguments: argparse.Namespace) -> None:
    """Print prices: whole as JSON, of each what fits into a line in a table."""
    flat = rows if arguments.json else [dict(row) | _first_step(row) for row in rows]
    print_rows(flat, columns, arguments)


def print_changes(changes: Iterable[Any], arguments: argparse.Namespace) -> None:
    """Print what became, or would become, of prices."""
    from spyglass.warehouse.prices.lists import change  # noqa: PLC0415 -- a command imports what it needs

    print_prices([change(each) for each in changes], _CHANGE, arguments)


def _add_list(commands: Any) -> None:
    parser = add_command(commands, "list", "list the prices of now, with their source", _list)
    parser.add_argument("--provider", default="", metavar="WORD", help="only providers with this word in their name")
    parser.add_argument("--model", default="", metavar="WORD", help="only models with this word in their name")
    parser.add_argument("--unpriced", action="store_true", help="list the names that spans carry without a price")
    add_json(parser)


def _list(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.prices import lists  # noqa: PLC0415 -- a command imports what it needs

    client, words = connect(), (arguments.provider, arguments.model)
    if arguments.unpriced:
        found = lists.unpriced(client, *words)
        print_prices(found, ("provider", "model", "calls", "input_tokens", "output_tokens"), arguments)
        return say_if_none(found, "Every model that spans carry has a price.")
    found = lists.current(client, *words, time.time())
    print_prices(found, ("provider", "model", *_FLAT, "source", "valid_from"), arguments)
    return say_if_none(found, "No price has such a name.")


def _history(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.prices import lists  # noqa: PLC0415 -- a command imports what it needs

    found = lists.history(connect(), arguments.provider, arguments.model)
    print_prices(found, ("at", "who", "action", "valid_from", "valid_to", *_FLAT, "source"), arguments)
    return say_if_none(found, f"The prices of {arguments.provider} {arguments.model} never changed.")


def _diff(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.prices import table as price_table  # noqa: PLC0415 -- a command imports what it needs

    settings = load().settings
    book = price_file(settings)
    changes = price_table.pending(connect(settings), book)
    print_changes(changes, arguments)
    say_if_none(changes, "The prices are those of the package and the file.")
    return int(bool(changes))


def _export(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.prices import export  # noqa: PLC0415 -- a command imports what it needs
    from spyglass.warehouse.prices import rows as price_rows  # noqa: PLC0415 -- a command imports what it needs

    client = connect()
    given = [row for row in price_rows.models(client) if price_rows.is_declared(row)]
    sys.stdout.write(export.export(given, price_rows.resources(client), arguments.format))
    return 0


def _first_step(row: Mapping[str, Any]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = row.get("usd_per_million_tokens") or [{}]
    return steps[0] | ({"steps": len(steps)} if len(steps) > 1 else {})
