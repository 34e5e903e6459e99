"""Keep the truth: one row per request that was really served."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """Hold one served request.

    ``n`` counts from 1; ``model`` is the name asked for, ``response_model`` the name answered with. A failed call has
    no response id, response model, tool or tokens. ``usage_reported`` says whether the client was told the counts,
    ``traced`` whether it sent the context of a trace; ``tool`` is the name of the tool that the answer calls.
    """

    n: int
    api: str
    model: str
    ok: bool
    status: int
    stream: bool
    seconds: float
    traced: bool = False
    response_model: str | None = None
    response_id: str | None = None
    tool: str | None = None
    usage_reported: bool = False
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


class Truth:
    """Collect calls from the threads of a server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[int, Call] = {}
        self._numbers = 0

    def number(self) -> int:
        """Return the number of the next request, from 1."""
        with self._lock:
            self._numbers += 1
            return self._numbers

    def put(self, call: Call) -> None:
        """Add a call, or replace what was known of it."""
        with self._lock:
            self._calls[call.n] = call

    def get(self, number: int) -> Call | None:
        """Return the call of this number, if it is known."""
        with self._lock:
            return self._calls.get(number)

    def calls(self) -> tuple[Call, ...]:
        """Return all known calls in the order of their numbers."""
        with self._lock:
            return tuple(self._calls[number] for number in sorted(self._calls))


def rows(calls: Iterable[Call]) -> list[dict[str, Any]]:
    """Return calls as plain JSON."""
    return [asdict(call) for call in calls]
