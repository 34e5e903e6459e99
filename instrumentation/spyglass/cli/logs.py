"""Show the log of one part."""

from __future__ import annotations

import argparse
import sys

from spyglass.stack import files, logs, options
from spyglass.stack.parts import PARTS
from spyglass.stack.supervisor import NAME

DEFAULT_LINES = 100


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("name", metavar="NAME", help=f"one of {', '.join(PARTS)}, {NAME}")
    parser.add_argument("-n", "--lines", type=int, default=DEFAULT_LINES, help="lines to show (default %(default)s)")
    parser.add_argument("-f", "--follow", action="store_true", help="show what is added, until Ctrl-C")
    options.add_data_dir(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the end of the log, of a running or a stopped stack; the exit code is 1 when there is no log."""
    log = logs.path(files.of(options.settings_of(arguments)), arguments.name)
    following = logs.follow(log) if arguments.follow else ()
    for line in logs.tail(log, arguments.lines):
        print(line)
    for more in following:
        print(more, end="", flush=True)
    if not log.exists():
        print(f"spyglass: {arguments.name} has no log yet: {log} does not exist.", file=sys.stderr)
        return 1
    return 0
