"""Send recordings through a collector, and wait until the warehouse has all of their spans."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import NamedTuple

from spyglass.demo.replay import rewrite
from spyglass.demo.replay.recordings import Request
from spyglass.demo.replay.sender import Sender
from spyglass.demo.replay.split import pieces
from spyglass.errors import BenchError
from spyglass.truth.recordings import Recording
from spyglass.warehouse.client import Warehouse

PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.1
# Recordings follow each other with this pause: the finaliser joins calls of one process that happen at the same time.
_PAUSE_NS = 10**9
_STORED = """
SELECT count() AS spans FROM
(
    SELECT DISTINCT trace_id, span_id FROM spyglass.spans WHERE trace_id IN {traces:Array(String)}
)
"""
# The finaliser looks at a trace from when to when its marks say that it goes, and these come after the spans.
_UNMARKED = """
SELECT count() AS traces FROM
(
    SELECT trace_id, min(timestamp) AS first, max(timestamp + toIntervalNanosecond(duration_ns)) AS last
    FROM spyglass.spans WHERE trace_id IN {traces:Array(String)} GROUP BY trace_id
) AS s
LEFT JOIN
(
    SELECT trace_id AS of_trace, min(started_at) AS marked_first, max(ended_at) AS marked_last
    FROM spyglass.dirty_traces WHERE trace_id IN {traces:Array(String)} GROUP BY trace_id
) AS m ON of_trace = trace_id
WHERE of_trace = '' OR marked_first > first OR marked_last < last
"""


class Played(NamedTuple):
    """Say under which trace ids the spans of a recording are in the warehouse, and how many spans that are."""

    name: str
    traces: list[str]
    spans: int


def prepare(recordings: Sequence[Recording], now_ns: int, *, renew: bool) -> list[Recording]:
    """Return recordings that begin after each other, the last one ending now, none with a trace id of another.

    ``renew`` gives new ids to all of them, not only to those that share one.
    """
    made: list[Recording] = []
    known: set[str] = set()
    end = now_ns
    for recording in reversed(recordings):
        ids = rewrite.Ids() if renew or not known.isdisjoint(_traces(recording)) else None
        moved, end = _moved(recording, end, ids)
        known.update(_traces(moved))
        made.insert(0, moved)
    return made


def send(recordings: Iterable[Recording], endpoint: str) -> list[Played]:
    """Send recordings in their order; raises CollectorUnreachableError, and BenchError where something is refused."""
    played: list[Played] = []
    with closing(Sender(endpoint)) as sender:
        sender.check()
        for recording in recordings:
            for request in recording.requests:
                _send(recording.name, request, sender)
            played.append(Played(recording.name, sorted(_traces(recording)), len(recording.spans)))
    return played


def wait(warehouse: Warehouse, played: Sequence[Played], patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Return when all spans are in the warehouse; raises BenchError when they are not in time."""
    deadline = time.monotonic() + patience_seconds
    for recording in played:
        while not _is_there(warehouse, recording):
            if time.monotonic() > deadline:
                problem = f"{recording.name}: the warehouse has not got all of its {recording.spans} spans"
                raise BenchError(f"{problem} after {patience_seconds:.0f} s.", "See: spyglass warehouse dead-letters.")
            time.sleep(_POLL_SECONDS)


def _is_there(warehouse: Warehouse, recording: Played) -> bool:
    (stored,) = warehouse.rows(_STORED, traces=recording.traces)
    if stored["spans"] < recording.spans:
        return False
    (unmarked,) = warehouse.rows(_UNMARKED, traces=recording.traces)
    return bool(unmarked["traces"] == 0)


def _send(name: str, request: Request, sender: Sender) -> None:
    for piece in pieces(request):
        outcome = sender.send(request.signal.path, piece.body, piece.count)
        if outcome.refused:
            raise BenchError(f"{name}: the collector refused {outcome.refused} of its items: {outcome.reason}.")


def _moved(recording: Recording, end_ns: int, ids: rewrite.Ids | None) -> tuple[Recording, int]:
    """Return the recording with its end moved to a moment, and the moment before it at which another may end."""
    requests = copy.deepcopy(recording.requests)
    periods = [period for request in requests if (period := rewrite.times(request.document))]
    shift = end_ns - max((period.newest for period in periods), default=end_ns)
    for request in requests:
        rewrite.shift(request.document, shift)
        if ids:
            rewrite.renew_ids(request.document, ids)
    begin = min((period.oldest for period in periods), default=end_ns) + shift
    return recording._replace(requests=requests), begin - _PAUSE_NS


def _traces(recording: Recording) -> set[str]:
    return {trace for trace, _ in recording.spans}
