"""List, build or locate the programs of the stack."""

from __future__ import annotations

import argparse
import json
from typing import Any

from spyglass.settings import Settings, load
from spyglass.stack import programs
from spyglass.stack.catalogue import PROGRAMS


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show each program, its version, and where it comes from")
    listing.add_argument("--json", action="store_true", help="print one JSON object per program")
    listing.set_defaults(action=_list)
    building = actions.add_parser("build", help="build what is neither configured, nor on PATH, nor built yet")
    building.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(PROGRAMS)} (default: all)")
    building.add_argument("--json", action="store_true", help="print one JSON object per program")
    building.set_defaults(action=_build)
    path = actions.add_parser("path", help="print the path of a program, building it first where needed")
    path.add_argument("name", metavar="NAME", help=f"one of {', '.join(PROGRAMS)}")
    path.set_defaults(action=_path)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; raises ProgramError, whose exit code is 1."""
    arguments.action(load().settings, arguments)
    return 0


def _list(settings: Settings, arguments: argparse.Namespace) -> None:
    _show([programs.find(name, settings) for name in PROGRAMS], as_json=arguments.json)


def _build(settings: Settings, arguments: argparse.Namespace) -> None:
    names = arguments.names or list(PROGRAMS)
    for name in names:
        programs.find(name, settings)  # so that a mistyped name or path is told before minutes of building
    for name in names:
        programs.locate(name, settings)
    _show([programs.find(name, settings) for name in names], as_json=arguments.json)


def _path(settings: Settings, arguments: argparse.Namespace) -> None:
    print(programs.locate(arguments.name, settings))


def _show(found: list[programs.Found], *, as_json: bool) -> None:
    for row in found:
        if as_json:
            path = str(row.path) if row.path else None
            shown: dict[str, Any] = {"name": row.name, "version": row.version, "state": row.state, "path": path}
            print(json.dumps(shown))
        else:
            print(f"{row.name:16}{row.version or 'unknown':14}{row.state:12}{row.path or ''}".rstrip())
