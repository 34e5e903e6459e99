"""Measure a fleet of small senders: 200 of them, each with one request of spans and one of metrics a second."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterable

import psutil

from spyglass import stores
from spyglass.bench.figures import Figure, percentile
from spyglass.bench.senders import Sender, Tally, counters, spans
from spyglass.bench.target import settings_of
from spyglass.settings import Settings
from spyglass.stack.running import processes
from spyglass.warehouse import client

SENDERS = 200
SPANS_PER_REQUEST = 5
SECONDS = 300
DRAIN_SECONDS = 10.0
QUEUED = 'sum(otelcol_exporter_queue_size{exporter="clickhouse"})'
STORED = "SELECT count() AS rows, uniqExact(span_id) AS spans FROM spans WHERE service = {service:String}"
NEWEST = """
SELECT toFloat64(now64(6)) - toFloat64(max(timestamp + toIntervalNanosecond(duration_ns))) AS age
FROM spans WHERE service = {service:String} AND ingested_at > now() - 60
"""


def measure(*, running: bool, seconds: int = SECONDS) -> list[Figure]:
    """Return refused requests, what is queued at the end, rows, freshness and CPU."""
    with settings_of(running=running) as settings:
        service, tally = f"bench-fleet-{uuid.uuid4().hex[:8]}", Tally()
        before, started = _cpu_seconds(settings), time.monotonic()
        senders = _start(settings, service, tally, seconds)
        ages = _watch(settings, service, senders)
        elapsed = time.monotonic() - started
        cores = {part: (used - before[part]) / elapsed for part, used in _cpu_seconds(settings).items()}
        time.sleep(DRAIN_SECONDS)
        queued = stores.prometheus(settings).value(QUEUED)
        (stored,) = client.reader(settings).rows(STORED, service=service)
    sent = SENDERS * seconds * SPANS_PER_REQUEST
    return [
        Figure("requests a second", tally.acknowledged / elapsed, "1/s"),
        Figure("requests refused", tally.refused, "requests", 0, exact=True),
        Figure(
            f"bytes queued for the warehouse {DRAIN_SECONDS:.0f} s after the end",
            _number(queued),
            "bytes",
            0,
            exact=True,
        ),
        Figure(f"spans stored of {sent}", int(stored["spans"]), "spans", sent, exact=True),
        Figure("rows more than spans", int(stored["rows"]) - int(stored["spans"]), "rows", 0, exact=True),
        Figure("age of the newest span in the warehouse, p95", percentile(ages, 0.95), "s"),
        *(Figure(f"{part}, CPU", value, "cores") for part, value in cores.items()),
    ]


def _start(settings: Settings, service: str, tally: Tally, seconds: int) -> list[threading.Thread]:
    threads = [
        threading.Thread(target=_sender, args=(settings.port("otlp_http"), service, at, tally, seconds), daemon=True)
        for at in range(SENDERS)
    ]
    for thread in threads:
        thread.start()
        time.sleep(1 / SENDERS)  # spread over the second, as a fleet is
    return threads


def _sender(port: int, service: str, at: int, tally: Tally, seconds: int) -> None:
    start_ns, begun, sender = time.time_ns(), time.monotonic(), Sender(port, tally)
    for second in range(seconds):
        first = (at * seconds + second) * SPANS_PER_REQUEST + 1
        sender.post("/v1/traces", spans(service, range(first, first + SPANS_PER_REQUEST), str(at)))
        sender.post("/v1/metrics", counters(service, str(at), second, start_ns))
        time.sleep(max(0.0, begun + second + 1 - time.monotonic()))
    sender.close()


def _watch(settings: Settings, service: str, senders: Iterable[threading.Thread]) -> list[float]:
    ages, warehouse = [], client.reader(settings)
    for sender in senders:
        while sender.is_alive():
            (row,) = warehouse.rows(NEWEST, service=service)
            ages.append(float(row["age"]))
            sender.join(timeout=1.0)
    return ages


def _cpu_seconds(settings: Settings) -> dict[str, float]:
    used = {}
    for part in ("collector", "warehouse"):
        times = psutil.Process(processes(settings)[part]).cpu_times()
        used[part] = float(times.user + times.system)
    return used


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
