"""Read the logs of parts."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from spyglass.errors import UsageError
from spyglass.stack.files import Files
from spyglass.stack.parts import PARTS
from spyglass.stack.supervisor import NAME

POLL_SECONDS = 0.2
LAST_WORDS = 5


def path(place: Files, name: str) -> Path:
    """Return the log of a part or of process-compose; raises UsageError for a name that is neither."""
    if name not in (*PARTS, NAME):
        raise UsageError(f"The stack has no part {name!r}.", f"It has {', '.join((*PARTS, NAME))}.")
    return place.log(name)


def tail(log: Path, lines: int) -> list[str]:
    """Return the last lines of a log, without their line ends; none when there is no log yet."""
    try:
        with log.open(encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=lines)]
    except FileNotFoundError:
        return []


def follow(log: Path) -> Iterator[str]:
    """Yield what is added to a log from now on, for ever, also when it is rotated or does not exist yet."""
    return _follow(log, *_end(log))


def _follow(log: Path, position: int, inode: int) -> Iterator[str]:
    while True:
        size, now = _end(log)
        if now != inode or size < position:
            position, inode = 0, now
        if size > position:
            with log.open(encoding="utf-8", errors="replace") as file:
                file.seek(position)
                yield file.read()
                position = file.tell()
        time.sleep(POLL_SECONDS)


def last_words(place: Files, part: str) -> str:
    """Return the end of a part's log as the end of a sentence about it."""
    words = " | ".join(line.strip() for line in tail(place.log(part), LAST_WORDS) if line.strip())
    return f"; its log ends with: {words}" if words else "; it logged nothing."


def _end(log: Path) -> tuple[int, int]:
    try:
        found = log.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_size, found.st_ino
