"""Send traces in the worst ways together, and compare all that the finaliser makes of them with plain Python.

Each trace comes in five pieces, parents last, with a run of the finaliser between them; the pieces of all traces are
shuffled; batches are sent twice; spans come again in other batches, some under other names before; and some come after
all merges.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from spyglass.bench.figures import Figure
from spyglass.bench.warehouse import load, wire
from spyglass.bench.warehouse.batches import now
from spyglass.bench.warehouse.servers import Server, running
from spyglass.bench.warehouse.telemetry import Fleet, Row
from spyglass.bench.warehouse.truth import Price, Span, Table, Truth, span
from spyglass.warehouse import finaliser

TRACES = 300
_PIECES = 5
_BATCH = 1_000
_SENT_TWICE, _AGAIN, _LATE, _RENAMED = 0.3, 0.1, 0.05, 0.1
_WITHIN = timedelta(minutes=10)
_OLD_NAME = " (old)"
# Rows are named by one number in the conditions on the base.
_SPANS = 65_536
_MERGED = ("spans", "fact_agent_executions", "llm_calls", "trace_minutes", "rollup_calls_minute", "rollup_users_minute")
_PRICES = """
SELECT provider, model, steps.input[1] AS input, steps.cache_read[1] AS cache_read, steps.output[1] AS output
FROM model_prices WHERE valid_from <= now() AND valid_to > now()
"""
_SPAN = "SELECT *, toUnixTimestamp64Nano(Timestamp) AS start_ns FROM ({wire})"
_HOURS = """
SELECT
    (SELECT sum(c.calls) FROM rollup_calls AS c WHERE kind != 'handoff') AS calls,
    (SELECT sum(c.cost_nano_usd) FROM rollup_calls AS c) AS cost_nano_usd
"""
Key = tuple[int, int]


def measure(traces: int = TRACES) -> list[Figure]:
    """Return for each table how many rows are wrong, missing or too many, and by how much the cost errs."""
    rows = [row for trace in islice(Fleet(wire.SEED, traces * 117).traces(), traces) for row in trace]
    begin = datetime.now(UTC) - 2 * _WITHIN - timedelta(minutes=2)
    with running("ours") as server:
        wire.fill([server], rows)
        _Sender(server, begin).send(rows)
        spans = list(_sent(server, begin))
        load.progress(f"{len(spans)} spans of {traces} traces sent; comparing")
        truth = Truth(spans).tables()
        figures = [_compared(server, name, table, traces) for name, table in truth.items()]
        return [*figures, *_totals(server, spans)]


class _Sender:
    """Send rows of the base by their keys."""

    def __init__(self, server: Server, begin: datetime) -> None:
        self._server = server
        self._begin = begin
        self._chance = random.Random(5)  # noqa: S311 -- the same each time

    def send(self, rows: Sequence[Row]) -> None:
        """Send all rows in pieces, and run the finaliser after each."""
        late = {_key(row) for row in rows if self._chance.random() < _LATE}
        sent: list[Key] = []
        for piece in _pieces(rows):
            keys = [key for key in map(_key, piece) if key not in late]
            again = [key for key in sent if self._chance.random() < _AGAIN]
            old = [key for key in keys if self._chance.random() < _RENAMED]
            self._batches(old, _OLD_NAME)
            self._batches(keys + again)
            sent += keys
            finaliser.finalise(self._server.admin, load.NEVER)
        for table in _MERGED:
            self._server.admin.execute(f"OPTIMIZE TABLE spyglass.{table} FINAL")
        self._batches(sorted(late))
        load.catch_up(self._server.admin)

    def _batches(self, keys: list[Key], suffix: str = "") -> None:
        self._chance.shuffle(keys)
        for at in range(0, len(keys), _BATCH):
            chosen = ",".join(str(trace * _SPANS + number) for trace, number in keys[at : at + _BATCH])
            part = _part(self._begin, f"trace_no * {_SPANS} + span_no IN ({chosen})")
            block = wire.block(self._server.admin, replace(part, suffix=suffix))
            for _ in range(1 + (self._chance.random() < _SENT_TWICE)):
                self._server.insert(block)


def _key(row: Row) -> Key:
    return row.trace_no, row.span_no


def _pieces(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield the fifths of every trace, parents last: an agent's span has a lower number than all that it calls."""
    traces: dict[int, list[Row]] = {}
    for row in sorted(rows, key=lambda row: -row.span_no):
        traces.setdefault(row.trace_no, []).append(row)
    for piece in range(_PIECES):
        yield [row for trace in traces.values() for at, row in enumerate(trace) if at * _PIECES // len(trace) == piece]


def _part(begin: datetime, where: str) -> wire.Part:
    part = now(where, 0)
    return replace(part, begins=[begin] * len(part.days), within=_WITHIN)


def _sent(server: Server, begin: datetime) -> Iterable[Span]:
    prices: dict[tuple[str, str], Price] = {
        (row["provider"], row["model"]): (row["input"], row["cache_read"], row["output"])
        for row in server.reader.rows(_PRICES)
    }
    part = _part(begin, "1")
    rows = server.admin.rows(_SPAN.format(wire=part.select()), **part.parameters())
    return (span(row, prices) for row in rows)


def _compared(server: Server, name: str, expected: Table, traces: int) -> Figure:
    sql = wire.text(f"facts/{name}")
    found = re.search(r"-- key: (\d)", sql)
    length = int(found[1]) if found else 0
    rows = [tuple(row.values()) for row in server.reader.rows(sql)]
    stored = {row[:length]: row[length:] for row in rows}
    wrong = sum(stored.get(key) != value for key, value in expected.items())
    wrong += len(stored.keys() - expected.keys()) + len(rows) - len(stored)
    return Figure(f"facts of {traces} traces: {name} wrong, of {len(expected)}", wrong, "rows", 0, exact=True)


def _totals(server: Server, spans: Sequence[Span]) -> list[Figure]:
    """Return what the totals by hour (and by minute, of the hours that are open) say too much or too little."""
    (row,) = server.reader.rows(_HOURS)
    cost = sum(each.cost for each in spans if each.cost is not None)
    return [
        Figure("facts: spans in the totals by hour, error", row["calls"] - len(spans), "spans", 0, exact=True),
        Figure("facts: cost in the totals by hour, error", row["cost_nano_usd"] - cost, "nano-USD", 0, exact=True),
    ]
