"""Check this machine and the running stack, and say how to mend what is wrong."""

from __future__ import annotations

import argparse
import json

from spyglass.stack import doctor, options
from spyglass.stack.finding import Verdict


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    options.add_data_dir(parser)
    options.add_port_offset(parser)
    parser.add_argument(
        "--probe",
        action="store_true",
        help="also make one call through each installed library to the bundled fake provider, and say what arrived",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per finding")


def run(arguments: argparse.Namespace) -> int:
    """Print what each check found; the exit code is 1 when there is something to mend."""
    verdicts = set()
    for name, finding in doctor.examine(options.load_with(arguments), probe=arguments.probe):
        verdicts.add(finding.verdict)
        if arguments.json:
            row = {"check": name, "verdict": finding.verdict, "sentence": finding.sentence, "remedy": finding.remedy}
            print(json.dumps(row), flush=True)
        else:
            print(f"{finding.verdict:7} {name:15} {finding.sentence} {finding.remedy}".rstrip(), flush=True)
    return 1 if Verdict.FAILED in verdicts else 0
