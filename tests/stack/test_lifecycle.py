"""Drive the stack by the command line, as users do; the parts are real, the warehouse and the collector elsewhere."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stack.conftest import Spyglass, alive, eventually

pytestmark = pytest.mark.stack
PARTS = ("prometheus", "tempo", "alertmanager")
ONLY = f"--only={','.join(PARTS)}"


def _record(data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((data / "stack.json").read_text())
    return found


def _pids(spyglass: Spyglass, data: Path) -> dict[str, int]:
    rows = map(json.loads, spyglass("status", "--json", "--data-dir", data).out.splitlines())
    return {row["part"]: row["pid"] for row in rows}


@pytest.fixture
def up(spyglass: Spyglass, data: Path, offset: int) -> dict[str, int]:
    """Start three parts in the background and return their processes."""
    done = spyglass("up", "--detach", ONLY, "--data-dir", data, "--port-offset", offset)
    assert done.code == 0, done.err
    return _pids(spyglass, data)


def test_up_tells_each_part_and_where_to_look(spyglass: Spyglass, data: Path, offset: int) -> None:
    """Up --detach tells on stderr which part is ready, prints the addresses, and returns."""
    done = spyglass("up", "--detach", ONLY, "--data-dir", data, "--port-offset", offset)
    assert done.code == 0
    assert sorted(line.split(" (")[0] for line in done.err.splitlines()) == [
        f"{part} is ready" for part in sorted(PARTS)
    ]
    assert f"http://127.0.0.1:{9090 + offset}" in done.out
    assert str(data) in done.out


def test_up_as_json(spyglass: Spyglass, data: Path, offset: int) -> None:
    """Up --detach --json prints one object per part, all of them ready."""
    done = spyglass("up", "--detach", "--json", "--only", "alertmanager", "--data-dir", data, "--port-offset", offset)
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [(row["part"], row["state"], row["ready"]) for row in rows] == [
        ("alertmanager", "running", True),
        ("process-compose", "running", True),
    ]


def test_the_record_of_a_stack(up: dict[str, int], data: Path, offset: int) -> None:
    """While a stack runs, stack.json holds its ports with the offset, its parts, and when it started."""
    record = _record(data)
    assert record["ports"]["otlp_http"] == 4318 + offset
    assert record["port_offset"] == offset
    assert record["parts"] == list(PARTS)
    assert record["supervisor"] == up["process-compose"]
    assert record["started_at"].endswith("+00:00")


def test_files_are_private(up: dict[str, int], data: Path) -> None:
    """The socket and the rendered configurations are for the owner only; others may enter the directory itself."""
    assert up
    modes = {path.name: path.stat().st_mode & 0o777 for path in [data, *data.iterdir(), *(data / "config").iterdir()]}
    assert modes.pop(data.name) == 0o755
    assert modes["process-compose.sock"] == modes["prometheus.yaml"] == modes["process-compose.yaml"] == 0o600
    assert {modes[name] for name in ("config", "secrets", "logs", "prometheus", "tempo", "alertmanager")} == {0o700}


def test_status_as_a_table(up: dict[str, int], spyglass: Spyglass, data: Path) -> None:
    """Status shows a line for each part, with its process and what it takes; all ready is exit code 0."""
    done = spyglass("status", "--data-dir", data)
    lines = [line.split() for line in done.out.splitlines()]
    assert done.code == 0
    assert [line[0] for line in lines] == ["PART", *PARTS, "process-compose"]
    assert [line[3] for line in lines[1:]] == [str(pid) for pid in up.values()]
    assert all(line[-1] == "MiB" for line in lines[1:])


def test_status_of_a_part_that_is_not_ready(up: dict[str, int], spyglass: Spyglass, data: Path) -> None:
    """A part that does not answer is shown as running and not ready, and the exit code is 1."""
    os.kill(up["alertmanager"], signal.SIGSTOP)
    done = spyglass("status", "--json", "--data-dir", data)
    os.kill(up["alertmanager"], signal.SIGCONT)
    row = next(row for row in map(json.loads, done.out.splitlines()) if row["part"] == "alertmanager")
    assert (done.code, row["state"], row["ready"]) == (1, "running", False)


def test_a_dead_part_comes_back(up: dict[str, int], spyglass: Spyglass, data: Path) -> None:
    """A part that dies is shown as restarting, and started again after a while; the restart is counted."""
    os.kill(up["tempo"], signal.SIGKILL)

    def row() -> dict[str, Any]:
        rows = map(json.loads, spyglass("status", "--json", "--data-dir", data).out.splitlines())
        return next(found for found in rows if found["part"] == "tempo")

    dead = row()
    assert (dead["state"], dead["ready"], dead["pid"], dead["rss_bytes"]) == ("restarting", False, None, None)
    back = eventually(lambda: (found := row())["ready"] and found)
    assert back["restarts"] == 1
    assert back["pid"] != up["tempo"]


def test_a_second_stack_in_the_directory_is_refused(up: dict[str, int], spyglass: Spyglass, data: Path) -> None:
    """Up names the stack that already runs in the data directory, and leaves it alone."""
    done = spyglass("up", "--detach", ONLY, "--data-dir", data, "--port-offset", 50_000)
    assert done.code == 1
    assert done.err == (
        f"spyglass: Data directory {data}: a stack runs here already (its process-compose is process "
        f"{up['process-compose']}). Stop it with `spyglass down`, or start another: "
        "spyglass up --port-offset 1000 --data-dir DIR.\n"
    )
    assert _pids(spyglass, data) == up


def test_a_taken_port_is_named(up: dict[str, int], spyglass: Spyglass, data: Path, offset: int) -> None:
    """Up names the part, the port and the process that holds it, before anything is started."""
    other = data / "other"
    done = spyglass("up", "--detach", "--only=tempo", "--data-dir", other, "--port-offset", offset)
    assert done.code == 1
    said = f"spyglass: Port {3200 + offset}, which tempo needs, is taken by tempo (process {up['tempo']}). Stop that"
    assert done.err.startswith(said)
    assert done.err.count("\n") == 1
    assert not (other / "stack.json").exists()


def test_restart_gives_a_part_a_new_process(up: dict[str, int], spyglass: Spyglass, data: Path) -> None:
    """Restart stops one part in order, and returns when a new process of it is ready."""
    done = spyglass("restart", "alertmanager", "--data-dir", data)
    assert (done.code, done.err) == (0, "alertmanager is ready again\n")
    now = _pids(spyglass, data)
    assert now.pop("alertmanager") != up.pop("alertmanager")
    assert now == up
    unknown = spyglass("restart", "grafana", "--data-dir", data)
    assert unknown.code == 2
    assert "This stack has no part 'grafana'. It has prometheus, tempo, alertmanager." in unknown.err


def test_logs_show_and_follow(up: dict[str, int], spyglass: Spyglass, data: Path) -> None:
    """Logs prints the last lines of a part's log, and with -f what is added to it."""
    assert up
    lines = spyglass("logs", "prometheus", "-n", 3, "--data-dir", data).out.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("time=") for line in lines)
    command = [sys.executable, "-m", "spyglass", "logs", "alertmanager", "-n0", "-f", "--data-dir", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout
        read = threading.Thread(target=lambda: lines.append(follower.stdout.readline()))  # type: ignore[union-attr]
        read.start()
        eventually(lambda: spyglass("restart", "alertmanager", "--data-dir", data).code == 0 and not read.is_alive())
        assert lines[-1].startswith("time=")
        follower.send_signal(signal.SIGINT)
        assert follower.wait(10) == 130
    assert spyglass("logs", "grafana", "--data-dir", data).code == 1
    assert spyglass("logs", "tempoo", "--data-dir", data).code == 2


def test_down_leaves_nothing_running(up: dict[str, int], spyglass: Spyglass, data: Path) -> None:
    """Down tells each part that has stopped; afterwards no process, socket or record is left, and the data is."""
    done = spyglass("down", "--data-dir", data)
    assert done.code == 0
    assert sorted(done.err.splitlines()) == [f"{part} has stopped" for part in sorted(PARTS)]
    assert alive(up.values()) == []
    assert not {"stack.json", "process-compose.sock"} & {path.name for path in data.iterdir()}
    assert (data / "prometheus" / "wal").is_dir()
    assert spyglass("status", "--data-dir", data).code == 3
    again = spyglass("down", "--data-dir", data)
    assert (again.code, again.err) == (0, f"No stack runs with the data directory {data}.\n")


def test_down_kills_what_does_not_stop(up: dict[str, int], spyglass: Spyglass, data: Path) -> None:
    """A part that does not stop in time is killed and named, and the exit code says that something was wrong."""
    os.kill(up["alertmanager"], signal.SIGSTOP)
    done = spyglass("down", "--timeout", 2, "--data-dir", data)
    assert done.code == 1
    assert "spyglass: alertmanager and process-compose: still ran 2 s after the stack was asked to stop" in done.err
    assert alive(up.values()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_foreground_stops_in_order(spyglass: Spyglass, data: Path, offset: int, number: signal.Signals) -> None:
    """Without --detach, up stays; Ctrl-C and SIGTERM stop every part in order and end it with exit code 0."""
    with _foreground(data, offset) as process:
        pids = _pids(spyglass, data)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "stopping\n" in err
    assert sorted(line for line in err.splitlines() if "has stopped" in line) == [
        f"{p} has stopped" for p in sorted(PARTS)
    ]
    assert alive(pids.values()) == []


def test_down_ends_a_stack_in_the_foreground(spyglass: Spyglass, data: Path, offset: int) -> None:
    """Down from another terminal ends up, which takes it for an order: exit code 0."""
    with _foreground(data, offset) as process:
        assert spyglass("down", "--data-dir", data).code == 0
        assert process.wait(30) == 0


def test_a_foreground_stack_does_not_outlive_its_terminal(spyglass: Spyglass, data: Path, offset: int) -> None:
    """When up itself is killed with SIGKILL, the parts stop in order, and up works again."""
    with _foreground(data, offset) as process:
        pids = _pids(spyglass, data)
        process.kill()
        process.communicate()
    eventually(lambda: not alive(pids.values()))
    assert spyglass("up", "--detach", "--only=tempo", "--data-dir", data, "--port-offset", offset).code == 0


def test_up_works_after_kill_9_of_everything(up: dict[str, int], spyglass: Spyglass, data: Path, offset: int) -> None:
    """A stale socket and record of a stack that was killed are cleared away by the next up."""
    for pid in [up.pop("process-compose"), *up.values()]:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not alive(up.values()))
    assert (data / "stack.json").exists()
    assert (data / "process-compose.sock").exists()
    assert spyglass("status", "--data-dir", data).code == 3
    assert spyglass("up", "--detach", ONLY, "--data-dir", data, "--port-offset", offset).code == 0
    assert spyglass("status", "--data-dir", data).code == 0


@pytest.fixture
def stranger(data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that works in the data directory and knows it, but is no part."""
    with subprocess.Popen(["/bin/sleep", "60"], cwd="/", env=os.environ | {"DATA_DIR": str(data)}) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("command", ["up", "down"])
def test_orphans_are_ended_and_strangers_are_not(  # noqa: PLR0917 -- fixtures
    up: dict[str, int], spyglass: Spyglass, data: Path, offset: int, stranger: subprocess.Popen[bytes], command: str
) -> None:
    """Parts whose supervisor was killed are ended by the next up or down; no other process is touched."""
    os.kill(up.pop("process-compose"), signal.SIGKILL)
    words = ["up", "--detach", ONLY, "--port-offset", offset] if command == "up" else ["down"]
    done = spyglass(*words, "--data-dir", data)
    assert done.code == 0, done.err
    assert "a killed stack had left" in done.err
    assert alive(up.values()) == []
    assert stranger.poll() is None


def test_down_finds_a_stack_whose_record_is_lost(up: dict[str, int], spyglass: Spyglass, data: Path) -> None:
    """A stack is stopped in order also when somebody removed stack.json."""
    (data / "stack.json").unlink()
    done = spyglass("down", "--data-dir", data)
    assert (done.code, alive(up.values())) == (0, [])


def _foreground(data: Path, offset: int) -> subprocess.Popen[str]:
    words = ["up", ONLY, "--data-dir", str(data), "--port-offset", str(offset)]
    process = subprocess.Popen(
        [sys.executable, "-m", "spyglass", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    eventually(lambda: process.stdout and process.stdout.readline().startswith("data in"))
    return process


@pytest.mark.parametrize(
    ("words", "environ", "said"),
    [
        (
            (),
            {"SPYGLASS_PORT_OFFSETT": "1000"},
            "SPYGLASS_PORT_OFFSETT: no such setting. Did you mean SPYGLASS_PORT_OFFSET?",
        ),
        (("--port-offset", "1500"), {}, "SPYGLASS_PORT_OFFSET: 1500 is not a multiple of 1000."),
        (("--only", "tempo,promtheus"), {}, "The stack has no part 'promtheus'. It has warehouse, prometheus, tempo,"),
        (("--only", "grafana"), {"PATH": "/nowhere"}, "There is no Grafana on this machine."),
    ],
)
def test_mistaken_requests_end_with_2(
    spyglass: Spyglass, data: Path, words: tuple[str, ...], environ: dict[str, str], said: str
) -> None:
    """An unknown setting or part is one sentence and exit code 2, and nothing is made."""
    done = spyglass("up", "--detach", "--data-dir", data, *words, environ=environ)
    assert done.code == 2
    assert done.err.startswith(f"spyglass: {said}")
    assert done.err.count("\n") == 1
    assert not data.exists()


def test_the_command_line_counts_more_than_the_environment(spyglass: Spyglass, data: Path) -> None:
    """--data-dir names the directory also where SPYGLASS_DATA_DIR names another."""
    done = spyglass("down", "--data-dir", data, environ={"SPYGLASS_DATA_DIR": "/elsewhere"})
    assert done.err == f"No stack runs with the data directory {data}.\n"
