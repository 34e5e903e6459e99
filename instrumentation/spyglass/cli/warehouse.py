"""Serve the warehouse, run its migrations, look at its dead letters."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from typing import Any

from spyglass.errors import StackNotRunningError
from spyglass.settings import Settings, load

_LETTERS = """
SELECT received_at, source, table_name, reason, error_code, rows, bytes, hex(body_hash) AS id
FROM spyglass.dead_letters
ORDER BY received_at DESC
LIMIT {limit:UInt32}
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the commands."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    serve = commands.add_parser("serve", help="serve ClickHouse's HTTP protocol until SIGTERM")
    serve.set_defaults(command=_serve)
    migrate = commands.add_parser("migrate", help="bring the schema of a warehouse up to date")
    migrate.add_argument("--dry-run", action="store_true", help="print the SQL that would run, and run nothing")
    migrate.add_argument("--url", help="address of a ClickHouse server (else the local warehouse)")
    migrate.add_argument(
        "--user", default="default", help="user at --url; the password is asked for, or CLICKHOUSE_PASSWORD"
    )
    migrate.set_defaults(command=_migrate)
    letters = commands.add_parser("dead-letters", help="list what could not be stored, newest first")
    letters.add_argument("--json", action="store_true", help="print one JSON object per dead letter")
    letters.add_argument("--limit", type=int, default=20, help="how many to list (default: %(default)s)")
    letters.set_defaults(command=_dead_letters)


def run(arguments: argparse.Namespace) -> int:
    """Run one of the commands."""
    return int(arguments.command(arguments))


def _serve(_: argparse.Namespace) -> int:
    import logging  # noqa: PLC0415 -- only this command logs

    from spyglass.warehouse.serve import serve  # noqa: PLC0415 -- the engine is heavy

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    serve(load().settings)
    return 0


def _migrate(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse import migrations  # noqa: PLC0415 -- a command imports what it needs
    from spyglass.warehouse.client import Warehouse, admin  # noqa: PLC0415 -- as above

    client = Warehouse(arguments.url, arguments.user, _password()) if arguments.url else admin(running(load().settings))
    files = migrations.load()
    if arguments.dry_run:
        for migration in migrations.pending(client, files):
            print(f"-- {migration.name}\n" + "\n\n".join(f"{statement};" for statement in migration.statements) + "\n")
        return 0
    count = migrations.apply(client, files, lambda line: print(line, flush=True))
    print(f"{count} of {len(files)} migrations run; the schema is up to date.")
    return 0


def _dead_letters(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.client import reader  # noqa: PLC0415 -- a command imports what it needs

    letters = reader(running(load().settings)).rows(_LETTERS, limit=arguments.limit)
    for letter in letters:
        print(
            json.dumps(letter | {"received_at": letter["received_at"].isoformat()}) if arguments.json else _line(letter)
        )
    if not letters and not arguments.json:
        print("No dead letters: everything that was acknowledged is stored.", file=sys.stderr)
    return 0


def running(settings: Settings) -> Settings:
    """Return the settings with the ports of the stack that runs, or as they are where none says so."""
    try:
        from spyglass.stack.running import attach  # noqa: PLC0415 -- a command imports what it needs

        return attach(settings)
    except (ImportError, StackNotRunningError):
        return settings


def _line(letter: dict[str, Any]) -> str:
    time = letter["received_at"].strftime("%Y-%m-%d %H:%M:%S")
    what = f"{letter['source']:6} {letter['table_name']:34} {letter['rows']:6} rows {letter['bytes']:9} bytes"
    return f"{time}  {what}  {letter['reason']}"


def _password() -> str:
    given = os.environ.get("CLICKHOUSE_PASSWORD")
    return given if given is not None else getpass.getpass("Password: ")
