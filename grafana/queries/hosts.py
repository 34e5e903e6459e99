"""Ask how much of each host and GPU is in use, as shares from 0 to 1; the fullest ten.

A host belongs to those whose probe reports it, and to those whose agents run on it.
"""

from __future__ import annotations

from grafana.queries.promql import TENANT, by, differs, equals, probe
from spyglass import names

MOST = 10
PER_HOST = by(names.HOST_NAME)
PER_DISK = by(names.HOST_NAME, "system.filesystem.mountpoint")
PER_GPU = by(names.HOST_NAME, "hw.name", "hw.id")


def processor() -> str:
    """Return the share of CPU time that is neither idle nor waiting for disks, by host."""
    metric, busy = "system.cpu.utilization", differs("cpu.mode", "idle", "iowait")
    # Several processes may watch one host: the modes of each add up, and then they agree.
    modes = f"sum {by(names.HOST_NAME, names.SERVICE_INSTANCE_ID)} ({probe(metric, busy)})"
    return _fullest(f"max {PER_HOST} ({modes})", metric)


def memory() -> str:
    """Return the share of memory in use, without caches, by host."""
    metric = "system.memory.utilization"
    return _fullest(f"max {PER_HOST} ({probe(metric, equals('system.memory.state', 'used'))})", metric)


def disk() -> str:
    """Return the share of each filesystem in use, by host and mount point."""
    metric = "system.filesystem.utilization"
    return _fullest(f"max {PER_DISK} ({probe(metric, equals('system.filesystem.state', 'used'))})", metric)


def gpu() -> str:
    """Return the share of time in which each GPU worked."""
    metric = "hw.gpu.utilization"
    return _fullest(f"max {PER_GPU} ({probe(metric, equals('hw.gpu.task', 'general'))})", metric)


def gpu_memory() -> str:
    """Return the share of each GPU's memory in use."""
    metric = "hw.gpu.memory.utilization"
    return _fullest(f"max {PER_GPU} ({probe(metric)})", metric)


def _fullest(use: str, metric: str) -> str:
    reported = f"group {PER_HOST} ({probe(metric, *TENANT)})"
    at_work = f"group {PER_HOST} ({probe('process.memory.usage', *TENANT)})"
    host = PER_HOST.removeprefix("by ")
    return f"topk({MOST}, {use} and on {host} ({reported} or {at_work}))"
