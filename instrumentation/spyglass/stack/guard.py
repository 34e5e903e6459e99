"""Let one stack at a time use a data directory, and clear away what a killed one left in it."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from spyglass.errors import DataDirectoryError
from spyglass.stack import files, leftovers
from spyglass.stack.files import Files

Tell = Callable[[str], None]


@contextmanager
def locked(place: Files) -> Iterator[None]:
    """Keep other commands from starting or stopping the stack meanwhile.

    Raises DataDirectoryError when another does, and when the data directory is not this user's to write.
    """
    with files.writing(place):
        lock = place.lock.open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataDirectoryError(
                str(place.data), "another spyglass command is starting or stopping its stack.", "Wait for it to end."
            ) from None
        yield


def recover(place: Files, tell: Tell) -> None:
    """Refuse a second stack in this data directory, and clear away what a killed one left behind.

    ``tell`` gets a line about processes that were ended. Raises DataDirectoryError.
    """
    running = leftovers.supervisor(place)
    if running:
        raise DataDirectoryError(
            str(place.data),
            f"a stack runs here already (its process-compose is process {running.pid}).",
            "Stop it with `spyglass down`, or start another: spyglass up --port-offset 1000 --data-dir DIR.",
        )
    ended = leftovers.end(place)
    if ended:
        tell(f"ended what a killed stack had left running: {', '.join(sorted(set(ended)))}")
    forget(place)


def forget(place: Files) -> None:
    """Remove the description and the socket of a stack that has ended."""
    place.record.unlink(missing_ok=True)
    place.socket.unlink(missing_ok=True)
