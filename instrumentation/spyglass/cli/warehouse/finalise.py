"""Write executions, model calls and totals of the spans that came, now."""

from __future__ import annotations

import argparse
import json
from datetime import timedelta
from typing import Any

from spyglass.cli.warehouse.connect import running
from spyglass.settings import load


def add(commands: Any) -> None:
    """Add the command."""
    finalise = commands.add_parser(
        "finalise", help="write executions, model calls and totals of the spans that came, as the server does every 5 s"
    )
    finalise.add_argument("--once", action="store_true", help="make one run, also when it leaves something to do")
    finalise.add_argument("--json", action="store_true", help="print one JSON object per run")
    finalise.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse import client, finaliser  # noqa: PLC0415 -- a command imports what it needs

    settings = running(load().settings)
    warehouse = client.admin(settings)
    silent_after = timedelta(seconds=settings.execution_silence_seconds)
    closing_after = timedelta(hours=settings.cost_closing_hours)
    for made in finaliser.catch_up(warehouse, silent_after, closing_after, finaliser.PATIENCE_SECONDS):
        if arguments.json:
            print(json.dumps(made._asdict()))
        else:
            print(f"{made.traces} traces with {made.spans} spans in {made.seconds:.2f} s", flush=True)
        if arguments.once:
            break
    return 0
