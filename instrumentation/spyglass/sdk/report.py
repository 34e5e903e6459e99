"""Hold the words in which the SDK reports on itself: what it queues, why it drops, what became of libraries."""

from __future__ import annotations

from enum import StrEnum


class Signal(StrEnum):
    """List what the SDK queues and may have to drop."""

    SPANS = "spans"
    LOGS = "logs"


class DropReason(StrEnum):
    """Say why the SDK gave up a span or a log."""

    QUEUE_FULL = "queue_full"
    EXPORT_FAILED = "export_failed"
    SHUTDOWN = "shutdown"
    TOO_LARGE = "too_large"


class Outcome(StrEnum):
    """Say what became of the instrumentation of one library."""

    INSTRUMENTED = "instrumented"
    WAITING = "waiting"
    NO_INSTRUMENTOR = "no_instrumentor"
    FAILED = "failed"
    OFF = "off"  # by the user's own setting
