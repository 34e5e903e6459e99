"""Stop the stack in reverse order of need, and leave no process behind."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import psutil

from spyglass.errors import PartError, StackNotRunningError
from spyglass.stack import guard, leftovers
from spyglass.stack.files import Files
from spyglass.stack.parts import PARTS
from spyglass.stack.supervisor import NAME

POLL_SECONDS = 0.05
# The longest chain of parts that wait for each other, each with all of its time.
TIMEOUT_SECONDS = 150.0
Tell = Callable[[str], None]


def stop(place: Files, *, timeout_seconds: float = TIMEOUT_SECONDS, tell: Tell = lambda _: None) -> None:
    """Stop the stack of this data directory and return when none of its processes is left.

    ``tell`` gets a line for each part that has stopped. Parts that outlive the time limit are killed, and PartError
    then names them. Raises StackNotRunningError when no process of a stack is there.
    """
    if not place.data.is_dir():
        raise StackNotRunningError(str(place.data))
    with guard.locked(place):
        if leftovers.supervisor(place) is None:
            _clear(place, tell)
            return
        slow = end(place, timeout_seconds=timeout_seconds, tell=tell)
    if slow:
        raise PartError(
            " and ".join(slow),
            f"still ran {timeout_seconds:g} s after the stack was asked to stop, and was killed.",
            "What was acknowledged is on disk; the log tells what kept it.",
        )


def end(place: Files, *, timeout_seconds: float = TIMEOUT_SECONDS, tell: Tell = lambda _: None) -> list[str]:
    """Stop everything in order, and return the parts that had to be killed for lack of time."""
    supervisor, processes = leftovers.supervisor(place), leftovers.find(place)
    if supervisor:
        supervisor.terminate()
        _watch(supervisor, processes, time.monotonic() + timeout_seconds, tell)
    left = {part for process, part in processes if leftovers.runs(process)}
    if supervisor and leftovers.runs(supervisor):
        left.add(NAME)
    kill(place)
    return sorted(left, key=[*PARTS, NAME].index)


def kill(place: Files) -> None:
    """Kill the stack of this data directory at once, supervisor first, so that nothing is restarted."""
    supervisor = leftovers.supervisor(place)
    if supervisor:
        with contextlib.suppress(psutil.Error):
            supervisor.kill()
        leftovers.wait([supervisor], leftovers.KILL_SECONDS)
    leftovers.end(place, grace_seconds=0)
    guard.forget(place)


def _clear(place: Files, tell: Tell) -> None:
    ended = leftovers.end(place)
    known = place.record.exists() or place.socket.exists()
    guard.forget(place)
    if not ended and not known:
        raise StackNotRunningError(str(place.data))
    tell(f"cleared away what a killed stack had left: {', '.join(sorted(set(ended))) or 'no process'}")


def _watch(
    supervisor: psutil.Process, processes: list[tuple[psutil.Process, str]], deadline: float, tell: Tell
) -> None:
    """Tell which part has stopped, until the supervisor has, or the time is over."""
    going = True
    while going and time.monotonic() < deadline:
        going = leftovers.runs(supervisor)
        for process, part in [row for row in processes if not leftovers.runs(row[0])]:
            processes.remove((process, part))
            if part not in {other for _, other in processes}:
                tell(f"{part} has stopped")
        time.sleep(POLL_SECONDS)
