"""Measure what the whole stack takes when nobody sends anything."""

from __future__ import annotations

import time

import psutil

from spyglass.bench.figures import Figure
from spyglass.bench.target import settings_of
from spyglass.stack.running import processes

SETTLE_SECONDS = 15.0
WATCH_SECONDS = 60.0
GOAL_CORES = 0.1
GOAL_BYTES = 1.2e9


def measure(*, running: bool) -> list[Figure]:
    """Return cores and resident memory of all parts, and of each, over a minute without load."""
    with settings_of(running=running) as settings:
        time.sleep(SETTLE_SECONDS)
        parts = {part: psutil.Process(pid) for part, pid in processes(settings).items()}
        before = {part: _cpu_seconds(process) for part, process in parts.items()}
        started = time.monotonic()
        time.sleep(WATCH_SECONDS)
        elapsed = time.monotonic() - started
        cores = {part: (_cpu_seconds(process) - before[part]) / elapsed for part, process in parts.items()}
        memory = {part: float(process.memory_info().rss) for part, process in parts.items()}
    return [
        Figure("idle, all parts, CPU", sum(cores.values()), "cores", GOAL_CORES),
        Figure("idle, all parts, resident memory", sum(memory.values()), "bytes", GOAL_BYTES),
        *(Figure(f"idle, {part}, CPU", value, "cores") for part, value in cores.items()),
        *(Figure(f"idle, {part}, resident memory", value, "bytes") for part, value in memory.items()),
    ]


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
