"""Keep a value that is costly to read for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Every(Generic[Value]):
    """Call ``make`` at most once in ``seconds``; between two calls its last value stands."""

    def __init__(self, seconds: float, clock: Callable[[], float], make: Callable[[], Value]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._make = make
        self._due = float("-inf")
        self._value: Value

    def __call__(self) -> Value:
        """Return the value that stands now."""
        now = self._clock()
        if now >= self._due:
            self._value = self._make()
            self._due = now + self._seconds
        return self._value
