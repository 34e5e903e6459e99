"""Write a static HTML report from the stores."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

from spyglass import names
from spyglass.report.write import write
from spyglass.settings import load
from spyglass.stack.running import attach


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--output", default="spyglass-report.html", help="file to write (default %(default)s)")
    parser.add_argument("--hours", type=float, default=1.0, help="how far back to look (default 1)")
    parser.add_argument("--organization", default=names.DEFAULT_TENANT, help="whose data (default %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Write the page and print its path."""
    since = datetime.now(UTC) - timedelta(hours=arguments.hours)
    path = Path(arguments.output).absolute()
    write(attach(load().settings), since, arguments.organization, path)
    print(path)
    return 0
