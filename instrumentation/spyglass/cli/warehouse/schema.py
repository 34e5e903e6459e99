"""Serve the warehouse and bring its schema up to date."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from spyglass.cli.warehouse.connect import add_server_options, server_or_local
from spyglass.settings import load

if TYPE_CHECKING:
    from spyglass.warehouse.schema.cluster import ClusterForm
    from spyglass.warehouse.schema.plan import Step


def add(commands: Any) -> None:
    """Add the commands."""
    serve = commands.add_parser("serve", help="serve ClickHouse's HTTP protocol until SIGTERM")
    serve.set_defaults(command=_serve)
    migrate = commands.add_parser("migrate", help="bring the schema of a warehouse up to date")
    migrate.add_argument(
        "--dry-run", action="store_true", help="print the SQL that would run and what it costs, and run nothing"
    )
    migrate.add_argument("--json", action="store_true", help="with --dry-run: print a JSON object for each statement")
    migrate.add_argument("--cluster", metavar="NAME", help="write the schema for this cluster (else the setting)")
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
    from spyglass.warehouse.schema import preflight  # noqa: PLC0415 -- a command imports what it needs

    cluster = load().settings.warehouse_cluster if arguments.cluster is None else arguments.cluster
    client, files, form = server_or_local(arguments), migrations.load(), _form(cluster)
    if form:
        preflight.on_cluster(client, cluster)
    else:
        preflight.one_node(client)
    if arguments.dry_run:
        return _plan(client, files, form, arguments)
    state = form.statements(migrations.STATE_TABLE) if form else migrations.STATE_TABLE
    todo = form.migrations(files) if form else files
    count = migrations.apply(client, todo, lambda line: print(line, flush=True), state)
    print(f"{count} of {len(files)} migrations run; the schema is up to date.")
    return 0


def _form(cluster: str) -> ClusterForm | None:
    from spyglass.warehouse.schema import placement  # noqa: PLC0415 -- a command imports what it needs
    from spyglass.warehouse.schema.cluster import ClusterForm  # noqa: PLC0415 -- a command imports what it needs

    return ClusterForm(cluster, placement.load()) if cluster else None


def _plan(client: Any, files: Any, form: ClusterForm | None, arguments: argparse.Namespace) -> int:
    from spyglass.warehouse import migrations  # noqa: PLC0415 -- a command imports what it needs
    from spyglass.warehouse.schema import dangers, plan  # noqa: PLC0415 -- a command imports what it needs

    todo = migrations.pending(client, files)
    shown = ""
    for step in plan.steps(client, files, todo, form):
        if arguments.json:
            print(json.dumps(asdict(step)))
        else:
            print(_text(step) if step.migration == shown else f"-- {step.migration}\n{_text(step)}")
        shown = step.migration
    dangers.check(todo)
    return 0


def _text(step: Step) -> str:
    """Write a step as SQL that can be run; what it costs is a comment."""
    cost = step.effect
    if step.effect == "rewrite":
        cost += f" of {step.table}: {step.rows} rows, {step.bytes} bytes on disk"
    return f"-- line {step.line}: {cost}\n" + "\n\n".join(f"{sql};" for sql in step.sql) + "\n"
