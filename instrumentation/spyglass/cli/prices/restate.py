"""Compute days again with the prices of now, and list when that was done."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from datetime import date
from typing import Any

from spyglass.cli.prices.common import add_command, add_json, connect, print_rows, say_if_none
from spyglass.errors import UsageError

_COLUMNS = (
    *("day", "organization", "project", "provider", "model", "calls", "changed_calls", "calls_without_spans"),
    *("unpriced_before", "unpriced_after", "usd_before", "usd_after", "usd_difference"),
)
_VERSIONS = (
    *("version", "at", "who", "first_day", "last_day", "organization", "project", "model", "finished", "calls"),
    *("usd_before", "usd_after", "usd_difference"),
)


def add(commands: Any) -> None:
    """Add the commands."""
    restate = add_command(commands, "restate", "compute the cost of some days again with the prices of now", _restate)
    restate.epilog = (
        "Costs of a day stay from SPYGLASS_COST_CLOSING_HOURS after its end on; this changes them, as a new version of "
        "the price book, and keeps what they were in llm_call_restatements. Executions, edges and rollups follow when "
        "the finaliser runs next. Calls whose spans are no longer kept stay as they are."
    )
    for option, place, sentence in (("--from", "first", "the first day"), ("--to", "last", "the last day, included")):
        restate.add_argument(option, dest=place, required=True, metavar="DATE", help=f"{sentence}, UTC: 2026-01-31")
    for name in ("organization", "project", "model"):
        restate.add_argument(f"--{name}", default="", help=f"only calls of this {name}")
    restate.add_argument("--dry-run", action="store_true", help="only show what would change")
    restatements = add_command(commands, "restatements", "list when costs were restated, newest first", _restatements)
    for command in (restate, restatements):
        add_json(command)


def _restate(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.prices import restate  # noqa: PLC0415 -- a command imports what it needs

    first, last = _day(arguments.first), _day(arguments.last)
    if last < first:
        raise UsageError(f"{last} is before {first}.", "Let --to be the same day as --from, or a later one.")
    scope = restate.Scope(first, last, arguments.organization, arguments.project, arguments.model)
    client = connect()
    found = restate.preview(client, scope)
    if not arguments.dry_run and any(row["changed_calls"] for row in found):
        version = restate.restate(client, scope, lambda line: print(line, file=sys.stderr, flush=True))
        print(f"Version {version} of the price book.", file=sys.stderr)
    print_rows([_priced(row) for row in found], _COLUMNS, arguments)
    return say_if_none(found, "Every call of these days costs what the prices of now say.")


def _restatements(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.prices import versions  # noqa: PLC0415 -- a command imports what it needs

    found = versions.restatements(connect())
    print_rows([_priced(row) for row in found], _VERSIONS, arguments)
    return say_if_none(found, "No cost was ever restated.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no day.", "Write it as 2026-01-31.") from None


def _priced(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with decimals of USD; a sum over no price is None, and the difference what totals change by."""
    from spyglass.warehouse.prices.amounts import usd  # noqa: PLC0415 -- a command imports what it needs

    before, after = row["before_nano_usd"], row["after_nano_usd"]
    others: Iterable[tuple[str, Any]] = ((name, value) for name, value in row.items() if not name.endswith("_nano_usd"))
    return dict(others) | {
        "usd_before": None if before is None else usd(before),
        "usd_after": None if after is None else usd(after),
        "usd_difference": usd((after or 0) - (before or 0)),
    }
