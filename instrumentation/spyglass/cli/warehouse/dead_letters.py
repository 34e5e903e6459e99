"""List what could not be stored, and try again."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from spyglass.cli.warehouse.connect import local, running
from spyglass.settings import load

if TYPE_CHECKING:
    from spyglass.warehouse.operation.letters import Retried

_LISTED = 20
_ALL = (1 << 63) - 1


def add(commands: Any) -> None:
    """Add the command."""
    letters = commands.add_parser("dead-letters", help="list what could not be stored, newest first, or try it again")
    letters.add_argument("--table", default="", help="only letters of this landing table, such as otel_traces")
    letters.add_argument("--limit", type=_count, help=f"how many (default: {_LISTED} to list, all to retry)")
    letters.add_argument("--json", action="store_true", help="print one JSON object per dead letter")
    letters.add_argument(
        "--retry",
        nargs="*",
        metavar="ID",
        help="send letters to their tables again: these, or all; what is stored is a letter no more, and the exit "
        "code is 1 when some are left",
    )
    letters.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    return _list(arguments) if arguments.retry is None else _retry(arguments)


def _list(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.client import reader  # noqa: PLC0415 -- a command imports what it needs
    from spyglass.warehouse.operation import letters  # noqa: PLC0415 -- as above

    found = letters.listed(reader(running(load().settings)), arguments.table, arguments.limit or _LISTED)
    for letter in found:
        shown = {name: value for name, value in letter.items() if name != "column_names"}
        shown["received_at"] = letter["received_at"].isoformat()
        print(json.dumps(shown) if arguments.json else _line(letter))
    if not found and not arguments.json:
        print("No dead letters: everything that was acknowledged is stored.", file=sys.stderr)
    return 0


def _retry(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.operation import letters  # noqa: PLC0415 -- a command imports what it needs

    client = local()
    found = letters.listed(client, arguments.table, arguments.limit or _ALL, arguments.retry)
    letters.check_ids(found, arguments.retry)
    retried = []
    for one in letters.retry(client, found):
        retried.append(one)
        if arguments.json:
            print(json.dumps(asdict(one)), flush=True)
        elif one.left:
            print(f"{one.id}  {one.table_name:34} {one.left:6} rows left  {one.reason}", flush=True)
    if not arguments.json:
        print(_summary(retried))
    return 1 if any(one.left for one in retried) else 0


def _summary(retried: list[Retried]) -> str:
    stored, left = sum(one.stored for one in retried), sum(one.left for one in retried)
    return f"{len(retried)} dead letters tried again: {stored} rows stored, {left} left."


def _line(letter: dict[str, Any]) -> str:
    time = letter["received_at"].strftime("%Y-%m-%d %H:%M:%S")
    what = f"{letter['source']:6} {letter['table_name']:34} {letter['rows']:6} rows {letter['bytes']:9} bytes"
    return f"{time}  {letter['id']:32}  {what}  {letter['reason']}"


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not above 0")
    return number
