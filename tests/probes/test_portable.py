"""psutil's view of this machine, against what /proc tells of it."""

import os
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from spyglass.probes.catalog import ENTRIES, Sample, Series
from spyglass.probes.host import HostProbe
from spyglass.probes.portable import PortableHost, PortableProcess
from spyglass.probes.probe import FindingState
from spyglass.probes.process import ProcessProbe
from tests.probes.trees import Clock, only, values

SLOW = ("system.cpu.logical.count", "system.cpu.physical.count", "system.memory.limit")


def test_host_agrees_with_psutil() -> None:
    """What hardly changes is the same through /proc and through psutil: counts, limits, and the time of boot."""
    ours, theirs = HostProbe().collect(), PortableHost(psutil).collect()
    for metric in SLOW:
        assert only(values(ours), metric) == only(values(theirs), metric), metric
    ours_by_device, theirs_by_device = sizes(ours), sizes(theirs)
    for device in ours_by_device.keys() & theirs_by_device.keys():
        assert ours_by_device[device] == theirs_by_device[device], device
    assert {series.start_ns // 10**9 for series, _ in ours} == {int(psutil.boot_time())}
    assert values(ours)["system.uptime",] == pytest.approx(values(theirs)["system.uptime",], abs=2)


def test_host_counters_agree_with_psutil() -> None:
    """Counters of CPU, disks and network are between two readings of psutil."""
    names = ("system.disk.io", "system.network.io")
    before, ours, after = (values(part.collect()) for part in (PortableHost(psutil), HostProbe(), PortableHost(psutil)))
    for key, value in ours.items():
        if key in before and (key[0] in names or key == ("system.cpu.time", "user")):
            assert before[key] <= value <= after[key], key


def sizes(samples: list[Sample]) -> dict[str, float]:
    """Return the sizes of filesystems by device."""
    limits = [(series, value) for series, value in samples if series.entry.name == "system.filesystem.limit"]
    return {series.attributes["system.device"]: value for series, value in limits}


def test_process_agrees_with_psutil() -> None:
    """The process is told alike by /proc with getrusage(2) and by psutil, but for what psutil counts otherwise."""
    process = psutil.Process()
    ours, theirs = ProcessProbe(), PortableProcess(process, len(os.sched_getaffinity(0)))
    found, other = values(ours.collect()), values(theirs.collect())
    assert found["process.memory.virtual",] == pytest.approx(other["process.memory.virtual",], rel=0.02)
    assert found["process.memory.usage",] == pytest.approx(other["process.memory.usage",], rel=0.05)
    assert found["process.thread.count",] == other["process.thread.count",]
    assert found["process.cpu.time", "user"] == pytest.approx(other["process.cpu.time", "user"], abs=0.1)
    starts = {series.start_ns for series, _ in ours.collect()} | {series.start_ns for series, _ in theirs.collect()}
    assert max(starts) - min(starts) < 2 * 10**9


def test_portable_host_keeps_to_the_catalogue() -> None:
    """Names, attributes and types of the portable probes are those of the catalogue."""
    for probe in (PortableHost(psutil), PortableProcess(psutil.Process(), 2)):
        probe.collect()
        for series, value in probe.collect():
            assert set(series.attributes) <= set(series.entry.attributes)
            assert isinstance(value, int) or not series.entry.integer, series.entry.name
            assert series.entry is ENTRIES[series.entry.name]


def test_same_series_each_time() -> None:
    """A series is the same object in every collection."""
    probe = PortableHost(psutil)
    probe.collect()
    first, second = ({name(series): series for series, _ in probe.collect()} for _ in range(2))
    assert len(first) > 20
    assert all(second[key] is series for key, series in first.items())


def name(series: Series) -> tuple[str, ...]:
    """Return the name and attributes of a series."""
    return (series.entry.name, *series.attributes.values())


def test_system_that_lacks_parts() -> None:
    """A part that psutil does not have on a system is left out with a line, and the others are told."""

    class Lacking(SimpleNamespace):
        def __getattr__(self, name: str) -> Any:
            if name in ("getloadavg", "disk_io_counters"):
                raise AttributeError(name)
            return getattr(psutil, name)

    probe = PortableHost(Lacking())
    found = values(probe.collect())
    assert ("system.memory.limit",) in found
    assert not only(found, "system.disk.io")
    lines = [finding.sentence for finding in probe.findings() if finding.state is FindingState.PARTIAL]
    assert lines == ["load: getloadavg.", "disks: disk_io_counters."]


def test_portable_utilization() -> None:
    """Utilisation of the process is CPU time over elapsed time and CPUs."""
    clock = Clock()
    times = iter([(1.0, 0.0), (3.0, 1.0)])
    names = ("memory_info", "num_threads", "num_fds", "io_counters", "num_ctx_switches")
    process = psutil.Process()
    fake = SimpleNamespace(
        cpu_times=lambda: SimpleNamespace(**dict(zip(("user", "system"), next(times), strict=True))),
        create_time=process.create_time,
        oneshot=process.oneshot,
        **{name: getattr(process, name) for name in names},
    )
    probe = PortableProcess(fake, 2, clock=clock)
    probe.collect()
    clock.now += 10
    shares = only(values(probe.collect()), "process.cpu.utilization")
    assert shares == {("user",): 0.1, ("system",): 0.05}
