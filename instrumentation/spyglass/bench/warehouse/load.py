"""Fill both warehouses with the same spans, and wait until they have nothing left to do."""

from __future__ import annotations

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from spyglass.bench.warehouse import stock, wire
from spyglass.bench.warehouse.servers import Server
from spyglass.bench.warehouse.telemetry import DAYS
from spyglass.errors import BenchError
from spyglass.warehouse import finaliser
from spyglass.warehouse.client import Warehouse

BASE_SPANS = 500_000
# No span of the generator waits for its agent.
NEVER = timedelta(days=365)
# Spans of one insert.
_AT_ONCE = 200_000
_SETTLE_SECONDS = 1_800.0
_POLL_SECONDS = 1.0
_QUIET = 3
_MERGES = "SELECT count() AS running FROM system.merges"
_DONE = "loaded.json"
# Totals by minute are kept for two weeks, and questions look back for one day of them.
_KEPT = timedelta(days=12)


@dataclass(frozen=True, slots=True)
class Loaded:
    """Say what was loaded: how many spans, and the moment that all windows end at."""

    spans: int
    until: datetime


def progress(sentence: str) -> None:
    """Say on stderr how far it is."""
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201 -- long work tells its progress


def load(ours: Server, stock_server: Server, spans: int, folder: Path | None) -> Loaded:
    """Return what is in the warehouses after loading them, or what an earlier bench left in the folder.

    Raises BenchError where the folder holds another number of spans, or such that are too old.
    """
    done = folder / _DONE if folder else None
    if done and done.exists():
        return _kept(done, spans)
    base = wire.rows(min(spans, BASE_SPANS))
    progress(f"{len(base)} spans invented")
    stock.create(stock_server)
    wire.fill((ours, stock_server), base)
    replicas = max(1, round(spans / len(base)))
    # Totals are kept by minute and hour: windows begin and end with one.
    until = datetime.now(UTC).replace(second=0, microsecond=0)
    over = threading.Event()
    with ThreadPoolExecutor() as threads:
        try:
            list(threads.map(lambda server: _insert(server, replicas, until, over), (ours, stock_server)))
        finally:
            # Where one fails or the bench is to end, the other goes no further: leaving the pool waits for it.
            over.set()
    catch_up(ours.admin)
    for server in (ours, stock_server):
        settle(server.admin)
    loaded = Loaded(len(base) * replicas, until)
    if done:
        done.write_text(json.dumps(asdict(loaded), default=str), encoding="utf-8")
    return loaded


def catch_up(admin: Warehouse) -> None:
    """Run the finaliser until no mark is left."""
    seconds, spans = 0.0, 0
    for number, run in enumerate(finaliser.catch_up(admin, NEVER, patience_seconds=finaliser.PATIENCE_SECONDS), 1):
        seconds, spans = seconds + run.seconds, spans + run.spans
        if number % 10 == 0:
            progress(f"finaliser: {spans} spans, {spans / seconds:.0f} a second")


def settle(admin: Warehouse) -> None:
    """Wait until no merge runs or begins."""
    deadline, quiet = time.monotonic() + _SETTLE_SECONDS, 0
    while quiet < _QUIET and time.monotonic() < deadline:
        running = admin.rows(_MERGES)[0]["running"]
        quiet = 0 if running else quiet + 1
        time.sleep(_POLL_SECONDS)


def _insert(server: Server, replicas: int, until: datetime, over: threading.Event) -> None:
    started = time.monotonic()
    spans = server.admin.rows("SELECT count() AS spans FROM bench.base")[0]["spans"] * replicas
    days = min(DAYS, max(1, _AT_ONCE * DAYS // spans))
    for part in wire.ages(replicas, until, days):
        if over.is_set():
            return
        wire.insert(server.admin, part)
        progress(f"{server.name}: loaded until {max(part.begins):%Y-%m-%d} after {time.monotonic() - started:.0f} s")


def _kept(done: Path, spans: int) -> Loaded:
    found = json.loads(done.read_text("utf-8"))
    if abs(found["spans"] - spans) > 0.1 * spans:
        raise BenchError(f"{done.parent} holds {found['spans']} spans.", "Give that number, or another directory.")
    until = datetime.fromisoformat(found["until"])
    if datetime.now(UTC) - until > _KEPT:
        raise BenchError(f"{done.parent} was loaded on {until:%Y-%m-%d}: its minutes go.", "Give another directory.")
    return Loaded(found["spans"], until)
