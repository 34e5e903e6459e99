import logging
from collections.abc import Callable
from typing import Any

import pynvml
import pytest

from spyglass.probes.gpu import GpuProbe
from spyglass.probes.gpu.device import program
from spyglass.probes.probe import FindingState
from tests.probes.false_nvml import DRIVER_NOT_LOADED, NO_UINT, NO_ULONG, UNKNOWN, Gpu, Library
from tests.probes.trees import Clock, only, values

GIB = 1 << 30
IDENTITY = ("GPU-0a", "gpu0", "NVIDIA A100-SXM4-80GB", "NVIDIA", "550.54.15")
NAME = ("GPU-0a", "gpu0")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[Library], Library]:
    """Return a function that puts a library below pynvml."""

    def put(library: Library) -> Library:
        monkeypatch.setattr(pynvml, "nvmlLib", library)
        monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
        return library

    return put


Load = Callable[[Library], Library]


def test_everything_that_a_gpu_tells(load: Load) -> None:
    """Every answer of NVML becomes a value in the convention's unit, with the attributes that the metric allows."""
    load(Library(Gpu()))
    assert values(GpuProbe(pynvml).collect()) == {
        ("hw.gpu.utilization", *IDENTITY, "general"): 0.93,
        ("hw.gpu.utilization", *IDENTITY, "encoder"): 0.05,
        ("hw.gpu.utilization", *IDENTITY, "decoder"): 0.07,
        ("hw.temperature", *NAME, "gpu_die"): 61.0,
        ("hw.temperature", *NAME, "memory"): 74.0,
        ("hw.temperature.limit", *NAME, "gpu_die", "high.degraded"): 89.0,
        ("hw.temperature.limit", *NAME, "gpu_die", "high.critical"): 92.0,
        ("hw.power", *NAME, "gpu"): 312.5,
        ("spyglass.hw.gpu.power.limit", *NAME): 400.0,
        ("hw.energy", *NAME, "gpu"): 987_654.321,
        ("spyglass.hw.gpu.clock.frequency", *NAME, "sm"): 1_410_000_000,
        ("spyglass.hw.gpu.clock.frequency", *NAME, "memory"): 1_593_000_000,
        ("hw.errors", *NAME, "gpu", "corrected"): 3,
        ("hw.errors", *NAME, "gpu", "uncorrected"): 0,
        ("hw.gpu.memory.limit", *IDENTITY): 80 * GIB,
        ("hw.gpu.memory.usage", *IDENTITY): 20 * GIB,
        ("hw.gpu.memory.utilization", *IDENTITY): 0.25,
        ("spyglass.hw.gpu.throttle.active", *NAME, "sw_power_cap"): 1,
        ("spyglass.hw.gpu.throttle.active", *NAME, "hw_slowdown"): 0,
        ("spyglass.hw.gpu.throttle.active", *NAME, "sw_thermal_slowdown"): 1,
        ("spyglass.hw.gpu.throttle.active", *NAME, "hw_thermal_slowdown"): 0,
        ("spyglass.hw.gpu.throttle.active", *NAME, "hw_power_brake_slowdown"): 0,
        ("hw.fan.speed_ratio", "GPU-0a/fan0", "gpu0/fan0", "GPU-0a"): 0.3,
        ("hw.fan.speed_ratio", "GPU-0a/fan1", "gpu0/fan1", "GPU-0a"): 0.45,
        ("spyglass.process.gpu.memory.usage", "GPU-0a", "python3"): 7 * GIB,
        ("spyglass.process.gpu.memory.usage", "GPU-0a", "viewer.exe"): 1 * GIB,
    }


def test_same_series_each_time(load: Load) -> None:
    """A series is the same object in every collection, and NVML is initialised once."""
    library = load(Library(Gpu()))
    probe = GpuProbe(pynvml)
    first, second = ([series for series, _ in probe.collect()] for _ in range(2))
    assert all(one is other for one, other in zip(first, second, strict=True))
    assert library.calls.count("nvmlInitWithFlags") == 1


def test_lazy(load: Load) -> None:
    """Making the probe asks NVML nothing."""
    library = load(Library(Gpu()))
    GpuProbe(pynvml)
    assert library.calls == []


def test_not_supported(load: Load) -> None:
    """What a GPU does not support has no point, and above all not 0."""
    load(Library(Gpu().silent()))
    probe = GpuProbe(pynvml)
    assert probe.collect() == []
    assert probe.findings()[0].sentence == "1 x NVIDIA A100-SXM4-80GB."


def test_sentinels(load: Load) -> None:
    """Numbers with all bits set mean that NVML does not know; they are never told."""
    gpu = Gpu(
        utilization=NO_UINT,
        encoder=NO_UINT,
        decoder=NO_UINT,
        memory={"total": NO_ULONG, "used": NO_ULONG, "free": NO_ULONG, "reserved": 0},
        temperatures={0: NO_UINT},
        fields={82: NO_UINT},
        thresholds={0: NO_UINT, 1: NO_UINT},
        power=NO_UINT,
        power_limit=NO_UINT,
        energy=NO_ULONG,
        clocks={1: NO_UINT, 2: NO_UINT},
        reasons=NO_ULONG,
        ecc={0: NO_ULONG, 1: NO_ULONG},
        fans=[NO_UINT],
        compute=[(100, NO_ULONG)],
        graphics=[],
    )
    load(Library(gpu))
    assert GpuProbe(pynvml).collect() == []


def test_impossible_share(load: Load) -> None:
    """A utilisation over 100 % is none."""
    load(Library(Gpu(utilization=101)))
    assert "general" not in {key[-1] for key in only(values(GpuProbe(pynvml).collect()), "hw.gpu.utilization")}


def test_sum_with_an_unknown_part(load: Load) -> None:
    """A program of which one process' memory is unknown has no sum; the others have theirs."""
    load(Library(Gpu(compute=[(100, GIB), (101, NO_ULONG)], graphics=[(102, GIB)])))
    found = only(values(GpuProbe(pynvml).collect()), "spyglass.process.gpu.memory.usage")
    assert found == {("GPU-0a", "viewer.exe"): GIB}


def test_process_without_a_name(load: Load) -> None:
    """A process that cannot be named, as in a container, is told without a program and without its pid."""
    load(Library(Gpu(compute=[(999, GIB)], graphics=[])))
    assert only(values(GpuProbe(pynvml).collect()), "spyglass.process.gpu.memory.usage") == {("GPU-0a",): GIB}


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/usr/bin/python3 -m app --key=sk-1", "python3"),
        ("python3", "python3"),
        ("C:\\Program Files\\A B\\app.exe", "app.exe"),
        ("", ""),
        ("/", ""),
    ],
)
def test_program(command: str, name: str) -> None:
    """A program's name has neither folder nor arguments."""
    assert program(command) == name


def test_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a driver there is no point, no error, no warning, and one sentence for doctor."""

    def no_file(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(pynvml, "nvmlLib", None)
    monkeypatch.setattr(pynvml, "CDLL", no_file)
    probe = GpuProbe(pynvml)
    assert probe.collect() == []
    (line,) = probe.findings()
    assert line.state is FindingState.ABSENT
    assert line.sentence == "No GPU is watched: NVML Shared Library Not Found."


@pytest.mark.parametrize(
    ("library", "why"),
    [
        (Library(init=DRIVER_NOT_LOADED), "Driver Not Loaded"),
        (Library(), "the driver knows no GPU"),
        (Library(missing=("nvmlInitWithFlags",)), "Function Not Found"),
    ],
)
def test_no_gpu(load: Load, library: Library, why: str, caplog: pytest.LogCaptureFixture) -> None:
    """A driver that is not loaded, or knows no GPU, is said in one sentence and in no log."""
    load(library)
    probe = GpuProbe(pynvml)
    assert probe.collect() == []
    assert probe.findings()[0].sentence == f"No GPU is watched: {why}."
    assert not caplog.records


def test_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package pynvml there is nothing to watch, and a sentence says so."""
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    probe = GpuProbe()
    assert probe.collect() == []
    assert "pynvml" in probe.findings()[0].sentence


def test_driver_that_comes_later(load: Load, clock: Clock) -> None:
    """A driver that was not loaded at first is tried again after a minute, and not before."""
    library = load(Library(Gpu(), init=DRIVER_NOT_LOADED))
    probe = GpuProbe(pynvml, clock=clock)
    assert probe.collect() == probe.collect() == []
    assert library.calls.count("nvmlInitWithFlags") == 1
    library.init = 0
    clock.now += 60
    assert probe.collect()
    assert [finding.state for finding in probe.findings()] == [FindingState.OK]


def test_gpu_falls_off_the_bus(load: Load, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A lost GPU is warned of once and has no points; the others go on; it is told again when it comes back."""
    gpus = Gpu(), Gpu(uuid="GPU-0b")
    load(Library(*gpus))
    probe = GpuProbe(pynvml, clock=clock)
    before = probe.collect()

    def told() -> set[str]:
        return {series.attributes["hw.id"] for series, _ in probe.collect() if "hw.parent" not in series.attributes}

    gpus[0].lost = True
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            assert told() == {"GPU-0b"}
            clock.now += 40
    assert [record.getMessage() for record in caplog.records] == [
        "GPU GPU-0a does not answer any more (GPU is lost); it is looked for again every minute."
    ]
    assert [finding.sentence for finding in probe.findings()] == [
        "1 x NVIDIA A100-SXM4-80GB.",
        "GPU-0a is lost (GPU is lost).",
    ]
    gpus[0].lost = False
    clock.now += 60
    assert {series for series, _ in probe.collect()} == {series for series, _ in before}


def test_mig(load: Load) -> None:
    """A MIG slice is told with its own id and its GPU as parent; an empty place is passed over."""
    part = Gpu(uuid="MIG-1", name="NVIDIA A100-SXM4-80GB MIG 1g.10gb", memory={"total": 10, "used": 4, "reserved": 0})
    load(Library(Gpu(utilization=UNKNOWN, slices=[None, part])))
    found = values(GpuProbe(pynvml).collect())
    identity = ("MIG-1", "gpu0/mig1", part.name, "NVIDIA", "550.54.15", "GPU-0a")
    assert only(found, "hw.gpu.memory.usage") == {IDENTITY: 20 * GIB, identity: 4}
    assert found["hw.gpu.memory.utilization", *identity] == 0.4
    assert ("spyglass.process.gpu.memory.usage", "MIG-1", "python3") in found


def test_old_driver(load: Load) -> None:
    """An old driver's first form of a call is used where it lacks the second."""
    load(Library(Gpu(), missing=("nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetCurrentClocksEventReasons")))
    found = values(GpuProbe(pynvml).collect())
    assert found["hw.gpu.memory.usage", *IDENTITY] == 21 * GIB
    assert found["spyglass.hw.gpu.throttle.active", *NAME, "sw_power_cap"] == 1


def test_close(load: Load) -> None:
    """Closing gives NVML back once, and a forked child does not touch what its parent has open."""
    library = load(Library(Gpu()))
    probe = GpuProbe(pynvml)
    probe.collect()
    probe.close(forked=True)
    assert "nvmlShutdown" not in library.calls
    probe.collect()
    probe.close()
    probe.close()
    assert library.calls.count("nvmlShutdown") == 1


def test_counters_start_at_boot(load: Load) -> None:
    """Energy and errors count since the driver was loaded, which was not before boot."""
    load(Library(Gpu()))
    assert {series.start_ns for series, _ in GpuProbe(pynvml, start_ns=7).collect()} == {7}


def test_name_that_is_no_text(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process name that is not UTF-8 disturbs nothing."""
    processes: dict[int, Any] = {100: b"/usr/bin/\xff"}
    monkeypatch.setattr("tests.probes.false_nvml.PROCESSES", processes)
    load(Library(Gpu(compute=[(100, GIB)], graphics=[])))
    assert only(values(GpuProbe(pynvml).collect()), "spyglass.process.gpu.memory.usage") == {("GPU-0a",): GIB}
