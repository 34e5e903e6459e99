"""Print every setting, its value and where it comes from."""

from __future__ import annotations

import argparse
import json
import sys

from spyglass.settings import ROWS, Loaded, load, variable

SECRET = "(set)"  # noqa: S105 -- what is printed in place of a secret


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--json", action="store_true", help="print one JSON object per setting")


def run(arguments: argparse.Namespace) -> int:
    """Print the settings; the exit code is 2 when a SPYGLASS_ variable is unknown."""
    loaded = load()
    rows = [_row(loaded, name) for name in ROWS]
    if arguments.json:
        print("\n".join(json.dumps(row) for row in rows))
    else:
        width = max(len(row["variable"]) for row in rows)
        for row in rows:
            print(f"{row['variable']:{width}}  {row['value']!r:26}  {row['source']:12}  {row['sentence']}")
    for error in loaded.unknown:
        print(f"spyglass: {error}", file=sys.stderr)
    return 2 if loaded.unknown else 0


def _row(loaded: Loaded, name: str) -> dict[str, str]:
    value = getattr(loaded.settings, name)
    if ROWS[name].metadata["secret"] and value:
        value = SECRET
    return {
        "variable": variable(name),
        "value": value,
        "source": loaded.sources[name],
        "sentence": ROWS[name].metadata["sentence"],
    }
