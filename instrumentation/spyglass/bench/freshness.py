"""Measure the time from the end of a span to the moment at which each store can be asked for it.

The spans come from the SDK as an agent uses it, so its delay is in the figure. Each store is asked by its own thread.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable

import spyglass
from spyglass import names, stores
from spyglass.bench.figures import Figure, percentile
from spyglass.bench.target import settings_of
from spyglass.prometheus_names import series_name
from spyglass.settings import Settings
from spyglass.warehouse import client

SAMPLES = 200
PAUSE_SECONDS = 0.15
POLL_SECONDS = 0.03
PATIENCE_SECONDS = 30.0
GOAL_SECONDS = 1.5

# What a store answers when asked: the ids of the spans' traces that it knows, of those still waited for.
Ask = Callable[[list[str]], Iterable[str]]


class _Waiting:
    """Hold when each trace's span ended, and when one store first knew it."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.ended: dict[str, float] = {}
        self.seconds: dict[str, float] = {}

    def follow(self, all_sent: threading.Event) -> None:
        """Ask until every trace is known, or until patience ends after the last was sent."""
        deadline = float("inf")
        while time.monotonic() < deadline:
            waiting = [trace for trace in list(self.ended) if trace not in self.seconds]
            if all_sent.is_set():
                deadline = min(deadline, time.monotonic() + PATIENCE_SECONDS)
                if not waiting:
                    return
            if waiting:
                self._look(waiting)
            time.sleep(POLL_SECONDS)

    def _look(self, waiting: list[str]) -> None:
        known = set(self.ask(waiting))
        now = time.time()
        self.seconds.update({trace: now - self.ended[trace] for trace in waiting if trace in known})


def measure(*, running: bool) -> list[Figure]:
    """Return p50 and p95 of the freshness of each store, in seconds, of 200 spans under light load."""
    with settings_of(running=running) as settings:
        service = f"bench-freshness-{uuid.uuid4().hex[:8]}"
        waits = {store: _Waiting(ask) for store, ask in _asks(settings, service).items()}
        all_sent = threading.Event()
        threads = [threading.Thread(target=wait.follow, args=(all_sent,), daemon=True) for wait in waits.values()]
        for thread in threads:
            thread.start()
        _send(settings, service, waits.values())
        all_sent.set()
        for thread in threads:
            thread.join()
    return [figure for store, wait in waits.items() for figure in _figures(store, wait)]


def _send(settings: Settings, service: str, waits: Iterable[_Waiting]) -> None:
    spyglass.init(
        service=service, endpoint=stores.address(settings, "otlp_http"), demo=True, probes="none", instrument="none"
    )
    for _ in range(SAMPLES):
        with spyglass.agent("bench") as run:
            pass
        ended = time.time()
        for wait in waits:
            wait.ended[run.trace_id] = ended
        time.sleep(PAUSE_SECONDS)
    spyglass.shutdown()


def _figures(store: str, wait: _Waiting) -> list[Figure]:
    # A span that never arrived counts as the whole time that was waited for it.
    seconds = [wait.seconds.get(trace, PATIENCE_SECONDS) for trace in wait.ended]
    return [
        Figure(f"span end to {store}, p50", percentile(seconds, 0.5), "s"),
        Figure(f"span end to {store}, p95 of {len(seconds)}", percentile(seconds, 0.95), "s", GOAL_SECONDS),
    ]


def _asks(settings: Settings, service: str) -> dict[str, Ask]:
    warehouse, tempo, prometheus = client.reader(settings), stores.tempo(settings), stores.prometheus(settings)
    calls = f'sum({series_name(names.CALLS)}{{service_name="{service}"}})'
    order: list[str] = []

    def in_warehouse(_: list[str]) -> Iterable[str]:
        rows = warehouse.rows("SELECT DISTINCT trace_id FROM spans WHERE service = {service:String}", service=service)
        return [row["trace_id"] for row in rows]

    def in_tempo(waiting: list[str]) -> Iterable[str]:
        return [trace for trace in waiting if tempo.trace(trace)]

    def in_search(_: list[str]) -> Iterable[str]:
        now = int(time.time())
        query = f'{{ resource.service.name = "{service}" }}'
        # Tempo cuts leading zeros of trace ids in search results.
        return [found["traceID"].zfill(32) for found in tempo.search(query, now - 600, now + 60, limit=2 * SAMPLES)]

    def in_prometheus(waiting: list[str]) -> Iterable[str]:
        order.extend(trace for trace in waiting if trace not in order)
        return order[: int(prometheus.value(calls) or 0)]

    return {
        "warehouse": in_warehouse,
        "Tempo by id": in_tempo,
        "Tempo search": in_search,
        "Prometheus": in_prometheus,
    }
