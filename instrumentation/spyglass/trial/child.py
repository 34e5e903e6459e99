"""Import libraries with instrumentation on, call a model through each if asked, and print one line for each.

    python -m spyglass.trial.child import|call INSTRUMENT LIBRARY=MODULE...

In a process of its own, because it imports what its caller must not, and a library may bring its process down.
"""

from __future__ import annotations

import importlib
import sys

import spyglass
from spyglass.testing import Captured, capture
from spyglass.trial.calls import CALLS
from spyglass.trial.report import Trial, arrived

CALL = "call"


def main(what: str, instrument: str, *libraries: str) -> None:
    """Try each library in turn; a line is printed as soon as its library is done."""
    with capture(instrument=instrument, content="full") as captured:
        for pair in libraries:
            library, _, module = pair.partition("=")
            sys.stdout.write(_tried(captured, library, module, call=what == CALL).to_json() + "\n")
            sys.stdout.flush()


def _tried(captured: Captured, library: str, module: str, *, call: bool) -> Trial:
    error, made = "", False
    try:
        importlib.import_module(module)
        if call and library in CALLS:
            made = _called(library)
    except Exception as raised:  # noqa: BLE001 -- a library may raise anything; that it does is what is to be told
        error = f"{type(raised).__name__}: {raised}".splitlines()[0]
    row = next((row for row in spyglass.instrumented() if row.library == library), None)
    found = arrived(captured.spans) if made else {}
    if row is None:
        return Trial(library, None, error=error, tried=made, **found)
    return Trial(library, row.outcome, row.by, row.detail, error, made, **found)


def _called(library: str) -> bool:
    """Call; return whether that was possible, for some libraries call models through a companion."""
    try:
        CALLS[library]()
    except ImportError:
        return False
    return True


if __name__ == "__main__":
    main(*sys.argv[1:])
