"""Give prices: by hand, or from the package and the file."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from spyglass.cli.prices.common import (
    add_command,
    add_json,
    add_name,
    closing_after,
    connect,
    price_file,
    say_if_none,
)
from spyglass.cli.prices.look import print_changes
from spyglass.settings import load

# options of set → what they are the price of
_PRICES = {
    "input": "a million tokens of input",
    "output": "a million tokens of output",
    "cache-read": "a million tokens read from the cache (else that of input)",
    "cache-write": "a million tokens written to the cache (else that of input)",
    "cache-write-1h": "a million tokens written to the cache for an hour (else that of cache writes)",
    "reasoning": "a million tokens of reasoning (else that of output)",
    "audio-input": "a million tokens of audio in (else that of input)",
    "audio-cache-read": "a million tokens of audio read from the cache (else that of the cache, or of audio in)",
    "audio-output": "a million tokens of audio out (else that of output)",
}
_REQUIRED = ("input", "output")


def add(commands: Any) -> None:
    """Add the commands."""
    _add_set(commands)
    remove = add_command(commands, "remove", "remove a price that was given; the package's holds again", _remove)
    add_name(remove)
    remove.add_argument("--from", dest="start", metavar="DATE", help="its start, where the model has several")
    sync = add_command(commands, "sync", "write the prices of the package and of SPYGLASS_PRICES_FILE", _sync)
    add_json(sync)


def _add_set(commands: Any) -> None:
    parser = add_command(commands, "set", "set the price of a model, before the package's", _set)
    parser.epilog = "Prices by size of the input, time of the day or tier are given in a file: spyglass prices export."
    add_name(parser)
    for name, sentence in _PRICES.items():
        parser.add_argument(f"--{name}", required=name in _REQUIRED, metavar="USD", help=f"price of {sentence}")
    parser.add_argument("--request", metavar="USD", help="price of one call (else nothing)")
    parser.add_argument(
        "--from", dest="start", default="", metavar="DATE", help="2026-01-31, or with a time (else ever)"
    )
    parser.add_argument("--until", dest="end", default="", metavar="DATE", help="exclusive (else for ever)")


def _set(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.prices import amounts  # noqa: PLC0415 -- a command imports what it needs
    from spyglass.warehouse.prices import table as price_table  # noqa: PLC0415 -- a command imports what it needs

    settings = load().settings
    named = {name.replace("-", "_"): getattr(arguments, name.replace("-", "_")) for name in (*_PRICES, "request")}
    given = {name: text for name, text in named.items() if text is not None}
    when = amounts.interval(arguments.start, arguments.end)
    price = amounts.price(arguments.provider, arguments.model, when, given, amounts.OVERRIDE)
    changes = price_table.put(connect(settings), price, closing_after(settings))
    print(f"{len(changes)} prices of {arguments.provider} {arguments.model} written.")
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.prices import amounts  # noqa: PLC0415 -- a command imports what it needs
    from spyglass.warehouse.prices import table as price_table  # noqa: PLC0415 -- a command imports what it needs

    settings = load().settings
    start = amounts.moment(arguments.start) if arguments.start is not None else None
    name = (arguments.provider, arguments.model)
    changes = price_table.remove(connect(settings), name, start, closing_after(settings))
    print(f"{len(changes)} prices of {' '.join(name)} written.")
    if any(change.row["source"] == amounts.FILE for change in changes):
        print("It was in a file: sync brings it back while it is there.", file=sys.stderr)
    return 0


def _sync(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.prices import table as price_table  # noqa: PLC0415 -- a command imports what it needs

    settings = load().settings
    book = price_file(settings)
    client = connect(settings)
    changes = price_table.pending(client, book)
    price_table.publish(client, changes, closing_after(settings))
    print_changes(changes, arguments)
    return say_if_none(changes, "Nothing to write.")
