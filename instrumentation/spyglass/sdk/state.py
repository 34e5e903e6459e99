"""Hold the one runtime of this process, and say things to its operator."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spyglass.sdk.runtime import Runtime

log = logging.getLogger("spyglass")


class State:
    """Hold what init() made; ``runtime`` is None before it, after shutdown() and when the SDK is switched off.

    ``stopping`` says that shutdown() is at work; ``afterwards`` is what it does when it is done.
    """

    __slots__ = ("afterwards", "runtime", "said", "stopping")

    def __init__(self) -> None:
        self.runtime: Runtime | None = None
        self.stopping = False
        self.afterwards: list[Callable[[], None]] = []
        self.said: set[str] = set()


state = State()


def warn_once(topic: str, message: str, *parts: object) -> None:
    """Log a warning the first time that this topic comes up in this process."""
    if topic not in state.said:
        state.said.add(topic)
        log.warning(message, *parts)
