"""Give a program its work: visits of several users, one after the other, at a steady rate."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from types import TracebackType

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

USERS = ("ada", "barbara", "edsger", "grace", "niklaus")
VISITS_PER_SESSION = 3


class Visit(AbstractContextManager["Visit"]):
    """Hold one piece of work; as a context manager it counts how the work went, and lets the program go on."""

    def __init__(self, number: int, session: str, visits: Visits) -> None:
        self.number = number
        self.session = session
        self.user = USERS[number // VISITS_PER_SESSION % len(USERS)]
        self.arrived = time.monotonic()
        self._visits = visits

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_: TracebackType | None
    ) -> bool:
        failed = isinstance(error, Exception)
        self._visits.ended(failed=failed)
        return failed


class Visits:
    """Iterate over visits, ``per_second`` of them, until ``limit`` is reached or stop() is called.

    Works in ``for`` and ``async for``. Each visit's end is told on standard output, as one line of JSON with the counts
    of visits, of failed ones, and of spans that ended in this process.
    """

    def __init__(self, name: str, per_second: float, *, limit: int | None = None, run: str = "alone") -> None:
        self.name = name
        self._pause = 1 / per_second
        self._limit = limit
        self._run = run
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._counts = {"visits": 0, "failed": 0}
        self._spans = _SpanCount()

    def stop(self) -> None:
        """Let the visit that is being worked on be the last one."""
        self._stop.set()

    def ended(self, *, failed: bool) -> None:
        """Count a visit that has ended."""
        with self._lock:
            self._counts["visits"] += 1
            self._counts["failed"] += failed
            self.tell()

    def tell(self) -> None:
        """Write the counts to standard output."""
        sys.stdout.write(json.dumps({**self._counts, "spans": self._spans.ended}) + "\n")
        sys.stdout.flush()

    def __iter__(self) -> Iterator[Visit]:
        self._spans.watch()
        parent = os.getppid()
        number = 0
        # No program outlives the demo that started it, so a new parent ends the work as well.
        while number != self._limit and not self._stop.is_set() and os.getppid() == parent:
            yield Visit(number, f"{self._run}-{self.name}-{number // VISITS_PER_SESSION}", self)
            number += 1
            if number != self._limit:
                self._stop.wait(self._pause)

    async def __aiter__(self) -> AsyncIterator[Visit]:
        visits = iter(self)
        while (visit := await asyncio.to_thread(next, visits, None)) is not None:
            yield visit


class _SpanCount(SpanProcessor):
    """Count the spans that end in this process, whoever made them."""

    def __init__(self) -> None:
        self.ended = 0
        self._lock = threading.Lock()

    def watch(self) -> None:
        provider = trace.get_tracer_provider()
        if isinstance(provider, TracerProvider):
            provider.add_span_processor(self)

    def on_end(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        if context is not None and context.trace_flags.sampled:
            with self._lock:
                self.ended += 1
