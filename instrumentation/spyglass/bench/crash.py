"""Kill parts in the middle of a burst and count what the warehouse holds afterwards: everything, once."""

from __future__ import annotations

import threading
import time
import uuid

from spyglass.bench.figures import Figure
from spyglass.bench.senders import Burst, send
from spyglass.errors import BenchError
from spyglass.stack.local import LocalStack
from spyglass.warehouse import client

SPANS = 20_000
SENDERS = 10
PER_REQUEST = 50
# How far into the burst the parts die.
KILL_AFTER_SPANS = 6_000
DRAIN_SECONDS = 120.0
POLL_SECONDS = 0.5
STORED = "SELECT count() AS rows, uniqExact(span_id) AS spans FROM spans WHERE service = {service:String}"


def measure(*, running: bool) -> list[Figure]:
    """Return the spans stored, and stored twice, after kill -9 of the warehouse, then of it and the collector."""
    if running:
        raise BenchError("bench crash kills parts and does so only in its own stack.", "Leave out --stack.")
    figures = []
    with LocalStack(only=("warehouse", "collector")) as stack:
        for victims in (("warehouse",), ("collector", "warehouse")):
            figures += _trial(stack, victims)
    return figures


def _trial(stack: LocalStack, victims: tuple[str, ...]) -> list[Figure]:
    service = f"bench-crash-{uuid.uuid4().hex[:8]}"
    port = stack.settings.port("otlp_http")
    sender = threading.Thread(target=send, args=(port, Burst(service, SPANS, SENDERS, PER_REQUEST)), daemon=True)
    sender.start()
    _wait_for(stack, service, KILL_AFTER_SPANS)
    for victim in victims:
        stack.kill(victim)
    sender.join()
    rows, spans = _wait_for(stack, service, SPANS)
    what = " and ".join(victims)
    return [
        Figure(f"kill -9 of {what}: spans stored of {SPANS}", spans, "spans", SPANS, exact=True),
        Figure(f"kill -9 of {what}: rows more than spans", rows - spans, "rows", 0, exact=True),
    ]


def _wait_for(stack: LocalStack, service: str, wanted: int) -> tuple[int, int]:
    """Return rows and spans as soon as enough spans are stored, or what there is when time is up."""
    deadline, found = time.monotonic() + DRAIN_SECONDS, (0, 0)
    while time.monotonic() < deadline:
        try:
            (row,) = client.reader(stack.settings).rows(STORED, service=service)
        except Exception:  # noqa: BLE001, S110 -- the warehouse is dead for a while, which is the point
            pass
        else:
            found = int(row["rows"]), int(row["spans"])
            if found[1] >= wanted:
                return found
        time.sleep(POLL_SECONDS)
    return found
