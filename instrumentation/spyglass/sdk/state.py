"""Hold the one runtime of this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spyglass.sdk.runtime import Runtime


class State:
    """Hold what init() made; ``runtime`` is None before it, after shutdown() and when the SDK is switched off.

    ``stopping`` says that shutdown() is at work; ``afterwards`` is what it does when it is done.
    """

    __slots__ = ("afterwards", "runtime", "stopping")

    def __init__(self) -> None:
        self.runtime: Runtime | None = None
        self.stopping = False
        self.afterwards: list[Callable[[], None]] = []


state = State()
