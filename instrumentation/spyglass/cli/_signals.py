"""Let a command that started something stop it, also when it is told to end."""

from __future__ import annotations

import signal


def end_in_order() -> None:
    """Make SIGTERM raise KeyboardInterrupt, once: `timeout` sends it twice, to the process and to its group."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt
