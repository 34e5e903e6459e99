"""Count what the gateway does, for Prometheus. These names are the warehouse's part of the vocabulary."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

# outcome: stored; dead_letter (refused for ever, kept apart, answered as stored); refused (busy or stopping: 503);
# failed (the error went back to the sender)
INSERTS = Counter("spyglass_warehouse_inserts", "Inserts that ended.", ["table", "outcome"], registry=REGISTRY)
INSERT_ROWS = Counter("spyglass_warehouse_insert_rows", "Rows that were stored.", ["table"], registry=REGISTRY)
INSERT_BYTES = Counter("spyglass_warehouse_insert_bytes", "Bytes of inserts, plain.", ["table"], registry=REGISTRY)
COMMIT_SECONDS = Histogram(
    "spyglass_warehouse_commit_seconds",
    "Time that the engine took for one group of inserts.",
    ["table"],
    registry=REGISTRY,
    buckets=_SECONDS,
)
QUEUE_BYTES = Gauge("spyglass_warehouse_queue_bytes", "Bytes of inserts that wait.", registry=REGISTRY)
QUEUE_LIMIT_BYTES = Gauge(
    "spyglass_warehouse_queue_limit_bytes", "Bytes of waiting inserts from which on 503 is answered.", registry=REGISTRY
)
DEAD_LETTER_ROWS = Gauge(
    "spyglass_warehouse_dead_letter_rows",
    "Rows in the dead-letter table, by why they were refused: the engine's name of the error, or out_of_range.",
    ["source", "table", "reason"],
    registry=REGISTRY,
)
# outcome: answered; refused (it may not do that, or too many wait); cancelled (the client went away); failed
QUERIES = Counter(
    "spyglass_warehouse_queries", "Statements other than inserts that ended.", ["user", "outcome"], registry=REGISTRY
)
QUERY_SECONDS = Histogram(
    "spyglass_warehouse_query_seconds",
    "Time from a statement to the end of its answer, with the time in line.",
    ["user"],
    registry=REGISTRY,
    buckets=_SECONDS,
)
QUERY_READ_ROWS = Counter(
    "spyglass_warehouse_query_read_rows", "Rows that statements read.", ["user"], registry=REGISTRY
)
QUERY_READ_BYTES = Counter(
    "spyglass_warehouse_query_read_bytes", "Bytes that statements read, in memory.", ["user"], registry=REGISTRY
)
QUERY_ANSWER_BYTES = Counter(
    "spyglass_warehouse_query_answer_bytes", "Bytes of answers, before compression.", ["user"], registry=REGISTRY
)
QUERIES_RUNNING = Gauge(
    "spyglass_warehouse_queries_running", "Statements other than inserts that run.", ["user"], registry=REGISTRY
)
QUERIES_WAITING = Gauge(
    "spyglass_warehouse_queries_waiting", "Questions that wait until others end.", ["user"], registry=REGISTRY
)
QUERY_LOG_ROWS = Counter(
    "spyglass_warehouse_query_log_rows",
    "Rows for the query log, by outcome: stored, or dropped (too many wait, or the table cannot be written).",
    ["outcome"],
    registry=REGISTRY,
)
AUTHENTICATION_FAILURES = Counter(
    "spyglass_warehouse_authentication_failures", "Requests with a wrong user or password.", registry=REGISTRY
)
READY = Gauge("spyglass_warehouse_ready", "1 once the migrations have run.", registry=REGISTRY)


def exposition() -> bytes:
    """Return everything in Prometheus' text format."""
    return bytes(generate_latest(REGISTRY))
