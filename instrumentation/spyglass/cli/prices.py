"""Look at the prices of models, set them, and keep them in a file."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spyglass.cli.warehouse import running
from spyglass.settings import Settings, load

if TYPE_CHECKING:
    from spyglass.warehouse.client import Warehouse
    from spyglass.warehouse.price_rows import PriceFile

_FORMS = ("yaml", "csv", "json")
_NO_CONTENT = "-"
# options of set → what they are the price of
_PRICES = {
    "input": "a million tokens of input",
    "output": "a million tokens of output",
    "cache-read": "a million tokens read from the cache (else that of input)",
    "cache-write": "a million tokens written to the cache (else that of input)",
    "reasoning": "a million tokens of reasoning (else that of output)",
}
_REQUIRED = ("input", "output")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the commands."""
    parser.description = f"{parser.description} Prices are USD per million tokens."
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_list(commands)
    _add_set(commands)
    remove = _add(commands, "remove", "remove a price that was given; the package's holds again", _remove)
    _add_name(remove)
    remove.add_argument("--from", dest="start", metavar="DATE", help="its start, where the model has several")
    history = _add(commands, "history", "list the changes of a model's prices, newest first", _history)
    _add_name(history)
    diff = _add(commands, "diff", "list what sync would change; exit code 1 where that is something", _diff)
    export = _add(commands, "export", "write the given prices as a file that SPYGLASS_PRICES_FILE takes", _export)
    export.add_argument("--format", choices=_FORMS, default="yaml", help="csv is for tables (default: %(default)s)")
    sync = _add(commands, "sync", "write the prices of the package and of SPYGLASS_PRICES_FILE", _sync)
    for command in (history, diff, sync):
        _add_json(command)


def run(arguments: argparse.Namespace) -> int:
    """Run one of the commands."""
    return int(arguments.command(arguments))


def _add(commands: Any, name: str, sentence: str, command: Callable[..., int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=sentence, description=f"{sentence.capitalize()}.")
    parser.set_defaults(command=command)
    return parser


def _add_list(commands: Any) -> None:
    parser = _add(commands, "list", "list the prices of now, with their source", _list)
    parser.add_argument("--provider", default="", metavar="WORD", help="only providers with this word in their name")
    parser.add_argument("--model", default="", metavar="WORD", help="only models with this word in their name")
    parser.add_argument("--unpriced", action="store_true", help="list the names that spans carry without a price")
    _add_json(parser)


def _add_set(commands: Any) -> None:
    parser = _add(commands, "set", "set the price of a model, before the package's", _set)
    _add_name(parser)
    for name, sentence in _PRICES.items():
        parser.add_argument(f"--{name}", required=name in _REQUIRED, metavar="USD", help=f"price of {sentence}")
    parser.add_argument("--request", metavar="USD", help="price of one call (else nothing)")
    parser.add_argument(
        "--from", dest="start", default="", metavar="DATE", help="2026-01-31, or with a time (else ever)"
    )
    parser.add_argument("--until", dest="end", default="", metavar="DATE", help="exclusive (else for ever)")


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("provider", help="as spans carry it, such as openai")
    parser.add_argument("model", help="as spans carry it, such as gpt-5-mini")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object per row; prices are texts")


def _list(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse import price_lists  # noqa: PLC0415 -- a command imports what it needs

    client, words = _connect(), (arguments.provider, arguments.model)
    if arguments.unpriced:
        found = price_lists.unpriced(client, *words)
        _print(found, ("provider", "model", "calls", "input_tokens", "output_tokens"), arguments)
        return _say_if_none(found, "Every model that spans carry has a price.")
    found = price_lists.current(client, *words, time.time())
    _print(found, ("provider", "model", *_FLAT, "source", "valid_from"), arguments)
    return _say_if_none(found, "No price has such a name.")


def _set(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse import price_amounts, prices  # noqa: PLC0415 -- a command imports what it needs

    named = {name.replace("-", "_"): getattr(arguments, name.replace("-", "_")) for name in (*_PRICES, "request")}
    given = {name: text for name, text in named.items() if text is not None}
    when = price_amounts.interval(arguments.start, arguments.end)
    name = (arguments.provider, arguments.model)
    changes = prices.put(_connect(), price_amounts.price(*name, when, given, price_amounts.OVERRIDE))
    print(f"{len(changes)} prices of {' '.join(name)} written.")
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse import price_amounts, prices  # noqa: PLC0415 -- a command imports what it needs

    start = price_amounts.moment(arguments.start) if arguments.start is not None else None
    changes = prices.remove(_connect(), arguments.provider, arguments.model, start)
    print(f"{len(changes)} prices of {arguments.provider} {arguments.model} written.")
    if any(change.row["source"] == price_amounts.FILE for change in changes):
        print("It was in a file: sync brings it back while it is there.", file=sys.stderr)
    return 0


def _history(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse import price_lists  # noqa: PLC0415 -- a command imports what it needs

    found = price_lists.history(_connect(), arguments.provider, arguments.model)
    _print(found, ("at", "who", "action", "valid_from", "valid_to", *_FLAT, "source"), arguments)
    return _say_if_none(found, f"The prices of {arguments.provider} {arguments.model} never changed.")


def _diff(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse import prices  # noqa: PLC0415 -- a command imports what it needs

    settings = load().settings
    book = _file(settings)
    changes = prices.pending(_connect(settings), book)
    _print_changes(changes, arguments)
    _say_if_none(changes, "The prices are those of the package and the file.")
    return int(bool(changes))


def _sync(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse import dictionaries, price_rows, prices  # noqa: PLC0415 -- a command imports what it needs

    settings = load().settings
    book = _file(settings)
    client = _connect(settings)
    changes = prices.pending(client, book)
    price_rows.write(client, changes)
    dictionaries.reload_prices(client)
    _print_changes(changes, arguments)
    return _say_if_none(changes, "Nothing to write.")


def _export(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse import price_export, price_rows  # noqa: PLC0415 -- a command imports what it needs

    client = _connect()
    given = [row for row in price_rows.models(client) if price_rows.is_declared(row)]
    sys.stdout.write(price_export.export(given, price_rows.resources(client), arguments.format))
    return 0


def _connect(settings: Settings | None = None) -> Warehouse:
    from spyglass.warehouse.client import admin  # noqa: PLC0415 -- a command imports what it needs

    return admin(running(settings or load().settings))


def _file(settings: Settings) -> PriceFile | None:
    from spyglass.warehouse.price_file import read  # noqa: PLC0415 -- a command imports what it needs

    return read(settings.prices_file) if settings.prices_file else None


def _say_if_none(found: Sequence[object], sentence: str) -> int:
    if not found:
        print(sentence, file=sys.stderr)
    return 0


# What of a price fits into a line: its first step.
_FLAT = ("input", "output", "cache_read", "cache_write", "reasoning", "usd_per_request", "steps")


def _print_changes(changes: Iterable[Any], arguments: argparse.Namespace) -> None:
    from spyglass.warehouse.price_lists import change  # noqa: PLC0415 -- a command imports what it needs

    found = [change(each) for each in changes]
    names = (
        "action",
        "provider",
        "model",
        "resource",
        "label",
        "valid_from",
        "valid_to",
        *_FLAT,
        "usd_per_hour",
        "source",
    )
    _print(found, names, arguments)


def _print(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], arguments: argparse.Namespace) -> None:
    """Print one JSON object per row, or a table of the columns that any row has."""
    if arguments.json:
        for row in rows:
            print(json.dumps(row))
        return
    flat = [dict(row) | _first_step(row) for row in rows]
    used = [name for name in columns if any(row.get(name) is not None for row in flat)]
    lines = [used, *([_word(row.get(name)) for name in used] for row in flat)] if rows else []
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip())


def _first_step(row: Mapping[str, Any]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = row.get("usd_per_million_tokens") or [{}]
    return steps[0] | ({"steps": len(steps)} if len(steps) > 1 else {})


def _word(value: object) -> str:
    return _NO_CONTENT if value in (None, "") else str(value)
