"""Time the finaliser over batches of 10,000 spans on the full table, statement by statement."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from itertools import islice
from typing import Any

from spyglass.bench.figures import Figure, percentile
from spyglass.bench.warehouse import batches, load, wire
from spyglass.bench.warehouse.servers import Server
from spyglass.warehouse import client, finaliser, passwords
from spyglass.warehouse.client import Warehouse

ROWS = 10_000
TICKS = 30
_REPLICA = 201
# Not one whose answers are compared: only ours gets these spans, and what was loaded may be kept.
_ORGANIZATION = "ticks"
_GOAL_MS = 150.0
_BIG = 20_000_000
_WORK_TABLE = re.compile(r"spyglass_work\.(\w+)_[0-9a-f]{16}")
_SUBJECT = re.compile(r"^(CREATE TABLE|INSERT INTO|DROP TABLE IF EXISTS)\s+spyglass\.(\w+)", re.MULTILINE)


class Timed(Warehouse):
    """Keep how long each statement took, by what it makes."""

    def __init__(self, server: Server) -> None:
        settings = server.settings
        super().__init__(client.local_url(settings), "admin", passwords.ensure(settings).admin, client.MACHINERY)
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def _call(self, method: str, *arguments: Any, **options: Any) -> Any:
        started = time.perf_counter()
        try:
            return super()._call(method, *arguments, **options)
        finally:
            self.seconds[_label(str(arguments[0]))].append(time.perf_counter() - started)


def measure(ours: Server, spans: int, rows: int = ROWS, count: int = TICKS) -> list[Figure]:
    """Return the time of a run over a batch that has just come, and the median of each of its statements."""
    load.catch_up(ours.admin)
    warehouse, seconds = Timed(ours), []
    for part in islice(batches.slices(ours.admin, rows), count + 1):
        ours.insert(wire.block(ours.admin, batches.now(part.where, _REPLICA, _ORGANIZATION)))
        started = time.perf_counter()
        run = finaliser.finalise(warehouse, load.NEVER)
        seconds.append(time.perf_counter() - started)
        load.progress(f"tick over {run.spans} spans: {seconds[-1] * 1e3:.0f} ms")
        if len(seconds) == 1:
            warehouse.seconds.clear()
    warehouse.close()
    # The first one reads what the finaliser remembers afterwards.
    milliseconds = [each * 1e3 for each in seconds[1:]]
    goal = _GOAL_MS if spans >= _BIG else None
    return [
        Figure(f"tick over {rows} spans, p50", percentile(milliseconds, 0.5), "ms"),
        Figure(f"tick over {rows} spans, p95 of {len(milliseconds)}", percentile(milliseconds, 0.95), "ms", goal),
        *(
            Figure(f"tick, {label}, median", percentile(each, 0.5) * 1e3, "ms")
            for label, each in sorted(warehouse.seconds.items(), key=lambda item: -sum(item[1]))
        ),
    ]


def _label(sql: str) -> str:
    found = _SUBJECT.search(_WORK_TABLE.sub(r"spyglass.work_\1", sql))
    if found:
        return f"{found[1].split(maxsplit=1)[0].lower()} {found[2]}"
    return "questions"
