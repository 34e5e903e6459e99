"""Serve the warehouse and bring its schema up to date."""

from __future__ import annotations

import argparse
from typing import Any

from spyglass.cli.warehouse.connect import add_server_options, server_or_local
from spyglass.settings import load


def add(commands: Any) -> None:
    """Add the commands."""
    serve = commands.add_parser("serve", help="serve ClickHouse's HTTP protocol until SIGTERM")
    serve.set_defaults(command=_serve)
    migrate = commands.add_parser("migrate", help="bring the schema of a warehouse up to date")
    migrate.add_argument("--dry-run", action="store_true", help="print the SQL that would run, and run nothing")
    add_server_options(migrate)
    migrate.set_defaults(command=_migrate)


def _serve(_: argparse.Namespace) -> int:
    import logging  # noqa: PLC0415 -- only this command logs

    from spyglass.warehouse.serve import serve  # noqa: PLC0415 -- the engine is heavy

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    serve(load().settings)
    return 0


def _migrate(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse import migrations  # noqa: PLC0415 -- a command imports what it needs

    client = server_or_local(arguments)
    files = migrations.load()
    if arguments.dry_run:
        for migration in migrations.pending(client, files):
            print(f"-- {migration.name}\n" + "\n\n".join(f"{statement};" for statement in migration.statements) + "\n")
        return 0
    count = migrations.apply(client, files, lambda line: print(line, flush=True))
    print(f"{count} of {len(files)} migrations run; the schema is up to date.")
    return 0
