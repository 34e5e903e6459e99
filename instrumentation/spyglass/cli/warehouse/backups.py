"""Back a warehouse up, and restore it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spyglass.cli.warehouse.connect import add_server_options, server_or_local

if TYPE_CHECKING:
    from spyglass.warehouse.operation.manifest import Manifest


def add(commands: Any) -> None:
    """Add the commands."""
    backup = commands.add_parser("backup", help="write everything that is stored into a folder, while it serves")
    backup.set_defaults(command=_backup)
    restore = commands.add_parser("restore", help="bring a backup into an empty warehouse, and compare")
    restore.set_defaults(command=_restore)
    for parser in (backup, restore):
        parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of the backup")
        parser.add_argument("--json", action="store_true", help="print one JSON object with the rows of each table")
        add_server_options(parser)


def _backup(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.operation.backup import backup  # noqa: PLC0415 -- a command imports what it needs

    return _done(backup(server_or_local(arguments), arguments.folder, _report), arguments, "backed up")


def _restore(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.operation.restore import restore  # noqa: PLC0415 -- a command imports what it needs

    return _done(restore(server_or_local(arguments), arguments.folder, _report), arguments, "restored and compared")


def _done(manifest: Manifest, arguments: argparse.Namespace, what: str) -> int:
    rows = {table: count for table, (count, _) in manifest.totals().items()}
    if arguments.json:
        print(json.dumps({"folder": str(arguments.folder), "rows": rows}))
    else:
        print(f"{sum(rows.values())} rows of {len(rows)} tables {what}.")
    return 0


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
