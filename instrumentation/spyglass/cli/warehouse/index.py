"""Switch the index of words in prompts and outputs on and off, and say what it costs."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from spyglass.cli.warehouse.connect import local
from spyglass.errors import UsageError

if TYPE_CHECKING:
    from spyglass.warehouse.operation.word_index import Status


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("index", help="index the words of prompts and outputs, so that a search is quick")
    parser.add_argument(
        "--prompts",
        required=True,
        choices=("on", "off", "status"),
        help="make the index, remove it, or say how it stands",
    )
    parser.add_argument("--materialise", action="store_true", help="with on: index what is stored, not only what comes")
    parser.add_argument("--yes", action="store_true", help="do not ask whether the cost is agreed to")
    parser.add_argument("--json", action="store_true", help="print one JSON object: how the index stands afterwards")
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    from spyglass.warehouse.operation import word_index  # noqa: PLC0415 -- a command imports what it needs

    if arguments.materialise and arguments.prompts != "on":
        raise UsageError("--materialise goes with --prompts on.")
    client = local()
    if arguments.prompts == "on":
        _say(_cost(word_index.status(client), whole=arguments.materialise))
        if not (arguments.yes or _agreed()):
            _say("Nothing was changed.")
            return 1
        word_index.switch_on(client)
        if arguments.materialise:
            word_index.materialise(client, _say)
    elif arguments.prompts == "off":
        word_index.switch_off(client, _say)
    after = word_index.status(client)
    print(json.dumps(asdict(after)) if arguments.json else _text(after))
    return 0


def _cost(now: Status, *, whole: bool) -> str:
    from spyglass.warehouse.operation import word_index  # noqa: PLC0415 -- a command imports what it needs

    least, most = word_index.BYTES_PER_SPAN
    dearer = word_index.INSERTS_DEARER
    there = f" Those stored now: {now.rows * least} to {now.rows * most} bytes." if whole else ""
    return (
        f"Texts: {now.rows} rows, {now.bytes} bytes on disk. The index takes {least} to {most} bytes for each span with"
        f" about 1 KB of text.{there} Inserts become {dearer[0]} to {dearer[1]} times dearer once partitions hold"
        " millions of rows."
    )


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise UsageError("Nobody can be asked here whether that is agreed to.", "Add --yes.")
    _say("Go on? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _text(now: Status) -> str:
    state = "on" if now.on else "off"
    work = f", {now.building_parts} parts to do" if now.building_parts else ""
    return f"The index is {state}: {now.index_bytes} bytes, beside texts of {now.bytes} bytes in {now.rows} rows{work}."


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
