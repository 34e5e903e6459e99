"""Say of every part whether it runs and is ready, and what it takes."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psutil

from spyglass.settings import Settings
from spyglass.stack import running
from spyglass.stack.parts import PARTS
from spyglass.stack.readiness import ready
from spyglass.stack.supervisor import NAME, PartState

WATCH_SECONDS = 0.3
# What process-compose calls the states of a part, in our words.
STATES = {
    "Running": "running",
    "Launching": "running",
    "Launched": "running",
    "Restarting": "restarting",
    "Terminating": "stopping",
    "Completed": "stopped",
    "Error": "dead",
    "Skipped": "dead",
    "Disabled": "waiting",
    "Pending": "waiting",
}


@dataclass(frozen=True, slots=True)
class Usage:
    """Hold what a process and its children take; ``cpu_cores`` over a third of a second."""

    uptime_seconds: float
    cpu_cores: float
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Row:
    """Hold the state of one part; what is unknown, or is not there while the part does not run, is None."""

    part: str
    state: str
    ready: bool
    pid: int | None
    restarts: int
    uptime_seconds: float | None
    cpu_cores: float | None
    rss_bytes: int | None


def rows(settings: Settings) -> list[Row]:
    """Return a row for each part that was started, and one for process-compose; raises StackNotRunningError."""
    settings, states = running.attach(settings), running.states(settings)
    with ThreadPoolExecutor() as pool:
        answers = pool.map(lambda state: _ready(state, settings), states)
        usages = _usages([state.pid for state in states if state.pid])
        return [_row(state, answer, usages.get(state.pid or 0)) for state, answer in zip(states, answers, strict=True)]


def _ready(state: PartState, settings: Settings) -> bool:
    return state.running and (state.part == NAME or ready(PARTS[state.part], settings))


def _row(state: PartState, answer: bool, usage: Usage | None) -> Row:  # noqa: FBT001 -- beside the state it belongs to
    word = STATES.get(state.status, state.status.lower())
    return Row(
        part=state.part,
        state="killed" if word == "stopped" and state.exit_code < 0 else word,
        ready=answer,
        pid=state.pid,
        restarts=state.restarts,
        uptime_seconds=usage.uptime_seconds if usage else None,
        cpu_cores=usage.cpu_cores if usage else None,
        rss_bytes=usage.rss_bytes if usage else None,
    )


def _usages(pids: list[int]) -> dict[int, Usage]:
    families = {pid: _family(pid) for pid in pids}
    before = {pid: _cpu_seconds(family) for pid, family in families.items()}
    started = time.monotonic()
    time.sleep(WATCH_SECONDS)
    elapsed = time.monotonic() - started
    return {
        pid: Usage(
            uptime_seconds=round(time.time() - family[0].create_time(), 1),
            cpu_cores=round(max(0.0, _cpu_seconds(family) - before[pid]) / elapsed, 3),
            rss_bytes=_memory(family),
        )
        for pid, family in families.items()
        if family and family[0].is_running()
    }


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        # process-compose's children are the parts, which have their own rows.
        children = [] if process.name() == NAME else process.children(recursive=True)
    except psutil.Error:
        return []
    return [process, *children]


def _cpu_seconds(family: list[psutil.Process]) -> float:
    total = 0.0
    for process in family:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def _memory(family: list[psutil.Process]) -> int:
    total = 0
    for process in family:
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total
