"""Build, check or list the Grafana dashboards."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from typing import Any

from spyglass.assets import folder
from spyglass.errors import ExtraMissingError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verbs and their options."""
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name, verb, sentence in (
        ("build", build, "write the JSON of all dashboards from their code"),
        ("check", check, "compare the JSON with the code and look for mistakes; exit code 1 when there is one"),
        ("list", show, "list the dashboards, their addresses and their files"),
    ):
        added = verbs.add_parser(name, help=sentence, description=f"{sentence.capitalize()}.")
        added.add_argument("--json", action="store_true", help="print one JSON object per line")
        added.set_defaults(verb=verb)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; 0 done, 1 when the check finds a mistake."""
    return int(arguments.verb(arguments, _source()))


def build(arguments: argparse.Namespace, source: Any) -> int:
    """Write the JSON and say which files changed."""
    changed = [str(path) for path in source.write()]
    for path in changed:
        print(json.dumps({"changed": path}) if arguments.json else f"changed {path}")
    if not changed and not arguments.json:
        print(f"{len(source.DASHBOARDS)} up to date")
    return 0


def check(arguments: argparse.Namespace, source: Any) -> int:
    """Print what is wrong."""
    found = source.check()
    for finding in found:
        place = " / ".join(part for part in (finding.dashboard, finding.panel) if part)
        print(json.dumps(finding._asdict()) if arguments.json else f"{place}: {finding.problem} [{finding.rule}]")
    if not found and not arguments.json:
        print(f"{len(source.DASHBOARDS)} checked, no mistake")
    return 1 if found else 0


def show(arguments: argparse.Namespace, source: Any) -> int:
    """Print each dashboard with its uid, its number of panels and its file."""
    for dashboard in source.DASHBOARDS:
        row = {
            "name": dashboard.name,
            "uid": dashboard.uid,
            "title": dashboard.title,
            "panels": sum(len(section.panels) for section in dashboard.sections),
            "file": str(source.generated(dashboard)),
        }
        print(json.dumps(row) if arguments.json else "  ".join(str(value) for value in row.values()))
    return 0


def _source() -> Any:
    """Import grafana/build.py, which is a folder of the project and no package of the distribution."""
    place = str(folder("grafana").parent)
    if place not in sys.path:
        sys.path.insert(0, place)
    try:
        return importlib.import_module("grafana.build")
    except ModuleNotFoundError as error:
        raise ExtraMissingError(str(error.name).partition(".")[0], "dashboards") from None
