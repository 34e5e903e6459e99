"""Delete what a user wrote, on request, and prove that the id is gone."""

from __future__ import annotations

import argparse
import json
from typing import Any

from spyglass.cli.warehouse.connect import local


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("forget", help="delete a user's texts and id, and search for what is left of it")
    parser.add_argument("--user", required=True, metavar="ID", help="the user's id, as spans carry it (user.id)")
    parser.add_argument("--organization", default="", metavar="O", help="only rows of this organization")
    parser.add_argument("--dry-run", action="store_true", help="count the rows, and change none")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.operation import forgetting  # noqa: PLC0415 -- a command imports what it needs

    client, person = local(), forgetting.Person(arguments.user, arguments.organization)
    do = forgetting.count if arguments.dry_run else forgetting.forget
    counts = dict(do(client, person))
    if arguments.json:
        print(json.dumps({"dry_run": arguments.dry_run, "rows": counts}))
    else:
        for table, rows in counts.items():
            print(f"{table:30} {rows:12} rows")
    if not arguments.dry_run:
        forgetting.check(client, person)
    return 0
