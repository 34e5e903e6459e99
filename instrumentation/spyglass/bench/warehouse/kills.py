"""Kill the warehouse twelve times in the middle of inserts that are tried again, while the finaliser works."""

from __future__ import annotations

import http.client
import random
import threading
import time
from itertools import islice

from spyglass.bench.figures import Figure
from spyglass.bench.warehouse import batches, load, wire
from spyglass.bench.warehouse.servers import Server, running
from spyglass.errors import BenchError, SpyglassError
from spyglass.stack.parts import WAREHOUSE
from spyglass.warehouse import finaliser

KILLS = 12
_BATCHES_PER_KILL = 4
_ROWS = 500
_REPLICA = 1
_RETRY_SECONDS = 0.2
_TICK_SECONDS = 0.3
# A kill comes this long after a batch at most, so it meets the next ones at any point.
_LATEST_SECONDS = 0.4
_PATIENCE_SECONDS = 300.0
_SENT = """
SELECT count() AS spans, sum(toInt64(round(toFloat64OrNull(SpanAttributes['spyglass.cost.amount']) * 1e9))) AS cost
FROM ({wire})
"""
_STORED = """
SELECT
    (SELECT count() FROM spans) AS rows,
    (SELECT uniqExact(trace_id, span_id) FROM spans) AS unique,
    (SELECT sum(c.calls) FROM rollup_calls AS c WHERE kind != 'handoff') AS rolled_up,
    (SELECT sum(f.spans) FROM fact_agent_executions AS f) + (SELECT countIf(kind = 'workflow') FROM spans) AS in_facts,
    (SELECT sum(s.cost_nano_usd) FROM spans AS s) AS cost_of_spans,
    (SELECT sum(c.cost_nano_usd) FROM llm_calls AS c) AS cost_of_calls,
    (SELECT sum(c.cost_nano_usd) FROM rollup_calls AS c) AS cost_rolled_up,
    (SELECT sum(f.token_cost_nano_usd) FROM fact_agent_executions AS f) AS cost_of_facts
"""
_COUNTS = ("rows", "unique", "rolled_up", "in_facts")


def measure(kills: int = KILLS) -> list[Figure]:
    """Return what is stored, unique, in the totals and in the facts, with its cost, of what was sent."""
    with running("ours") as server:
        wire.fill([server], wire.rows(kills * _BATCHES_PER_KILL * _ROWS * 2))
        chosen = list(islice(batches.slices(server.admin, _ROWS), kills * _BATCHES_PER_KILL))
        where = f"trace_no <= {chosen[-1].last}"
        part = batches.now(where, _REPLICA)
        (sent,) = server.admin.rows(_SENT.format(wire=part.select()), **part.parameters())
        _Burst(server, [wire.block(server.admin, batches.now(each.where, _REPLICA)) for each in chosen]).run(kills)
        (stored,) = server.reader.rows(_STORED)
    return [
        *(
            Figure(f"{kills} kills: spans, {name}", stored[name], "spans", sent["spans"], exact=True)
            for name in _COUNTS
        ),
        *(
            Figure(f"{kills} kills: {name}, error", value - sent["cost"], "nano-USD", 0, exact=True)
            for name, value in stored.items()
            if name not in _COUNTS
        ),
    ]


class _Burst:
    """Send blocks, each until it is acknowledged, while the finaliser runs and the warehouse is killed."""

    def __init__(self, server: Server, blocks: list[bytes]) -> None:
        self._server = server
        self._blocks = blocks
        self._acknowledged = 0
        self._over = threading.Event()

    def run(self, kills: int) -> None:
        """Return when all is stored and the finaliser has caught up; raises BenchError where that takes too long."""
        threads = [threading.Thread(target=target, daemon=True) for target in (self._send, self._tick)]
        for thread in threads:
            thread.start()
        try:
            self._kill(kills)
            threads[0].join(_PATIENCE_SECONDS)
        finally:
            self._over.set()
            threads[1].join()
        if self._acknowledged < len(self._blocks):
            raise BenchError("Not every batch was acknowledged.", "Look at the warehouse's log.")
        load.catch_up(self._server.admin)

    def _kill(self, kills: int) -> None:
        chance = random.Random(3)  # noqa: S311 -- the same each time
        for kill in range(kills):
            while self._acknowledged < kill * _BATCHES_PER_KILL + 1:
                time.sleep(_RETRY_SECONDS / 10)
            time.sleep(chance.uniform(0, _LATEST_SECONDS))
            self._server.stack.kill(WAREHOUSE)
            self._server.stack.wait(WAREHOUSE)
            load.progress(f"killed {kill + 1} times, {self._acknowledged} batches acknowledged")

    def _send(self) -> None:
        for block in self._blocks:
            while not self._stored(block):
                time.sleep(_RETRY_SECONDS)
            self._acknowledged += 1

    def _stored(self, block: bytes) -> bool:
        try:
            self._server.insert(block)
        except (OSError, http.client.HTTPException, BenchError):
            return False
        return True

    def _tick(self) -> None:
        while not self._over.wait(_TICK_SECONDS):
            try:
                finaliser.finalise(self._server.admin, load.NEVER)
            except SpyglassError:
                continue  # the warehouse is dead for a while, which is the point
