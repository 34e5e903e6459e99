import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spyglass.cli import main
from spyglass.cli import probe as command
from spyglass.probes.catalog import ENTRIES
from tests.probes.receiver import Receiver

COMMAND = (sys.executable, "-m", "spyglass", "probe")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("SPYGLASS_", "OTEL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@contextmanager
def daemon(*arguments: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command until the test is done with it."""
    with subprocess.Popen(
        [*COMMAND, *arguments], env={**os.environ, **environ}, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_once_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """--once --json prints an object per value, utilisation among them, and exits with 0."""
    assert main(["probe", "--once", "--json", "--interval", "0.1", "--probes", "host,process"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"system.cpu.utilization", "process.cpu.utilization"} <= {row["name"] for row in rows}
    for row in rows:
        assert row["unit"] == ENTRIES[row["name"]].unit
        assert row["probe"] == ENTRIES[row["name"]].probe
        assert isinstance(row["value"], int | float)


def test_once_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """--once prints a line per value: name, attributes, value, unit; what is missing stands on stderr."""
    assert main(["probe", "--once", "--interval", "0.1"]) == 0
    shown = capsys.readouterr()
    (line,) = [line.split() for line in shown.out.splitlines() if line.startswith("system.cpu.logical.count ")]
    assert line == ["system.cpu.logical.count", str(os.cpu_count()), "{cpu}"]
    assert "Traceback" not in shown.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--probes", "disk"], "there is no probe 'disk'"),
        (["--probes", "none"], "There is no probe to run."),
        (["--interval", "0"], "--interval is not between 0.1 and 3600 seconds."),
        (["--interval", "nan"], "--interval is not between"),
        (["--json"], "--json goes with --once."),
    ],
)
def test_bad_arguments(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be understood is one sentence and exit code 2."""
    assert main(["probe", *arguments]) == 2
    shown = capsys.readouterr().err
    assert sentence in shown
    assert shown.count("\n") == 1


def test_bad_endpoint(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An endpoint that is no address ends the daemon before it begins, with a sentence."""
    monkeypatch.setenv("SPYGLASS_ENDPOINT", "nowhere")
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert main(["probe"]) == 2
    assert "'nowhere' is no HTTP address." in capsys.readouterr().err


def test_endpoint_of_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an endpoint the probe sends to the collector of the stack with this port offset."""
    assert command._settings(["host"], None).endpoint == "http://127.0.0.1:4318"
    monkeypatch.setenv("SPYGLASS_PORT_OFFSET", "3000")
    assert command._settings(["host"], None).endpoint == "http://127.0.0.1:7318"
    monkeypatch.setenv("SPYGLASS_ENDPOINT", "http://elsewhere:1")
    assert command._settings(["host"], None).endpoint == "http://elsewhere:1"


def test_probes_of_agents_are_not_those_of_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    """SPYGLASS_PROBES, which is for agents, does not change what the daemon watches; --interval wins."""
    monkeypatch.setenv("SPYGLASS_PROBES", "process")
    monkeypatch.setenv("SPYGLASS_METRIC_INTERVAL_MS", "7000")
    settings = command._settings(["host", "gpu"], 0.5)
    assert (settings.probes, settings.metric_interval_ms) == ("host,gpu", 500)
    assert command._settings(["host"], None).metric_interval_ms == 7000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_daemon(receiver: Receiver, number: signal.Signals) -> None:
    """The daemon sends until it is told to stop, and exits with 0."""
    with daemon("--interval", "0.1", SPYGLASS_ENDPOINT=receiver.url, SPYGLASS_ORGANIZATION="acme") as process:
        receiver.wait_for(3)
        process.send_signal(number)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert "Watching host,gpu every 0.1 s" in process.stderr.read()
    assert receiver.requests[0].resource["service.name"] == "spyglass-probe"
    assert receiver.requests[0].resource["spyglass.organization"] == "acme"
    assert receiver.requests[0].resource["host.name"] == socket.gethostname()


def test_restart_makes_no_new_series(receiver: Receiver) -> None:
    """After a restart the same host sends the same series: same resource, attributes and start times."""
    seen = []
    for _ in range(2):
        receiver.requests.clear()
        with daemon("--interval", "0.1", "--probes", "host", SPYGLASS_ENDPOINT=receiver.url) as process:
            request = receiver.wait_for(3)[2]
            process.terminate()
            process.wait(30)
        host = [point for point in request.points if ENTRIES[point.name].probe == "host"]
        seen.append((request.resource, {(point.name, *point.attributes.items(), point.start_ns) for point in host}))
    assert seen[0] == seen[1]


def test_dead_collector() -> None:
    """A daemon whose collector is away warns once, runs on, and still exits with 0."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with daemon("--interval", "0.1", "--probes", "host", SPYGLASS_ENDPOINT=endpoint) as process:
            assert process.stderr is not None
            lines = [process.stderr.readline() for _ in range(2)]
            time.sleep(0.5)  # several intervals, in which a second warning would come
            assert process.poll() is None
            process.terminate()
            assert process.wait(30) == 0
            rest = process.stderr.read()
    assert sum("cannot be sent" in line for line in [*lines, rest]) == 1
    assert "Traceback" not in rest
