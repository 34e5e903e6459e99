"""Find and end the processes of a stack whose supervisor was killed.

A process is taken for one of ours only when its environment says so: process-compose names the part in PC_PROC_NAME
and the parts' environment names the data directory in DATA_DIR. Another user's processes cannot be read and are left
alone, and a process that merely works in the directory is too.
"""

from __future__ import annotations

import contextlib
import time

import psutil

from spyglass.stack import record
from spyglass.stack.files import Files
from spyglass.stack.parts import PARTS

TERM_SECONDS = 10.0
KILL_SECONDS = 10.0
POLL_SECONDS = 0.01
ROUNDS = 3


def find(files: Files) -> list[tuple[psutil.Process, str]]:
    """Return the processes of this data directory's parts that run now, each with its part."""
    found = ((process, _part(process, str(files.data))) for process in psutil.process_iter())
    return [(process, part) for process, part in found if part and runs(process)]


def supervisor(files: Files) -> psutil.Process | None:
    """Return the process-compose that drives this data directory's stack, known by its socket; None without one."""
    argument = f"--unix-socket={files.socket}"
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if argument in process.cmdline() and runs(process):
                return process
    return None


def end(files: Files, *, grace_seconds: float = TERM_SECONDS) -> list[str]:
    """End the processes of this data directory's parts: SIGTERM first, SIGKILL after the grace (0: at once).

    Returns the parts that it found.
    """
    ended = []
    # More than once, for what a dying supervisor has just started.
    for _ in range(ROUNDS):
        found = find(files)
        if not found:
            break
        ended += [part for _, part in found]
        left = [process for process, _ in found]
        if grace_seconds:
            _signal(left, "terminate")
            left = wait(left, grace_seconds)
        _signal(left, "kill")
        wait(left, KILL_SECONDS)
    return ended


def wait(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until these have ended, at most so long, and return those that have not."""
    deadline = time.monotonic() + seconds
    while (left := [process for process in processes if runs(process)]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return left


def runs(process: psutil.Process) -> bool:
    """Say whether a process still runs; one that has ended and waits for its parent to notice does not."""
    return process.is_running() and record.start_of(process.pid) is not None


def _part(process: psutil.Process, data: str) -> str:
    with contextlib.suppress(psutil.Error):
        environment = process.environ()
        part = environment.get("PC_PROC_NAME", "")
        if environment.get("DATA_DIR") == data and part in PARTS:
            return part
    return ""


def _signal(processes: list[psutil.Process], verb: str) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):  # psutil never signals a later process of the same id
            getattr(process, verb)()
