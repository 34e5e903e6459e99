"""Run the demo fleet of agents on the running stack, and sum up what the stores have of it."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from spyglass.names import Content
from spyglass.stack import options


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    options.add_data_dir(parser)
    parser.add_argument("--seconds", type=_positive, default=60.0, help="how long the fleet works (default 60)")
    parser.add_argument("--rate", type=_positive, default=1.0, help="times the usual visits a second (default 1)")
    parser.add_argument("--content", choices=list(Content), help="what of prompts and outputs is captured")
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write the static HTML report there")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; 1 when anything that it must show is missing, with its name."""
    from spyglass.demo import show  # noqa: PLC0415 -- the options need no stack
    from spyglass.demo.conduct import Options, conduct  # noqa: PLC0415 -- as above

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's stop is as clean as Ctrl-C
    asked = Options(arguments.seconds, arguments.rate, arguments.content, arguments.report)
    summary = conduct(options.settings_of(arguments), asked, lambda line: print(line, file=sys.stderr, flush=True))
    print(json.dumps(show.as_json(summary), default=str) if arguments.json else show.as_text(summary))
    return 1 if summary.missing else 0


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value
