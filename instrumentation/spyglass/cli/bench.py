"""Measure the stack and compare with its goals."""

from __future__ import annotations

import argparse
import importlib

from spyglass.bench.figures import lines

# Name, and the sentence of --help; the module of the same name has measure(running=…).
BENCHES = {
    "freshness": "span end to queryable, in each store",
    "alert": "failing runs to the message in a receiver",
    "idle": "CPU and memory of the stack at rest",
    "crash": "kill -9 in a burst: everything stored, once",
    "fleet": "200 small senders for five minutes",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    listed = "; ".join(f"{name}: {sentence}" for name, sentence in BENCHES.items())
    parser.add_argument("bench", choices=sorted(BENCHES), help=listed)
    parser.add_argument("--stack", action="store_true", help="measure the running stack, not one started for the bench")
    parser.add_argument("--json", action="store_true", help="print one JSON object per figure")


def run(arguments: argparse.Namespace) -> int:
    """Print the figures; the exit code is 1 when a goal is missed."""
    module = importlib.import_module(f"spyglass.bench.{arguments.bench}")
    figures = module.measure(running=arguments.stack)
    print("\n".join(lines(figures, as_json=arguments.json)))
    return int(any(figure.ok is False for figure in figures))
