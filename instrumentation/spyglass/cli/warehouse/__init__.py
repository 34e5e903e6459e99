"""Serve the warehouse, migrate it, operate it: dead letters, queries, executions, retention, search, backups."""

from __future__ import annotations

import argparse

from spyglass.cli.warehouse import (
    backups,
    dead_letters,
    finalise,
    forget,
    index,
    queries,
    reconcile,
    retention,
    schema,
)
from spyglass.cli.warehouse.connect import running

__all__ = ["configure", "run", "running"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the commands."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (schema, dead_letters, queries, finalise, reconcile, retention, index, forget, backups):
        module.add(commands)


def run(arguments: argparse.Namespace) -> int:
    """Run one of the commands."""
    return int(arguments.command(arguments))
