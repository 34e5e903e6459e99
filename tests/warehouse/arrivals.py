"""Send spans in all the ways in which they come."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tests.warehouse.runs import Span, renamed
from tests.warehouse.wire import Server

Arrival = Callable[[Server, list[Span], Callable[[], object]], None]


def send(server: Server, spans: Sequence[Span], size: int = 50) -> None:
    """Insert spans as the collector does, in batches of this size."""
    for at in range(0, len(spans), size):
        assert server.insert("otel_traces", [span.row() for span in spans[at : at + size]]).status == 200


def in_order(server: Server, spans: list[Span], _: Callable[[], object]) -> None:
    """Send the spans as they began."""
    send(server, spans)


def shuffled(server: Server, spans: list[Span], _: Callable[[], object]) -> None:
    """Send the spans in any order."""
    random.Random(1).shuffle(spans)  # noqa: S311 -- the same each time
    send(server, spans, 37)


def again_in_other_batches(server: Server, spans: list[Span], tick: Callable[[], object]) -> None:
    """Send a third of the spans twice, in other batches and after a run."""
    send(server, spans, 50)
    tick()
    send(server, spans[::3], 17)


def parents_last_in_pieces(server: Server, spans: list[Span], tick: Callable[[], object]) -> None:
    """Send the spans in five pieces, children before their parents, a run after each."""
    spans.sort(key=lambda span: -span.number)
    size = len(spans) // 5 + 1
    for at in range(0, len(spans), size):
        send(server, spans[at : at + size])
        tick()


def renamed_in_between(server: Server, spans: list[Span], tick: Callable[[], object]) -> None:
    """Send the agents under other names first, and as they are after a run."""
    send(server, renamed(spans) + [span for span in spans if span.kind != "agent"])
    tick()
    send(server, [span for span in spans if span.kind == "agent"])


ARRIVALS: tuple[Arrival, ...] = (in_order, shuffled, again_in_other_batches, parents_last_in_pieces, renamed_in_between)
