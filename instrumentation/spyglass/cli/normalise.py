"""Compile the dialect tables to the collector's configuration."""

from __future__ import annotations

import argparse

from spyglass.assets import folder
from spyglass.dialects import compiler


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("action", choices=("build", "check"), help="write the generated layers, or only compare them")


def run(arguments: argparse.Namespace) -> int:
    """Write or compare; the exit code of check is 1 when a layer differs from its tables."""
    place = folder("collector-config")
    if arguments.action == "build":
        for path in compiler.build(place):
            print(f"wrote {path.name}")
        return 0
    stale = compiler.stale(place)
    for path in stale:
        print(f"{path.name} differs from its tables; write it with: spyglass normalise build")
    return int(bool(stale))
