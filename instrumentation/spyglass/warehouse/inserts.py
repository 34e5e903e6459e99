"""Store inserts in groups: bodies for one table that wait at the same time become one insert of the engine.

An insert costs the engine tens of milliseconds however small it is, so many small senders would never drain. Native
blocks can simply follow each other in one file. Each sender is answered when its rows are on disk.

A table commits at once when it has been quiet, so few senders wait for nobody. While many send (a group had several
bodies, or some came while it was stored), it starts its next commit only after _REST times what the last one took, at
most _LONGEST_WAIT_SECONDS: so a table keeps the engine busy for a part of the time only. _GROUP_BYTES end the rest.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from spyglass.errors import StatementError
from spyglass.warehouse import codes, dead_letters, metrics
from spyglass.warehouse.engine import DATABASE, Engine
from spyglass.warehouse.statements import quote

_REST = 6
_LONGEST_WAIT_SECONDS = 1.0
_GROUP_BYTES = 8 << 20
_THREADS = 4

STORED = "stored"
DEAD_LETTER = "dead_letter"


@dataclass(frozen=True, slots=True)
class Target:
    """Name a landing table and the columns of the blocks."""

    table: str
    columns: tuple[str, ...]


@dataclass(slots=True)
class _Member:
    body: bytes
    outcome: asyncio.Future[str]


@dataclass(slots=True)
class _Lane:
    """Hold what waits for one target."""

    waiting: deque[_Member] = field(default_factory=deque)
    bytes: int = 0
    busy: bool = False
    next_start: float = 0.0
    timer: asyncio.TimerHandle | None = None


class GroupCommit:
    """Gather bodies per target and commit each group in a thread. All methods belong to one event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lanes: dict[Target, _Lane] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="commit")
        self._tasks: set[asyncio.Task[None]] = set()

    async def insert(self, target: Target, body: bytes) -> str:
        """Store a body of Native blocks; returns STORED or DEAD_LETTER once it is on disk, in one table or the other.

        Raises StatementError when it is in neither: the sender may try again.
        """
        lane = self._lanes.setdefault(target, _Lane())
        member = _Member(body, asyncio.get_running_loop().create_future())
        lane.waiting.append(member)
        lane.bytes += len(body)
        self._wake(target, lane)
        return await member.outcome

    def close(self) -> None:
        """Wait for the commits that run."""
        self._threads.shutdown(wait=True)

    def _wake(self, target: Target, lane: _Lane) -> None:
        """Start a commit now or when the interval is over, unless one runs or nothing waits."""
        if lane.busy or not lane.waiting:
            return
        delay = lane.next_start - time.monotonic()
        if delay <= 0 or lane.bytes >= _GROUP_BYTES:
            self._start(target, lane)
        elif lane.timer is None:
            lane.timer = asyncio.get_running_loop().call_later(delay, self._start, target, lane)

    def _start(self, target: Target, lane: _Lane) -> None:
        if lane.timer is not None:
            lane.timer.cancel()
            lane.timer = None
        lane.busy = True
        task = asyncio.get_running_loop().create_task(self._commit(target, lane, _take_group(lane)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _commit(self, target: Target, lane: _Lane, group: list[_Member]) -> None:
        loop = asyncio.get_running_loop()
        started = time.monotonic()
        bodies = [member.body for member in group]
        try:
            outcomes = await loop.run_in_executor(self._threads, store, self._engine, target, bodies)
        except Exception as error:  # noqa: BLE001 -- whatever happened, the senders must hear of it and try again
            outcomes = [StatementError(codes.UNKNOWN_EXCEPTION, f"{type(error).__name__}: {error}")] * len(group)
        finally:
            lane.busy = False
            took = time.monotonic() - started
            many = len(group) > 1 or bool(lane.waiting)
            lane.next_start = started + min(took * (_REST if many else 1), _LONGEST_WAIT_SECONDS)
        for member, outcome in zip(group, outcomes, strict=True):
            if member.outcome.cancelled():  # the sender went away; its rows are stored all the same
                continue
            if isinstance(outcome, StatementError):
                member.outcome.set_exception(outcome)
            else:
                member.outcome.set_result(outcome)
        self._wake(target, lane)


def _take_group(lane: _Lane) -> list[_Member]:
    group = [lane.waiting.popleft()]
    size = len(group[0].body)
    while lane.waiting and size + len(lane.waiting[0].body) <= _GROUP_BYTES:
        group.append(lane.waiting.popleft())
        size += len(group[-1].body)
    lane.bytes -= size
    return group


def store(engine: Engine, target: Target, bodies: Sequence[bytes]) -> list[str | StatementError]:
    """Insert the bodies as one, or one by one where that fails; returns the outcome of each.

    A broken body can make the engine misread those that follow it, with any error: only alone each shows its own.
    """
    try:
        _insert(engine, target, bodies)
    except StatementError as error:
        if len(bodies) > 1:
            return _store_each(engine, target, bodies, error)
        return [_bury(engine, target, bodies[0], error) if error.code in codes.NEVER_STORABLE else error]
    return [STORED] * len(bodies)


def _store_each(
    engine: Engine, target: Target, bodies: Sequence[bytes], error: StatementError
) -> list[str | StatementError]:
    outcomes: list[str | StatementError] = []
    for body in bodies:
        outcomes += store(engine, target, [body])
        last = outcomes[-1]
        if isinstance(last, StatementError) and last.code == error.code:
            # what stopped the group stops a single body as well, so it is not the data: disk full, memory …
            return outcomes + [last] * (len(bodies) - len(outcomes))
    return outcomes


def _insert(engine: Engine, target: Target, bodies: Sequence[bytes]) -> None:
    if not all(bodies):
        # clickhouse-go closes a body early without a word when it could not encode it
        raise codes.refused(codes.CANNOT_READ_ALL_DATA, "Cannot read all data: the body is empty.")
    columns = ", ".join(map(quote, target.columns))
    with metrics.COMMIT_SECONDS.labels(target.table).time(), engine.writer() as session:
        rows = session.insert(f"{DATABASE}.{quote(target.table)} ({columns})", bodies, "Native")
    metrics.INSERT_ROWS.labels(target.table).inc(rows)
    metrics.INSERT_BYTES.labels(target.table).inc(sum(map(len, bodies)))


def _bury(engine: Engine, target: Target, body: bytes, error: StatementError) -> str | StatementError:
    try:
        dead_letters.keep(engine, target.table, target.columns, body, error)
    except StatementError as failure:
        return failure
    return DEAD_LETTER
