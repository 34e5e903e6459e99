"""Ask the warehouse one of the questions that stand as files, as the read-only user."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spyglass.cli._tables import print_table
from spyglass.cli.warehouse import connect
from spyglass.errors import UsageError
from spyglass.settings import load

if TYPE_CHECKING:
    from spyglass.warehouse.client import Warehouse
    from spyglass.warehouse.questions import Parameter, Question

_FORMATS = {"json": "JSONEachRow", "csv": "CSVWithNames", "parquet": "Parquet"}
# What an option's value is kept under, so that no parameter takes the place of another option.
_VALUE = "value_"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add a command for each question, with an option for each of its parameters."""
    from spyglass.warehouse import questions  # noqa: PLC0415 -- a command imports what it needs

    parser.add_argument("--list", action="store_true", help="list the questions (so does the command alone)")
    parser.epilog = "spyglass query NAME --help shows what a question takes and what it gives."
    commands = parser.add_subparsers(title="questions", metavar="NAME", dest="question")
    for name in questions.names():
        _add(commands, questions.load(name))


def run(arguments: argparse.Namespace) -> int:
    """Print the answer; exit code 0 also where there are no rows."""
    from spyglass.warehouse import questions  # noqa: PLC0415 -- a command imports what it needs

    if arguments.question is None or arguments.list:
        return _list()
    question = questions.load(arguments.question)
    if arguments.sql:
        print(question.sql)
        return 0
    return _answer(question, questions.bind(question, _values(question, arguments)), arguments)


def _add(commands: Any, question: Question) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        question.name,
        help=question.sentence,
        description=f"{question.sentence} {question.notes}".strip(),
        epilog=_columns(question),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.description = textwrap.fill(str(parser.description), 100)
    parser._negative_number_matcher = re.compile(r"-\d")  # noqa: SLF001 -- so that --since -24h is a value, as it reads
    takes = parser.add_argument_group("parameters")
    for parameter in question.parameters:
        takes.add_argument(
            f"--{parameter.name.replace('_', '-')}",
            dest=_VALUE + parameter.name,
            metavar="TIME" if parameter.type.startswith("DateTime") else "VALUE",
            help=_help(parameter).replace("%", "%%"),
        )
    takes.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="the same, by its name")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON object per row, money in nano-USD")
    output.add_argument("--csv", action="store_true", help="print CSV with a line of names, money in nano-USD")
    output.add_argument("--parquet", metavar="FILE", help="write a Parquet file, money in nano-USD")
    output.add_argument("--sql", action="store_true", help="print the SQL and ask nothing")
    connect.add_server_options(parser)


def _help(parameter: Parameter) -> str:
    default = "required" if parameter.default is None else f"default: {parameter.default}" * bool(parameter.default)
    return parameter.sentence + (f" ({default})" if default else "")


def _columns(question: Question) -> str:
    lines = ["columns (tables show money in USD):"]
    for column in question.columns:
        meaning = f"[{column.unit}] {column.sentence}" if column.unit else column.sentence
        lines += textwrap.wrap(f"  {column.name:<28}{meaning}", 100, subsequent_indent=" " * 30)
    return "\n".join(lines)


def _list() -> int:
    from spyglass.warehouse import questions  # noqa: PLC0415 -- a command imports what it needs

    for name in questions.names():
        print(f"{name:<24}{questions.load(name).sentence}")
    return 0


def _values(question: Question, arguments: argparse.Namespace) -> dict[str, str]:
    """Return the values that were given, by the name of the parameter."""
    by_option = ((name, getattr(arguments, _VALUE + name)) for name in (each.name for each in question.parameters))
    given = [(name, value) for name, value in by_option if value is not None]
    values: dict[str, str] = {}
    for name, value in (*given, *_by_name(arguments.param)):
        if name in values:
            raise UsageError(f"{name} is given twice.")
        values[name] = value
    return values


def _by_name(texts: list[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--param {text!r} is not NAME=VALUE.")
        yield name, value


def _answer(question: Question, values: dict[str, str], arguments: argparse.Namespace) -> int:
    client = _connect(arguments)
    if arguments.parquet:
        return _write(Path(arguments.parquet), client.pieces(question.sql, _FORMATS["parquet"], **values))
    form = next((form for form in ("json", "csv") if getattr(arguments, form)), None)
    if form is None:
        print_table(client.rows(question.sql, **values))
        return 0
    for piece in client.pieces(question.sql, _FORMATS[form], **values):
        sys.stdout.buffer.write(piece)
    sys.stdout.flush()
    return 0


def _connect(arguments: argparse.Namespace) -> Warehouse:
    from spyglass.warehouse.client import reader  # noqa: PLC0415 -- a command imports what it needs

    return connect.server(arguments) if arguments.url else reader(connect.running(load().settings))


def _write(path: Path, pieces: Iterator[bytes]) -> int:
    """Write a file that is whole or not there."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as stream:
            stream.writelines(pieces)
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        partial.unlink(missing_ok=True)
    print(f"Wrote {path} ({path.stat().st_size} bytes).", file=sys.stderr)
    return 0
