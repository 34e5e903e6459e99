"""Look at what a program would send, in memory: for users' tests and for our own.

    with capture(content="full") as captured:
        my_agent.run("hello")
    assert captured.span("invoke_agent planner").attributes["gen_ai.agent.name"] == "planner"

Ids count up from 1 and the clock advances 1 ms at each reading, so a whole trace can be compared with a snapshot. What
is captured has gone the whole way: redaction, truncation, the queues.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.id_generator import IdGenerator

from spyglass.sdk import lifecycle, notices
from spyglass.sdk.assembly import Outside, assemble
from spyglass.sdk.queue import Sent
from spyglass.settings import load

__all__ = ["Captured", "CountingIds", "SteppingClock", "capture"]

FLUSH_SECONDS = 10.0
START_NS = 1_767_225_600_000_000_000  # 2026-01-01 00:00 UTC
STEP_NS = 1_000_000


class SteppingClock:
    """A clock that starts on 2026-01-01 and advances 1 ms at each reading."""

    def __init__(self) -> None:
        self._now = START_NS

    def __call__(self) -> int:
        """Return the time in nanoseconds since 1970, and advance."""
        self._now += STEP_NS
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += int(seconds * 1e9)


class CountingIds(IdGenerator):
    """Trace and span ids that count up from 1."""

    def __init__(self) -> None:
        self._trace = self._span = 0

    def generate_trace_id(self) -> int:
        """Return the next trace id."""
        self._trace += 1
        return self._trace

    def generate_span_id(self) -> int:
        """Return the next span id."""
        self._span += 1
        return self._span


class Captured:
    """Hold what was sent so far; reading flushes first."""

    def __init__(self, clock: SteppingClock) -> None:
        self.clock = clock
        self._spans: list[ReadableSpan] = []
        self._logs: list[ReadableLogRecord] = []
        self._reader = InMemoryMetricReader()

    @property
    def spans(self) -> list[ReadableSpan]:
        """Return all spans, in the order in which they ended."""
        lifecycle.flush(FLUSH_SECONDS)
        return list(self._spans)

    @property
    def logs(self) -> list[ReadableLogRecord]:
        """Return all log records and events, in the order in which they were emitted."""
        lifecycle.flush(FLUSH_SECONDS)
        return list(self._logs)

    def span(self, name: str) -> ReadableSpan:
        """Return the one span of this name; raises LookupError for none or several."""
        found = [span for span in self.spans if span.name == name]
        if len(found) != 1:
            raise LookupError(f"{len(found)} spans are named {name!r}; there are {[span.name for span in self.spans]}.")
        return found[0]

    def attributes(self, name: str) -> Mapping[str, Any]:
        """Return the attributes of the one span of this name."""
        return self.span(name).attributes or {}

    def tree(self) -> list[tuple[int, str]]:
        """Return (depth, name) of all spans, children below their parents in the order of their start."""
        spans = sorted(self.spans, key=lambda span: span.start_time or 0)
        known = {span.context.span_id for span in spans if span.context}
        rows: list[tuple[int, str]] = []

        def visit(parent: int | None, depth: int) -> None:
            for span in spans:
                above = span.parent.span_id if span.parent and span.parent.span_id in known else None
                if above == parent and span.context:
                    rows.append((depth, span.name))
                    visit(span.context.span_id, depth + 1)

        visit(None, 0)
        return rows

    def points(self, metric: str) -> list[tuple[Mapping[str, Any], float]]:
        """Return (attributes, value) of each point that a counter or gauge has now."""
        data = self._reader.get_metrics_data()
        return [
            (point.attributes or {}, getattr(point, "value", 0.0))
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for found in scope.metrics
            if found.name == metric
            for point in found.data.data_points
        ]

    def _take_spans(self, batch: list[Any]) -> Sent:
        self._spans += batch
        return Sent.OK

    def _take_logs(self, batch: list[Any]) -> Sent:
        self._logs += batch
        return Sent.OK


@contextmanager
def capture(**settings: object) -> Iterator[Captured]:
    """Run spyglass in memory with these settings; the environment and the settings file do not count.

    Libraries are not instrumented and probes are off unless the settings say so. A running spyglass is shut down first.
    """
    lifecycle.shutdown()
    clock = SteppingClock()
    captured = Captured(clock)
    given = {"instrument": "none", "probes": "none", "service": "test", **settings}
    outside = Outside(
        captured._take_spans,  # noqa: SLF001 -- its own class
        captured._take_logs,  # noqa: SLF001 -- its own class
        captured._reader,  # noqa: SLF001 -- its own class
        clock=clock,
        ids=CountingIds(),
    )
    lifecycle.adopt(assemble(load(given, {"SPYGLASS_CONFIG": os.devnull}).settings, outside))
    try:
        yield captured
        lifecycle.flush(FLUSH_SECONDS)
    finally:
        lifecycle.shutdown()
        notices.said.clear()
