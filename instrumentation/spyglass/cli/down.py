"""Stop the stack."""

from __future__ import annotations

import argparse
import sys

from spyglass.errors import StackNotRunningError
from spyglass.stack import files, options, shutdown


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    options.add_data_dir(parser)
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=float,
        default=shutdown.TIMEOUT_SECONDS,
        help="kill what still runs after so long (default %(default)g)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Stop the stack and return 0 when no process of it is left, also when none ran; 1 when some had to be killed."""
    place = files.of(options.settings_of(arguments))
    try:
        shutdown.stop(place, timeout_seconds=arguments.timeout, tell=_tell)
    except StackNotRunningError as error:
        _tell(error.problem)
    return 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
