"""Measure the stack and compare with its goals."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from spyglass.bench.figures import Figure, lines
from spyglass.cli._signals import end_in_order
from spyglass.errors import UsageError

# Name, and the sentence of --help; the module of the same name has measure(running=…).
BENCHES = {
    "freshness": "span end to queryable, in each store",
    "alert": "failing runs to the message in a receiver",
    "idle": "CPU and memory of the stack at rest",
    "crash": "kill -9 in a burst: everything stored, once",
    "fleet": "200 small senders for five minutes",
    "normalise": "what normalising takes of CPU for each span, on mixed recordings",
    "warehouse": "the warehouse against the schema that the collector's exporter makes, and against plain Python",
}
_WAREHOUSE = "warehouse"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    listed = "; ".join(f"{name}: {sentence}" for name, sentence in BENCHES.items())
    parser.add_argument("bench", choices=sorted(BENCHES), help=listed)
    parser.add_argument("--stack", action="store_true", help="measure the running stack, not one started for the bench")
    parser.add_argument("--json", action="store_true", help="print one JSON object per figure")
    group = parser.add_argument_group(
        "bench warehouse", "It needs 0.6 kB of disk for each span, and says how far it is."
    )
    group.add_argument("--spans", type=_count, metavar="N", help="load so many spans (default 5,000,000)")
    group.add_argument(
        "--parts",
        metavar="A,B",
        help="measure these parts: disk, questions, inserts, ticks, live, soak, facts, crash (default: all but soak)",
    )
    group.add_argument(
        "--keep", type=Path, metavar="DIR", help="load into DIR, or use what an earlier bench loaded there"
    )
    group.add_argument("--seconds", type=_count, metavar="S", help="let 1,000 spans a second arrive for so long (600)")
    group.add_argument("--soak", type=_count, metavar="S", help="then insert and ask for so long, and watch the memory")


def run(arguments: argparse.Namespace) -> int:
    """Print the figures; the exit code is 1 when a goal is missed, and that of Ctrl-C after SIGTERM."""
    end_in_order()
    figures = _warehouse(arguments) if arguments.bench == _WAREHOUSE else _stack(arguments)
    print("\n".join(lines(figures, as_json=arguments.json)))
    return int(any(figure.ok is False for figure in figures))


def _stack(arguments: argparse.Namespace) -> list[Figure]:
    for option in ("spans", "parts", "keep", "seconds", "soak"):
        if getattr(arguments, option) is not None:
            raise UsageError(f"--{option} is an option of bench warehouse.", "Leave it out.")
    module = importlib.import_module(f"spyglass.bench.{arguments.bench}")
    figures: list[Figure] = module.measure(running=arguments.stack)
    return figures


def _warehouse(arguments: argparse.Namespace) -> list[Figure]:
    from spyglass.bench import warehouse  # noqa: PLC0415 -- a command imports what it needs

    if arguments.stack:
        raise UsageError("bench warehouse starts warehouses of its own.", "Leave out --stack.")
    parts = arguments.parts.split(",") if arguments.parts else list(warehouse.DEFAULT_PARTS)
    if arguments.soak and "soak" not in parts:
        parts.append("soak")
    given = {
        "parts": tuple(parts),
        "spans": arguments.spans,
        "seconds": arguments.seconds,
        "soak_seconds": arguments.soak,
        "keep": arguments.keep,
    }
    return warehouse.measure(warehouse.Options(**{name: value for name, value in given.items() if value is not None}))


def _count(text: str) -> int:
    """Return a whole number above 0."""
    digits = text.replace(",", "").replace("_", "")
    if not digits.isdecimal() or int(digits) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(digits)
