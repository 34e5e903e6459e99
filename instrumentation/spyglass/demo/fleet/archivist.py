"""Sort an archive with a slow model of one's own, which has no price."""

from __future__ import annotations

import logging
import time

import spyglass
from spyglass.demo.fleet.house_model import ask_streaming
from spyglass.demo.fleet.visits import Visits

MODEL = "acme-7b-slow"
BOXES = ("letters from Oslo", "photographs of bridges", "minutes of the council", "maps of the coast")
log = logging.getLogger("archivist")


@spyglass.tool("open_box")
def open_box(name: str) -> str:
    """Open a box; the old ones take longer."""
    time.sleep(0.1 if "maps" in name else 0.3)
    return f"{len(name)} sheets of {name}"


@spyglass.agent("archivist")
def sort_box(name: str) -> str:
    """Describe the content of one box."""
    label = ask_streaming(MODEL, f"Describe {open_box(name)}.", provider="vllm")
    log.info("The box of %s: %s", name, label)
    return label


def main(visits: Visits) -> None:
    """Sort one box per visit."""
    spyglass.init(service="archivist", project="newsroom", instrument="none")
    for visit in visits:
        with visit, spyglass.session(user=visit.user, session=visit.session):
            sort_box(BOXES[visit.number % len(BOXES)])
    spyglass.shutdown()
