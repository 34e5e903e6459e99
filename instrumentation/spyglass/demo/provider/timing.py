"""Say how long the fake model takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Timing:
    """Take time as models do: some before the first token, and some for each further one.

    A model whose name contains ``slow`` takes ``slow_factor`` times as long. The default takes no time at all.
    ``sleep`` is called with seconds.
    """

    first_token_seconds: float = 0.0
    token_seconds: float = 0.0
    slow_factor: float = 8.0
    sleep: Callable[[float], None] = time.sleep

    def first_token(self, model: str) -> None:
        """Wait as long as the model thinks."""
        self._wait(model, self.first_token_seconds)

    def tokens(self, model: str, count: int) -> None:
        """Wait as long as the model writes so many tokens."""
        self._wait(model, self.token_seconds * count)

    def _wait(self, model: str, seconds: float) -> None:
        factor = self.slow_factor if SLOW in model else 1.0
        if seconds > 0:
            self.sleep(seconds * factor)
