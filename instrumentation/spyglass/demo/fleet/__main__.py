"""Run one program of the demo fleet: ``python -m spyglass.demo.fleet support_desk --visits 3``."""

from __future__ import annotations

import argparse
import importlib
import logging
import signal

from spyglass.demo.fleet import PROGRAMS
from spyglass.demo.fleet.visits import Visits


def main() -> None:
    """Run the program until it is told to stop, or for some visits."""
    parser = argparse.ArgumentParser(prog="python -m spyglass.demo.fleet", description=__doc__)
    parser.add_argument("program", choices=[program.name for program in PROGRAMS])
    parser.add_argument("--rate", type=float, default=1.0, help="times the program's usual visits a second")
    parser.add_argument("--visits", type=int, help="stop after so many visits; default: when told to")
    parser.add_argument("--run", default="alone", help="name of the demo run, part of the session ids")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line per request would drown the rest
    (program,) = (program for program in PROGRAMS if program.name == arguments.program)
    per_second = program.visits_per_second * arguments.rate
    visits = Visits(program.name, per_second, limit=arguments.visits, run=arguments.run)
    signal.signal(signal.SIGTERM, lambda *_: visits.stop())
    importlib.import_module(f"spyglass.demo.fleet.{program.name}").main(visits)
    visits.tell()


if __name__ == "__main__":
    main()
