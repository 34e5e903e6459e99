"""Replay recordings of which it is known what the provider served, and say where the warehouse counts otherwise."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from spyglass.cli._signals import end_in_order
from spyglass.cli._tables import print_table

if TYPE_CHECKING:
    from spyglass.truth.verdict import Figure, Verdict

_EPILOG = """
A recording is a JSON object with spans and logs, as the SDK writes them, and truth.calls: a row with ok,
usage_reported, input_tokens, output_tokens, cache_read and reasoning for each request that the provider served. Its
spans go through the collector into the warehouse, and the finaliser counts. Tables show counted/served.

exact: calls, and tokens where usage was reported, are those served; of what was cached or was reasoning an emitter need
not speak. Failed requests that have no span of their own, calls that failed before a request was sent, and embeddings
of which no span reports usage are noted.
flagged: every difference follows from a fact that the warehouse holds and names, such as calls without usage.
different: it does not; the exit code is 1.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("places", nargs="+", metavar="FILE", help="recording with truth, or a folder of them (*.json)")
    parser.add_argument("--stack", action="store_true", help="count in the running stack, not in one started for this")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n\n".join(textwrap.fill(part, 100) for part in _EPILOG.strip().split("\n\n"))


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison; 1 where a recording differs without a flag, 2 when a file is bad (nothing is sent)."""
    from spyglass.truth import compare, recordings  # noqa: PLC0415 -- a command imports what it needs

    end_in_order()
    read = [recordings.read(path) for path in recordings.find(arguments.places)]
    verdicts = compare.compare(read, running=arguments.stack, say=_say)
    total = _total(verdicts)
    if arguments.json:
        print(json.dumps({"recordings": [verdict.as_json() for verdict in verdicts], "total": total}))
    else:
        _print(verdicts, total)
    return int(total["different"] > 0)


def _say(what: str) -> None:
    print(what, file=sys.stderr)


def _total(verdicts: Sequence[Verdict]) -> dict[str, int]:
    exact = sum(verdict.exact for verdict in verdicts)
    flagged = sum(verdict.flagged for verdict in verdicts)
    different = len(verdicts) - exact - flagged
    return {"recordings": len(verdicts), "exact": exact, "flagged": flagged, "different": different}


def _print(verdicts: Sequence[Verdict], total: dict[str, int]) -> None:
    print_table([_row(verdict) for verdict in verdicts])
    for verdict in verdicts:
        for sentence in (*verdict.differences, *verdict.flags, *verdict.notes):
            print(f"{verdict.recording}: {sentence}")
    print(", ".join(f"{number} {name}" for name, number in total.items()))


def _row(verdict: Verdict) -> dict[str, Any]:
    return {
        "recording": verdict.recording,
        "verdict": "exact" if verdict.exact else "flagged" if verdict.flagged else "different",
        "calls": _pair(verdict.calls),
        **{name: _pair(figure) for name, figure in verdict.tokens.items()},
        "unknown": verdict.calls.unknown_calls,
        "tools": verdict.tool_calls,
        "agents": verdict.agents,
    }


def _pair(figure: Figure) -> str:
    counted, truth = ("-" if number is None else str(number) for number in (figure.counted, figure.truth))
    return f"{counted}/{truth}"
