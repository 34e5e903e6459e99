import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from spyglass import probes
from spyglass.errors import InputFileError, SettingError
from spyglass.names import Instrument
from spyglass.probes.catalog import ENTRIES, Sample
from spyglass.settings import Settings
from tests.probes.receiver import Point, Receiver

RESOURCE = {"service.name": "x", "service.instance.id": "i"}
INTERVAL_MS = 20


@contextmanager
def started(endpoint: str, names: str = "process,host") -> Iterator[probes.Stoppable]:
    """Run probes every 20 ms."""
    settings = Settings(endpoint=endpoint, probes=names, metric_interval_ms=INTERVAL_MS)
    running = probes.start(settings, RESOURCE)
    try:
        yield running
    finally:
        running.stop()


def eventually(true: Callable[[], bool]) -> None:
    """Wait until it is so."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def by_series(points: list[Point]) -> dict[tuple[str, ...], Point]:
    """Return the points by name and attribute values."""
    return {(point.name, *point.attributes.values()): point for point in points}


def test_what_arrives(receiver: Receiver) -> None:
    """Host and process arrive with resource, units and kinds of the catalogue; counters never fall nor change start."""
    before = time.time_ns()
    with started(receiver.url) as running:
        requests = receiver.wait_for(5)
    assert running.failures == 0
    series = [by_series(request.points) for request in requests]
    assert {"process.cpu.time", "system.cpu.time"} <= {key[0] for key in series[0]}
    assert all(request.resource == RESOURCE for request in requests)
    for point in series[-1].values():
        entry = ENTRIES[point.name]
        assert (point.instrument, point.unit) == (entry.instrument, entry.unit)
        assert set(point.attributes) <= set(entry.attributes)
        assert before < point.time_ns < time.time_ns()
    for earlier, later in pairwise(series):
        for key in earlier.keys() & later.keys():
            assert earlier[key].time_ns < later[key].time_ns
            if later[key].instrument is Instrument.COUNTER:
                assert earlier[key].value <= later[key].value, key
                assert earlier[key].start_ns == later[key].start_ns < later[key].time_ns


def test_true_starts(receiver: Receiver) -> None:
    """Host counters start at boot and those of the process when it started, not when the probe did."""
    with started(receiver.url):
        points = by_series(receiver.wait_for(1)[0].points)
    with open("/proc/stat") as stat:  # noqa: PTH123 -- a line of it
        boot = next(int(line.split()[1]) for line in stat if line.startswith("btime"))
    assert points["system.cpu.time", "user"].start_ns == boot * 10**9
    started_at = points["process.cpu.time", "user"].start_ns / 1e9
    assert boot < started_at < time.time() - points["process.uptime",].value + 0.1


def test_one_connection(receiver: Receiver) -> None:
    """A sender keeps its connection."""
    with started(receiver.url, "process"):
        receiver.wait_for(4)
    assert receiver.connections == 1


def test_gpu_has_its_own_thread(receiver: Receiver) -> None:
    """GPUs are asked in a thread of their own, and failures are counted for each sender."""
    with started(receiver.url, "gpu,process"):
        names = {thread.name for thread in threading.enumerate() if thread.name.startswith("spyglass-probes")}
        eventually(lambda: len(senders(receiver)) == 2)
    assert names == {"spyglass-probes-gpu", "spyglass-probes-process"}
    assert senders(receiver) == {"gpu", "process"}


def senders(receiver: Receiver) -> set[str]:
    """Return the names that senders gave to their counter of failures."""
    found = (point for request in list(receiver.requests) for point in request.points)
    return {
        point.attributes["spyglass.probe.name"] for point in found if point.name == "spyglass.probe.export.failures"
    }


def test_none(receiver: Receiver) -> None:
    """No probes start no thread and send nothing."""
    before = threading.active_count()
    with started(receiver.url, "none"):
        assert threading.active_count() == before


@pytest.mark.parametrize(("text", "names"), [("process", ["process"]), (" gpu , host,gpu", ["gpu", "host"]), ("", [])])
def test_chosen(text: str, names: list[str]) -> None:
    """Names are a comma list, each counted once."""
    assert probes.chosen(text) == names


@pytest.mark.parametrize("text", ["disk", "host,none", "process;host"])
def test_unknown_probe(text: str) -> None:
    """A probe that does not exist is refused, and the sentence names those that do."""
    with pytest.raises(SettingError, match=r"SPYGLASS_PROBES.*host, process, gpu"):
        probes.start(Settings(probes=text), {})


def test_bad_settings_start_nothing() -> None:
    """A bad endpoint, token file or interval is refused before any thread starts."""
    before = threading.active_count()
    with pytest.raises(SettingError, match="SPYGLASS_METRIC_INTERVAL_MS: 0 is less than 10 milliseconds"):
        probes.start(Settings(metric_interval_ms=0), {})
    with pytest.raises(SettingError):
        probes.start(Settings(endpoint="nowhere"), {})
    with pytest.raises(InputFileError):
        probes.start(Settings(token_file="/no/such/file"), {})
    assert threading.active_count() == before


def test_dead_collector(caplog: pytest.LogCaptureFixture) -> None:
    """A collector that is away is one warning; failures are counted and told when it is back, and nothing is lost."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with caplog.at_level(logging.INFO, "spyglass.probes"), started(f"http://127.0.0.1:{port}", "process") as running:
        eventually(lambda: running.failures >= 3)
        with Receiver(port) as receiver:
            last = receiver.wait_for(2)[-1]
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) <= 2  # the second when the receiver went away before the last export
    assert warnings[0].startswith(f"Metrics of the probes cannot be sent to http://127.0.0.1:{port} ([Errno 111]")
    assert any("arrive" in record.getMessage() for record in caplog.records)
    failures = by_series(last.points)["spyglass.probe.export.failures", "process"]
    assert failures.value >= 3
    assert failures.start_ns < failures.time_ns


def test_collector_that_never_answers() -> None:
    """Neither start() nor stop() waits for a collector that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        running = probes.start(
            Settings(endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}", probes="process", metric_interval_ms=10),
            {},
        )
        silent.accept()[0].close()
        connection, _ = silent.accept()
        running.stop(timeout=0.05)
        connection.close()


def test_last_values_are_sent(receiver: Receiver) -> None:
    """stop() sends what came since the last export, however long the interval is."""
    running = probes.start(Settings(endpoint=receiver.url, probes="process", metric_interval_ms=3_600_000), RESOURCE)
    receiver.wait_for(1)
    running.stop()
    assert len(receiver.requests) == 2
    assert running.exports == 2
    running.stop()
    assert len(receiver.requests) == 2


class Broken:
    """A probe that works once."""

    name = "host"

    def __init__(self) -> None:
        self.closed = False
        self._inner = probes.BUILDERS["process"]()
        self._calls = 0

    def collect(self) -> list[Sample]:
        """Raise from the second call on."""
        self._calls += 1
        if self._calls > 1:
            raise RuntimeError("out of order")
        return []

    def findings(self) -> list[probes.Finding]:
        """Return nothing."""
        return []

    def close(self, *, forked: bool = False) -> None:
        """Note it."""
        self.closed = not forked


def test_broken_probe(receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A probe that raises is one warning and takes neither the others nor the thread with it."""
    broken = Broken()
    monkeypatch.setitem(probes.BUILDERS, "host", lambda: broken)
    with started(receiver.url):
        receiver.wait_for(4)
    assert "process.uptime" in {point.name for point in receiver.requests[-1].points}
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["The host probe failed: RuntimeError: out of order"]
    assert broken.closed


def test_probe_that_cannot_be_made(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A probe that cannot be made is one warning, and describe() says so."""

    def fail() -> Any:
        raise OSError(24, "Too many open files")

    monkeypatch.setitem(probes.BUILDERS, "host", fail)
    with started(receiver.url, "host"):
        eventually(lambda: bool(caplog.records))
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    (line,) = probes.describe(["host"])
    assert line == ("host", "absent", "The probe does not work here: [Errno 24] Too many open files.")


def test_no_threads_left(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A system that has no more threads to give is one warning; the application goes on."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    running = probes.start(Settings(probes="process"), {})
    running.stop()
    assert [record.getMessage() for record in caplog.records] == [
        "The probes process do not run: can't start new thread."
    ]


def test_describe() -> None:
    """describe() has a line for each probe on any machine."""
    lines = probes.describe()
    assert {line.probe for line in lines} == set(probes.BUILDERS)
    assert [line.state for line in lines if line.probe == "process"] == [probes.FindingState.OK]
    assert all(line.sentence.endswith(".") for line in lines)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_forked_child(receiver: Receiver) -> None:
    """A forked child sends nothing, has none of the parent's files, stops at once, and can start probes of its own."""
    before = len(proc_files())
    with started(receiver.url) as running:
        receiver.wait_for(2)
        assert len(proc_files()) > before
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, child_report(receiver.url, running).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(writing)
        report = os.read(reading, 1_000).decode()
        os.close(reading)
        count = len(receiver.requests)
        receiver.wait_for(count + 2)
    assert report == f"{before} files, 1 threads, sent as child"
    pids = {request.resource.get("process.pid", "parent") for request in receiver.requests}
    assert pids == {"parent", str(child)}
    assert running.failures == 0


def child_report(url: str, running: probes.Stoppable) -> str:
    """Say what a forked child has of its parent's probes; the parent's assertion shows an error."""
    try:
        files, threads = len(proc_files()), threading.active_count()
        running.stop()
        own = probes.start(Settings(endpoint=url, probes="process"), {"process.pid": str(os.getpid())})
        own.stop(timeout=30)
    except Exception as error:  # noqa: BLE001 -- a child that raised would run the parent's tests on
        return repr(error)
    return f"{files} files, {threads} threads, sent as {'child' if own.failures == 0 else 'nobody'}"


def proc_files() -> list[str]:
    """Return the files of /proc that this process has open."""
    names: list[str] = []
    for number in list(Path("/proc/self/fd").iterdir()):
        with suppress(FileNotFoundError):  # the one that the list was read through
            names.append(str(number.readlink()))
    return [name for name in names if name.startswith("/proc/") and not name.endswith("/fd")]
