"""Look at the prices of models, set them, keep them in a file, restate days with them, compare them with an invoice."""

from __future__ import annotations

import argparse

from spyglass.cli.prices import give, look, reconcile, restate


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the commands."""
    parser.description = f"{parser.description} Prices are USD per million tokens."
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (look, give, restate, reconcile):
        module.add(commands)


def run(arguments: argparse.Namespace) -> int:
    """Run one of the commands."""
    return int(arguments.command(arguments))
