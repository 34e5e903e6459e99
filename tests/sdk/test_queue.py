"""The queue alone, with a function in the place of the collector."""

from __future__ import annotations

from typing import Any

from spyglass.sdk.queue import ExportQueue, Sent
from spyglass.sdk.report import Signal

QUIET: dict[str, Any] = {"probes": "none", "instrument": "none"}


def test_a_span_that_ends_in_the_garbage_collector_cannot_deadlock() -> None:
    """The queue may be entered again by a span that ends while it is being entered."""
    sent: list[int] = []

    def send(batch: list[int]) -> Sent:
        sent.extend(batch)
        return Sent.OK

    queue: ExportQueue[int, int] = ExportQueue(
        Signal.SPANS, size=10, interval_seconds=0.01, prepare=lambda item: (item, 1), send=send, abort=lambda: None
    )
    with queue._lock:
        queue.put(1)
        queue._closed = True
        queue.put(2)
    assert queue.dropped.total() == 1
    queue._closed = False
    assert queue.flush(5)
    queue.shutdown(1)
    assert sent == [1]


def test_an_item_that_cannot_be_prepared_does_not_stop_the_others() -> None:
    """One broken item is dropped and counted, the rest is sent."""
    sent: list[int] = []

    def prepare(item: int) -> tuple[int, int]:
        return 10 // item, 1

    def send(batch: list[int]) -> Sent:
        sent.extend(batch)
        return Sent.OK

    queue: ExportQueue[int, int] = ExportQueue(
        Signal.LOGS, size=10, interval_seconds=0.01, prepare=prepare, send=send, abort=lambda: None
    )
    for item in (1, 0, 2):
        queue.put(item)
    queue.flush(5)
    queue.shutdown(1)
    assert sent == [10, 5]
    assert dict(queue.dropped) == {"export_failed": 1}


def test_a_batch_that_cannot_be_encoded_is_searched_for_the_culprit() -> None:
    """Only the items that break the encoder are given up."""
    sent: list[Any] = []

    def send(batch: list[int]) -> Sent:
        if 13 in batch:
            return Sent.BROKEN
        sent.extend(batch)
        return Sent.OK

    queue: ExportQueue[int, int] = ExportQueue(
        Signal.SPANS, size=100, interval_seconds=60, prepare=lambda item: (item, 1), send=send, abort=lambda: None
    )
    for item in range(20):
        queue.put(item)
    queue.flush(5)
    queue.shutdown(1)
    assert sent == [item for item in range(20) if item != 13]
    assert dict(queue.dropped) == {"export_failed": 1}
