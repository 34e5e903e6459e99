"""Say things to the operator of this process, through its logging."""

from __future__ import annotations

import logging

log = logging.getLogger("spyglass")
said: set[str] = set()


def warn_once(topic: str, message: str, *parts: object) -> None:
    """Log a warning the first time that this topic comes up in this process."""
    if topic not in said:
        said.add(topic)
        log.warning(message, *parts)
