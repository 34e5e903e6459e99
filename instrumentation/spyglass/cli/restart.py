"""Restart one part."""

from __future__ import annotations

import argparse
import sys

from spyglass.errors import UsageError
from spyglass.stack import options, running, startup
from spyglass.stack.parts import PARTS
from spyglass.stack.supervisor import Client


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("name", metavar="NAME", help=f"one of {', '.join(PARTS)}")
    options.add_data_dir(parser)


def run(arguments: argparse.Namespace) -> int:
    """Stop the part in order, start it, and return when it is ready; raises PartError when it does not get there."""
    settings = options.settings_of(arguments)
    place, last = running.of(settings)
    if arguments.name not in last.parts:
        raise UsageError(f"This stack has no part {arguments.name!r}.", f"It has {', '.join(last.parts)}.")
    client = Client(place)
    if client.states()[arguments.name].running:
        client.stop(arguments.name)
    startup.start_again(running.attach(settings), place, PARTS[arguments.name])
    print(f"{arguments.name} is ready again", file=sys.stderr)
    return 0
