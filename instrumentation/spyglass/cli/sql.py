"""Run a query on the warehouse as the read-only user."""

from __future__ import annotations

import argparse
import sys

from spyglass.cli.warehouse import running
from spyglass.errors import UsageError
from spyglass.settings import load

_FORMATS = {"json": "JSONEachRow", "csv": "CSVWithNames"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the query and the options."""
    parser.add_argument("query", help="the query, or - to read it from standard input")
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="a value for {NAME:Type} in the query"
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument(
        "--format", default="PrettyCompactMonoBlock", help="a format of ClickHouse, such as Vertical or Markdown"
    )
    output.add_argument(
        "--json", dest="format", action="store_const", const=_FORMATS["json"], help="one JSON object per row"
    )
    output.add_argument(
        "--csv", dest="format", action="store_const", const=_FORMATS["csv"], help="CSV with a line of names"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the result."""
    from spyglass.warehouse.client import reader  # noqa: PLC0415 -- a command imports what it needs

    query = sys.stdin.read() if arguments.query == "-" else arguments.query
    parameters = dict(_parameter(text) for text in arguments.param)
    client = reader(running(load().settings))
    for piece in client.pieces(query, arguments.format, **parameters):
        sys.stdout.buffer.write(piece)
    sys.stdout.flush()
    return 0


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"--param {text!r} is not NAME=VALUE.")
    return name, value
