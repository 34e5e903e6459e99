import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spyglass.probes.probe import FindingState
from spyglass.probes.process import Kernel, ProcessProbe
from tests.probes.trees import DESCRIPTORS, Clock, Tree, only, values


def usage(user: float, system: float) -> resource.struct_rusage:
    """Return what getrusage(2) says: times, 900 minor and 5 major faults, 30 and 4 switches."""
    return resource.struct_rusage((user, system, 0, 0, 0, 0, 900, 5, 0, 0, 0, 0, 0, 0, 30, 4))


Make = Callable[..., ProcessProbe]


@pytest.fixture
def make(tree: Tree, clock: Clock) -> Make:
    """Return a function that makes the probe of the false machine's process, which started 2,500 s after boot."""
    fixed: dict[str, Any] = {
        "clock": clock,
        "since_boot": lambda: 2600.5,
        "usage": lambda: usage(1.5, 0.5),
        "cpus": lambda: 2,
    }
    return lambda **changed: ProcessProbe(
        tree.root, Kernel(**{**fixed, "ticks_per_second": 100, "page_bytes": 4096, **changed})
    )


def test_values(make: Make) -> None:
    """A process is told by its times, memory, threads, descriptors, bytes, switches and faults."""
    assert values(make().collect()) == {
        ("process.cpu.time", "user"): 1.5,
        ("process.cpu.time", "system"): 0.5,
        ("process.paging.faults", "minor"): 900,
        ("process.paging.faults", "major"): 5,
        ("process.context_switches", "voluntary"): 30,
        ("process.context_switches", "involuntary"): 4,
        ("process.memory.usage",): 2560 * 4096,
        ("process.memory.virtual",): 104_857_600,
        ("process.thread.count",): 12,
        ("process.uptime",): 100.5,
        ("process.unix.file_descriptor.count",): len(DESCRIPTORS) - 1,
        ("process.disk.io", "read"): 8192,
        ("process.disk.io", "write"): 4096,
    }


def test_utilization(make: Make, clock: Clock) -> None:
    """Utilisation is CPU time over what the CPUs that the process may use could give since the last collection."""
    times = iter([usage(1.0, 0.5), usage(6.0, 1.5)])
    probe = make(usage=lambda: next(times))
    assert not only(values(probe.collect()), "process.cpu.utilization")
    clock.now += 10
    assert only(values(probe.collect()), "process.cpu.utilization") == {("user",): 0.25, ("system",): 0.05}


def test_start(make: Make) -> None:
    """Every series starts when the process did."""
    start = (1_700_000_000 + 2_500) * 1_000_000_000
    assert {series.start_ns for series, _ in make().collect()} == {start}


def test_unreadable_io(tree: Tree, make: Make) -> None:
    """A process whose IO is not open to it has no points of it, and a line says so."""
    tree.remove("proc/self/io")
    probe = make()
    assert not only(values(probe.collect()), "process.disk.io")
    assert any(finding.state is FindingState.PARTIAL for finding in probe.findings())


def test_this_process() -> None:
    """The real probe tells what the system's own calls tell of this process."""
    probe = ProcessProbe()
    found = values(probe.collect())
    assert found["process.thread.count",] == len(list(Path("/proc/self/task").iterdir()))
    assert found["process.memory.usage",] > 10_000_000
    assert abs(found["process.cpu.time", "user"] - os.times().user) < 1
    (start,) = {series.start_ns for series, _ in probe.collect()}
    assert 0 < time.time() - start / 1e9 - found["process.uptime",] < 2
    probe.close()


def test_descriptors_of_this_process() -> None:
    """A descriptor that is opened counts at once, and one that is closed no more."""
    probe = ProcessProbe()
    probe.collect()

    def count() -> float:
        return values(probe.collect())["process.unix.file_descriptor.count",]

    before = count()
    reading, writing = os.pipe()
    assert count() == before + 2
    os.close(reading)
    os.close(writing)
    assert count() == before
    probe.close()
