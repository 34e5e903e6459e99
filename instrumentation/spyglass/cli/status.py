"""Show which parts run and whether they are ready."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from spyglass.errors import StackNotRunningError
from spyglass.stack import options
from spyglass.stack.status import Row, rows

NOT_READY, NOT_RUNNING = 1, 3
HEADER = ("PART", "STATE", "READY", "PID", "RESTARTS", "UPTIME", "CPU", "MEMORY")
MEBIBYTE = 1 << 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    options.add_data_dir(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object per part")


def run(arguments: argparse.Namespace) -> int:
    """Print the parts; the exit code is 0 when all are ready, 1 when one is not, 3 when no stack runs."""
    try:
        found = rows(options.settings_of(arguments))
    except StackNotRunningError as error:
        print(f"spyglass: {error}", file=sys.stderr)
        return NOT_RUNNING
    if arguments.json:
        print("\n".join(json.dumps(asdict(row)) for row in found))
    else:
        _print_table([HEADER, *map(_cells, found)])
    return 0 if all(row.ready for row in found) else NOT_READY


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.part,
        row.state,
        "yes" if row.ready else "no",
        _text(row.pid, "{}"),
        str(row.restarts),
        _duration(row.uptime_seconds),
        _text(row.cpu_cores, "{:.2f}"),
        _text(row.rss_bytes and row.rss_bytes / MEBIBYTE, "{:.0f} MiB"),
    )


def _text(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s"


def _print_table(lines: list[tuple[str, ...]]) -> None:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        print("  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())
