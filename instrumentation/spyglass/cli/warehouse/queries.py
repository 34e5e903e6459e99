"""List what the warehouse was asked, by whom, how long it took and what came of it."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC
from typing import Any

from spyglass.cli.warehouse.connect import local

_LISTED = 20
_USERS = ("reader", "admin", "collector")
_STATEMENT_CHARACTERS = 100


def add(commands: Any) -> None:
    """Add the command."""
    queries = commands.add_parser("queries", help="list what the warehouse was asked, newest first (its query log)")
    queries.add_argument(
        "--slow", action="store_true", help="only statements that took a second or more, slowest first"
    )
    queries.add_argument("--failed", action="store_true", help="only statements that ended with an error")
    queries.add_argument("--user", choices=_USERS, default="", help="only statements of this user")
    queries.add_argument("--limit", type=_count, default=_LISTED, help=f"how many (default: {_LISTED})")
    queries.add_argument("--json", action="store_true", help="print one JSON object per statement; unknown is null")
    queries.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.operation import queries  # noqa: PLC0415 -- a command imports what it needs

    wanted = queries.Wanted(arguments.user, arguments.slow, arguments.failed, arguments.limit)
    found = queries.listed(local(), wanted)
    for entry in found:
        at = entry["at"].replace(tzinfo=UTC).isoformat(timespec="milliseconds")
        print(json.dumps(entry | {"at": at}) if arguments.json else _line(entry))
    if not found and not arguments.json:
        print("The query log has no such statement; it is written every few seconds.", file=sys.stderr)
    return 0


def _line(entry: dict[str, Any]) -> str:
    time = entry["at"].strftime("%Y-%m-%d %H:%M:%S")
    rows = "?" if entry["read_rows"] is None else entry["read_rows"]
    outcome = f"error {entry['error_code']}" if entry["error_code"] else "ok"
    statement = " ".join(entry["statement"].split())[:_STATEMENT_CHARACTERS]
    return f"{time}  {entry['user']:9} {entry['duration_ms']:10.1f} ms {rows:>12} rows read  {outcome:10} {statement}"


def _count(text: str) -> int:
    number = int(text)
    if not 0 < number < 1 << 32:
        raise argparse.ArgumentTypeError(f"{number} is not above 0")
    return number
