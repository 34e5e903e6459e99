"""Let 1,000 spans arrive each second, with the finaliser at work as in ``spyglass server``, and watch it.

The spans of a trace come over ten seconds, so most traces are written more than once, as those of real agents are.
"""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import NamedTuple

from spyglass.bench.figures import Figure, percentile
from spyglass.bench.warehouse import batches, load, questions, wire
from spyglass.bench.warehouse.batches import Slice
from spyglass.bench.warehouse.servers import Server
from spyglass.errors import SpyglassError
from spyglass.warehouse import finaliser
from spyglass.warehouse.client import Warehouse

SPANS_PER_SECOND = 1_000
SECONDS = 600
EVERY_SECONDS = 5.0
_ORGANIZATION = "live"
_REPLICA = 300
_GOAL_TICK_SECONDS = 1.0
_GOAL_BEHIND_SECONDS = 10.0
# Between the middle and the last third of the time.
_GOAL_GROWTH = 1.05
_ROLLED_UP = """
SELECT (SELECT sum(c.calls) FROM rollup_calls_minute AS c WHERE organization = {organization:String}) AS rolled_up
"""
_STORED = "SELECT count() AS spans FROM spans WHERE organization = {organization:String}"


@dataclass
class Watched:
    """Hold what was seen: seconds of each run, how far the totals were behind, memory, errors, questions asked."""

    ticks: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)
    resident_bytes: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    asked: int = 0
    sent: list[tuple[float, int]] = field(default_factory=list)

    @property
    def spans(self) -> int:
        """Return how many spans were acknowledged."""
        return self.sent[-1][1] if self.sent else 0


def measure(ours: Server, maker: Server, seconds: float) -> list[Figure]:
    """Return how the finaliser keeps up with SPANS_PER_SECOND; the batches are made in the other warehouse."""
    watched = _watch(ours, maker, seconds, until=None)
    third = len(watched.ticks) // 3
    early, late = watched.ticks[:third], watched.ticks[-third:]
    growth = percentile(late, 0.5) / percentile(early, 0.5)
    return [
        Figure(f"live for {seconds:.0f} s, spans a second", watched.spans / seconds, "1/s"),
        Figure("live, tick, p50", percentile(watched.ticks, 0.5), "s"),
        Figure("live, tick, p95", percentile(watched.ticks, 0.95), "s", _GOAL_TICK_SECONDS),
        Figure("live, tick, last third to first", growth, "x"),
        Figure("live, totals behind, most", max(watched.behind, default=float("nan")), "s", _GOAL_BEHIND_SECONDS),
        *_common("live", ours, watched),
    ]


def soak(ours: Server, maker: Server, seconds: float, until: datetime) -> list[Figure]:
    """Return errors and the growth of memory while spans arrive and dashboards ask."""
    watched = _watch(ours, maker, seconds, until)
    memory = watched.resident_bytes
    third = len(memory) // 3
    growth = percentile(memory[-third:], 0.5) / percentile(memory[third : 2 * third], 0.5)
    return [
        Figure(f"soak for {seconds:.0f} s, questions", watched.asked, "answers"),
        Figure("soak, memory, last third to second", growth, "x", _GOAL_GROWTH),
        Figure("soak, memory, most", max(memory), "bytes"),
        *_common("soak", ours, watched),
    ]


def _common(name: str, ours: Server, watched: Watched) -> list[Figure]:
    load.catch_up(ours.admin)
    stored = ours.reader.rows(_STORED, organization=f"{_ORGANIZATION}-{name}")[0]["spans"]
    rolled_up = ours.reader.rows(_ROLLED_UP, organization=f"{_ORGANIZATION}-{name}")[0]["rolled_up"]
    for error in watched.errors[:5]:
        load.progress(f"{name}: {error}")
    return [
        Figure(f"{name}, errors", len(watched.errors), "errors", 0, exact=True),
        Figure(f"{name}, spans stored", stored, "spans", watched.spans, exact=True),
        Figure(f"{name}, spans in the totals", rolled_up, "spans", watched.spans, exact=True),
    ]


def _watch(ours: Server, maker: Server, seconds: float, until: datetime | None) -> Watched:
    """Send until time is up, while others tick, look, and, with ``until``, ask the questions of a dashboard."""
    load.catch_up(ours.admin)
    watched, over = Watched(), threading.Event()
    name = f"{_ORGANIZATION}-{'live' if until is None else 'soak'}"
    others: list[Callable[[], None]] = [
        lambda: _repeat(over, EVERY_SECONDS, watched, lambda: _tick(ours, watched)),
        lambda: _repeat(over, 1.0, watched, lambda: _look(ours, watched, name)),
    ]
    if until is not None:
        others.append(lambda: _repeat(over, 0.0, watched, _asker(ours, watched, until)))
    threads = [threading.Thread(target=other, daemon=True) for other in others]
    for thread in threads:
        thread.start()
    _send(ours, maker, watched, seconds, name)
    over.set()
    for thread in threads:
        thread.join()
    return watched


def _repeat(over: threading.Event, every: float, watched: Watched, act: Callable[[], None]) -> None:
    while not over.wait(every):
        try:
            act()
        except SpyglassError as error:
            watched.errors.append(str(error))


def _tick(ours: Server, watched: Watched) -> None:
    watched.ticks.append(finaliser.finalise(ours.admin, load.NEVER).seconds)


def _look(ours: Server, watched: Watched, organization: str) -> None:
    """Compare what the totals hold with when as many spans had been acknowledged."""
    watched.resident_bytes.append(float(ours.process.memory_info().rss))
    rolled_up = ours.reader.rows(_ROLLED_UP, organization=organization)[0]["rolled_up"]
    missing = [at for at, spans in watched.sent if spans > rolled_up]
    watched.behind.append(time.monotonic() - missing[0] if missing else 0.0)


def _asker(ours: Server, watched: Watched, until: datetime) -> Callable[[], None]:
    chance = random.Random(1)  # noqa: S311 -- the same each time
    values = questions.values_of(ours.reader, until)

    def ask() -> None:
        name = chance.choice(list(values))
        ours.reader.text(questions.text("ours", name), "JSONCompact", **values[name])
        watched.asked += 1
        time.sleep(0.2)

    return ask


def _send(ours: Server, maker: Server, watched: Watched, seconds: float, organization: str) -> None:
    started, spans = time.monotonic(), 0
    for second, pieces in enumerate(_seconds(maker.admin)):
        if time.monotonic() - started >= seconds:
            return
        block = b"".join(
            wire.block(maker.admin, batches.now(piece.where, piece.replica, organization)) for piece in pieces
        )
        try:
            ours.insert(block)
        except SpyglassError as error:
            watched.errors.append(str(error))
        else:
            spans += sum(piece.spans for piece in pieces)
            watched.sent.append((time.monotonic(), spans))
        time.sleep(max(0.0, started + second + 1 - time.monotonic()))


class _Pieces(NamedTuple):
    """Name what a second brings of one replica of the base."""

    replica: int
    where: str
    spans: int


def _seconds(maker: Warehouse) -> Iterator[list[_Pieces]]:
    """Yield what comes in each second: the first piece of a new group, the second of the group before, and so on."""
    groups = list(batches.slices(maker, SPANS_PER_SECOND))
    for second in count():
        turns: dict[int, list[tuple[Slice, int]]] = defaultdict(list)
        for piece in range(min(batches.PIECES, second + 1)):
            turn, at = divmod(second - piece, len(groups))
            turns[_REPLICA + turn].append((groups[at], piece))
        yield [_pieces(replica, found) for replica, found in turns.items()]


def _pieces(replica: int, found: Sequence[tuple[Slice, int]]) -> _Pieces:
    each = [f"({group.where} AND span_no % {batches.PIECES} = {piece})" for group, piece in found]
    return _Pieces(replica, f"({' OR '.join(each)})", sum(group.pieces[piece] for group, piece in found))
