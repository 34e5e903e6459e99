"""Compare what calls cost with an invoice."""

from __future__ import annotations

import argparse
import sys
from decimal import Decimal, InvalidOperation
from typing import Any

from spyglass.cli.prices.common import add_command, add_json, connect, print_rows
from spyglass.errors import UsageError

_COLUMNS = (
    *("day", "model", "calls", "unpriced_calls", "coverage", "usd_computed", "usd_billed", "usd_difference"),
    *("percent", "side", "verdict"),
)


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands, "reconcile", "compare costs with an invoice; exit code 1 where they differ too much", _reconcile
    )
    parser.epilog = (
        "The invoice is the CSV of the cost export of OpenAI or Anthropic, or FOCUS 1.x with a day per line. Costs are "
        "compared per day (UTC) and model; what only one side has differs too much, whatever the tolerance. Taxes, "
        "credits and searches are summed apart."
    )
    parser.add_argument("invoice", metavar="INVOICE.csv")
    parser.add_argument("--provider", default="", help="whose invoice it is, where that is not in it, such as openai")
    parser.add_argument(
        "--tolerance", default="1", metavar="PERCENT", help="difference that is no finding (default: %(default)s)"
    )
    add_json(parser)


def _reconcile(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.prices import invoice, reconcile  # noqa: PLC0415 -- a command imports what it needs

    percent = _percent(arguments.tolerance)
    found = reconcile.reconcile(connect(), invoice.read(arguments.invoice), arguments.provider)
    rows = [_judged(reconcile.described(each), each.is_within(percent)) for each in found.comparisons]
    print_rows(rows, _COLUMNS, arguments)
    total = reconcile.described(found.total)
    print(
        f"computed {total['usd_computed']} USD, billed {total['usd_billed']} USD, difference {total['usd_difference']} "
        f"USD ({total['percent']} %); coverage {total['coverage']}; billed for other things {found.other_usd} USD.",
        file=sys.stderr,
    )
    return int(any(row["verdict"] != "ok" for row in rows))


def _judged(row: dict[str, Any], is_within: bool) -> dict[str, Any]:  # noqa: FBT001 -- the one thing to judge by
    return row | {"verdict": "ok" if is_within else "differs"}


def _percent(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value.is_signed():
        raise UsageError(f"{text!r} is no tolerance.", "It is a percentage such as 0.5.")
    return value
