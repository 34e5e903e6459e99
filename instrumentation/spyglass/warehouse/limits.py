"""Bound what the questions of everybody but the admin may take: time, memory, size of the answer, how many at a time.

A client may ask for less by the engine's settings of the same meaning, never for more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from spyglass.errors import StatementError
from spyglass.settings import Settings, variable
from spyglass.warehouse import codes, metrics

_MEGABYTE = 1 << 20
# A dashboard asks a dozen questions at once; those that wait longer than this would be given up by their clients.
LONGEST_WAIT_SECONDS = 30.0
# error code → our setting, and the engine's that a client may have lowered
_CAUSES = {
    codes.TIMEOUT_EXCEEDED: ("warehouse_query_seconds", "max_execution_time"),
    codes.MEMORY_LIMIT_EXCEEDED: ("warehouse_memory_mb", "max_memory_usage"),
    codes.TOO_MANY_ROWS_OR_BYTES: ("warehouse_result_rows", "max_result_rows"),
}
# What the engine says when the whole process, not one query, has too much.
_TOTAL = "(total)"


@dataclass(frozen=True, slots=True)
class Limits:
    """Hold the limits; 0 is none, but ``queries`` is at least 1."""

    seconds: int = 0
    memory_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0
    queries: int = 1

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Return the limits of the settings."""
        return cls(
            seconds=settings.warehouse_query_seconds,
            memory_bytes=settings.warehouse_memory_mb * _MEGABYTE,
            result_rows=settings.warehouse_result_rows,
            result_bytes=settings.warehouse_result_mb * _MEGABYTE,
            queries=max(1, settings.warehouse_concurrent_queries),
        )

    @property
    def settings(self) -> dict[str, int]:
        """Return the engine's settings that enforce the limits; ``result_bytes`` is watched by the reader itself.

        The engine's own limit of bytes does not see values that are the same in all rows.
        """
        return {
            "max_execution_time": self.seconds,
            "max_memory_usage": self.memory_bytes,
            "max_result_rows": self.result_rows,
        }

    def lowered(self, name: str, value: str) -> int | str:
        """Return a setting's value as a client wishes it, but within its limit; 0 means without one.

        Raises StatementError for a limit that is no number.
        """
        limit = self.settings.get(name)
        if limit is None:
            return value
        try:
            wished = int(float(value))
        except (ValueError, OverflowError):
            raise StatementError(codes.UNKNOWN_SETTING, f"{name} is no number: {value[:32]!r}.") from None
        return min(wished, limit) if limit > 0 and wished > 0 else max(wished, 0) or limit

    def explained(self, error: StatementError, settings: Mapping[str, object]) -> StatementError:
        """Return an error with the setting that it comes from, unless the client's own ``settings`` were tighter."""
        ours, engines = _CAUSES.get(error.code, ("", ""))
        if not ours or _TOTAL in error.problem or settings.get(engines) != self.settings[engines]:
            return error
        return StatementError(error.code, f"{_advice(ours)} {error.problem}")

    def check_size(self, size: int) -> None:
        """Raise StatementError when an answer of this many bytes is too large."""
        if 0 < self.result_bytes < size:
            raise codes.refused(
                codes.TOO_MANY_ROWS_OR_BYTES,
                f"{_advice('warehouse_result_mb')} The answer is larger than {self.result_bytes} bytes.",
            )


class Line:
    """Let so many questions of a user run at the same time; the others wait in the order in which they came."""

    def __init__(self, user: str, places: int) -> None:
        self._user = user
        self._free = asyncio.Semaphore(places)

    @asynccontextmanager
    async def place(self, gone: asyncio.Future[None]) -> AsyncIterator[None]:
        """Wait for a place and keep it; raises StatementError when none comes, or the client goes away (``gone``)."""
        with metrics.QUERIES_WAITING.labels(self._user).track_inprogress():
            await self._enter(gone)
        try:
            with metrics.QUERIES_RUNNING.labels(self._user).track_inprogress():
                yield
        finally:
            self._free.release()

    async def _enter(self, gone: asyncio.Future[None]) -> None:
        entering = asyncio.ensure_future(self._free.acquire())
        try:
            await asyncio.wait((entering, gone), timeout=LONGEST_WAIT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            entered = entering.done()
            if not entered:
                entering.cancel()
        if entered:
            return
        with suppress(asyncio.CancelledError):
            await entering
            self._free.release()  # it came in the last moment
        if gone.done():
            raise codes.refused(codes.QUERY_WAS_CANCELLED, "The client went away before the question began.")
        raise codes.refused(
            codes.TOO_MANY_SIMULTANEOUS_QUERIES,
            f"{_advice('warehouse_concurrent_queries')} Too many questions of {self._user} run; try again later.",
        )


def _advice(setting: str) -> str:
    return f"Limit of the setting {variable(setting)}:"
