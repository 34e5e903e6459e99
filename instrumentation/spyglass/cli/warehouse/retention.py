"""Show how long rows are kept, set shorter times for a project, and enforce them."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from spyglass.cli.warehouse.connect import local
from spyglass.errors import UsageError
from spyglass.warehouse.retention import groups

if TYPE_CHECKING:
    from spyglass.warehouse.client import Warehouse
    from spyglass.warehouse.operation.rules import Kept, Rule


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("retention", help="show how long rows are kept; keep those of a project shorter")
    parser.set_defaults(command=_run)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--show", action="store_true", help="print tables and rules (the default)")
    what.add_argument("--apply", action="store_true", help="delete the rows that are older than their rule says")
    parser.add_argument("--json", action="store_true", help="print JSON")
    setting = parser.add_subparsers(title="commands", metavar="COMMAND").add_parser(
        "set", help="keep rows of everybody, an organization or a project for fewer days"
    )
    setting.add_argument("group", choices=groups(), help="which tables")
    setting.add_argument("days", type=_days, help="days from arrival, at most those of the tables")
    setting.add_argument("--organization", default="", metavar="O", help="only rows of this organization")
    setting.add_argument("--project", default="", metavar="P", help="only rows of this project (with --organization)")
    setting.set_defaults(command=_set)


def _run(arguments: argparse.Namespace) -> int:
    return _apply(local(), as_json=arguments.json) if arguments.apply else _show(local(), as_json=arguments.json)


def _set(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.operation import rules  # noqa: PLC0415 -- a command imports what it needs

    if arguments.project and not arguments.organization:
        raise UsageError("--project needs --organization: projects of different organizations may share a name.")
    rules.write(local(), rules.Rule(arguments.group, arguments.organization, arguments.project, arguments.days))
    print("The rule is set; spyglass warehouse retention --apply enforces it.")
    return 0


def _apply(client: Warehouse, *, as_json: bool) -> int:
    from spyglass.warehouse.operation import rules  # noqa: PLC0415 -- a command imports what it needs

    total = 0
    for done in rules.enforce(client):
        total += done.rows
        if as_json:
            print(json.dumps(asdict(done)), flush=True)
        elif done.rows:
            print(f"{done.table}: {done.rows} rows deleted ({_rule(done.rule)})", flush=True)
    if not as_json:
        print(f"{total} rows were older than their rule says.")
    return 0


def _show(client: Warehouse, *, as_json: bool) -> int:
    from spyglass.warehouse.operation import rules  # noqa: PLC0415 -- a command imports what it needs

    tables, every = rules.kept(client), rules.rules(client)
    if as_json:
        shown = {"tables": [asdict(table) for table in tables], "rules": [asdict(rule) for rule in every]}
        print(json.dumps(shown, default=lambda moment: moment.isoformat()))
        return 0
    print(f"{'table':30} {'group':8} {'rows':>12} {'bytes':>14}  {'oldest':19} {'days':>5}")
    for table in tables:
        print(_line(table))
    for rule in every:
        print(f"rule: {_rule(rule)}")
    return 0


def _line(table: Kept) -> str:
    oldest = table.oldest.strftime("%Y-%m-%d %H:%M:%S") if table.oldest else ""
    days = "" if table.days is None else table.days
    return f"{table.table:30} {table.table_group:8} {table.rows:12} {table.bytes:14}  {oldest:19} {days:>5}"


def _rule(rule: Rule) -> str:
    who = f"{rule.organization}/{rule.project or '*'}" if rule.organization else "everybody"
    return f"{rule.table_group} of {who}: {rule.days} days"


def _days(text: str) -> int:
    days = int(text)
    if days < 1:
        raise argparse.ArgumentTypeError(f"{days} is not above 0")
    return days
