"""Compare executions, calls and totals with the spans they were made of."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from spyglass.cli.warehouse.connect import running
from spyglass.settings import Settings, load

if TYPE_CHECKING:
    from spyglass.warehouse.client import Warehouse
    from spyglass.warehouse.finaliser.reconcile import Difference, Range

_SHOWN = 20
_HOUR = timedelta(hours=1)


def add(commands: Any) -> None:
    """Add the command."""
    reconcile = commands.add_parser(
        "reconcile",
        help="compute executions, calls and totals from the spans again, and say what differs",
        description="Ends with 0 where nothing differs, with 1 where something does.",
    )
    reconcile.add_argument("--from", dest="first", metavar="TIME", help="start: a date or an RFC 3339 time (a day ago)")
    reconcile.add_argument("--to", dest="until", metavar="TIME", help="end, in whole hours (now)")
    reconcile.add_argument("--repair", action="store_true", help="write again what differs")
    reconcile.add_argument("--json", action="store_true", help="print one JSON object per difference")
    reconcile.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse import client  # noqa: PLC0415 -- a command imports what it needs
    from spyglass.warehouse.finaliser import reconcile  # noqa: PLC0415 -- a command imports what it needs

    asked = _range(arguments)
    settings = running(load().settings)
    warehouse = client.admin(settings)
    found = _found(warehouse, asked, settings)
    _show(found, as_json=arguments.json)
    if found and arguments.repair:
        reconcile.repair(warehouse, found)
        found = _found(warehouse, asked, settings)
        print(f"After the repair {len(found)} differ.", file=sys.stderr)
    return 1 if found else 0


def _range(arguments: argparse.Namespace) -> Range:
    from spyglass.warehouse.finaliser.reconcile import Range  # noqa: PLC0415 -- a command imports what it needs
    from spyglass.warehouse.prices.amounts import moment  # noqa: PLC0415 -- a command imports what it needs

    now = datetime.now(UTC)
    first = moment(arguments.first) if arguments.first else now - timedelta(days=1)
    until = moment(arguments.until) if arguments.until else now
    whole = until.replace(minute=0, second=0, microsecond=0)
    return Range(first.replace(minute=0, second=0, microsecond=0), whole if whole == until else whole + _HOUR)


def _found(warehouse: Warehouse, asked: Range, settings: Settings) -> list[Difference]:
    """Let the finaliser catch up and compare."""
    from spyglass.warehouse import finaliser  # noqa: PLC0415 -- a command imports what it needs
    from spyglass.warehouse.finaliser import reconcile  # noqa: PLC0415 -- a command imports what it needs

    silent_after = timedelta(seconds=settings.execution_silence_seconds)
    closing_after = timedelta(hours=settings.cost_closing_hours)
    for made in finaliser.catch_up(warehouse, silent_after, closing_after, finaliser.PATIENCE_SECONDS):
        print(f"{made.traces} traces that waited are written", file=sys.stderr, flush=True)
    kept_for = timedelta(days=settings.retention_spans_days)
    return list(reconcile.differences(warehouse, asked, silent_after, kept_for, closing_after))


def _show(found: Iterable[Difference], *, as_json: bool) -> None:
    lines = [
        json.dumps(item._asdict(), default=str)
        if as_json
        else f"{item.table}: {' '.join(map(str, item.place))}: {item.missing} missing, {item.unexpected} unexpected"
        for item in found
    ]
    for line in lines if as_json else lines[:_SHOWN]:
        print(line)
    if not as_json:
        print(f"{len(lines)} differ" if lines else "Nothing differs.")
