"""Run stacks of their own, as tests and measurements do."""

import dataclasses
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from spyglass.errors import PartError, StackError, StackNotRunningError, UsageError
from spyglass.settings import Settings
from spyglass.stack import local, ports, running, status
from spyglass.stack.local import LocalStack
from spyglass.stack.parts import PARTS
from tests.stack.conftest import LISTENING, alive, eventually

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """Run an Alertmanager, the lightest part, and a Tempo."""
    with LocalStack(("alertmanager", "tempo")) as running_:
        yield running_


def test_it_is_found_by_its_data_directory(stack: LocalStack) -> None:
    """Attach returns the ports of the stack that runs in a data directory, and its collector as the endpoint."""
    bare = Settings(data_dir=stack.settings.data_dir, port_tempo=1)
    attached = running.attach(bare)
    assert attached.ports() == stack.settings.ports()
    assert attached.endpoint == f"http://127.0.0.1:{stack.settings.port('otlp_http')}"
    assert running.attach(Settings(data_dir=bare.data_dir, endpoint="http://far:1")).endpoint == "http://far:1"


def test_nothing_is_found_elsewhere(tmp_path: Path) -> None:
    """Attach to a directory without a stack raises StackNotRunningError, naming the directory and how to start."""
    with pytest.raises(
        StackNotRunningError, match=rf"No stack runs with the data directory {tmp_path}\. .*spyglass up"
    ):
        running.attach(Settings(data_dir=str(tmp_path)))


def test_a_process_that_only_has_the_same_id_is_no_stack(stack: LocalStack, tmp_path: Path) -> None:
    """A record whose process id belongs to a later process counts as a stack that has ended."""
    text = (Path(stack.settings.data_dir) / "stack.json").read_text()
    start = f'"supervisor_start": {running.of(stack.settings)[1].supervisor_start}'
    assert start in text
    (tmp_path / "stack.json").write_text(text.replace(start, '"supervisor_start": 1'))
    with pytest.raises(StackNotRunningError):
        running.attach(Settings(data_dir=str(tmp_path)))
    (tmp_path / "stack.json").write_text("{")
    with pytest.raises(StackNotRunningError):
        running.attach(Settings(data_dir=str(tmp_path)))


def test_a_part_can_be_killed(stack: LocalStack) -> None:
    """A killed part is gone when kill returns, and comes back by itself with a new process."""
    before = stack.pid("alertmanager")
    stack.kill("alertmanager")
    assert alive([before]) == []
    with pytest.raises(PartError, match="alertmanager: it does not run"):
        stack.pid("alertmanager")
    stack.wait("alertmanager")
    assert stack.pid("alertmanager") != before


def test_a_part_can_be_stopped_and_started(stack: LocalStack) -> None:
    """A stopped part stays stopped until it is started; then its log goes on."""
    before, log = stack.pid("tempo"), len(stack.log("tempo"))
    stack.stop("tempo")
    assert alive([before]) == []
    time.sleep(2.5)  # longer than a dead part waits to be restarted
    row = next(row for row in status.rows(stack.settings) if row.part == "tempo")
    assert (row.state, row.ready, row.pid) == ("stopped", False, None)
    stack.start("tempo")
    assert stack.pid("tempo") != before
    assert len(stack.log("tempo")) > log


def test_a_part_can_be_restarted(stack: LocalStack) -> None:
    """Restart returns when a new process of the part is ready."""
    before = stack.pid("alertmanager")
    stack.restart("alertmanager")
    assert stack.pid("alertmanager") != before
    assert all(row.ready for row in status.rows(stack.settings))


def test_a_part_that_is_not_in_it_is_refused(stack: LocalStack) -> None:
    """Asking for a part that was not started names those that were."""
    with pytest.raises(UsageError, match=r"This stack has no part 'server'. It has tempo, alertmanager\."):
        stack.pid("server")


def test_two_run_side_by_side_and_leave_nothing(stack: LocalStack) -> None:
    """Two stacks share no port; one that ends leaves neither process nor directory, and the other alone."""
    with LocalStack(("alertmanager",)) as other:
        assert not set(other.settings.ports().values()) & set(stack.settings.ports().values())
        pids = other.processes()
        assert not set(pids.values()) & set(stack.processes().values())
    assert alive(pids.values()) == []
    assert not Path(other.settings.data_dir).exists()
    assert all(row.ready for row in status.rows(stack.settings))


def test_settings_of_the_user_are_left_aside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a test names counts; what the shell or the user's file set does not, except where programs are."""
    file = tmp_path / "spyglass.toml"
    file.write_text('retention_tempo_hours = 7\nslack_channel = "#x"\n')
    monkeypatch.setenv("SPYGLASS_CONFIG", str(file))
    monkeypatch.setenv("SPYGLASS_CONTENT", "full")
    monkeypatch.setenv("SPYGLASS_REDACT", "no")
    with LocalStack(("alertmanager",), settings={"redact": True, "log_level": "ERROR"}) as stack:
        settings = stack.settings
        environ = psutil.Process(stack.pid("alertmanager")).environ()
    assert (settings.content, settings.redact, settings.log_level) == ("metadata", True, "ERROR")
    assert (settings.retention_tempo_hours, settings.slack_channel) == (336, "")
    assert environ["SPYGLASS_LOG_LEVEL"] == "ERROR"
    assert environ["SPYGLASS_CONTENT"] == "metadata"


def test_an_unknown_setting_is_refused() -> None:
    """A setting that does not exist is a mistake of the test, told before anything is started."""
    with pytest.raises(UsageError, match="There is no setting 'contnt'"), LocalStack(settings={"contnt": "full"}):
        pass


def test_a_directory_that_is_given_stays(tmp_path: Path) -> None:
    """With a data directory of the caller's, the stack is stopped in order and its data is there the next time."""
    with LocalStack(("alertmanager",), data_dir=tmp_path) as stack:
        pids = stack.processes()
    assert alive(pids.values()) == []
    assert (tmp_path / "logs" / "alertmanager.log").is_file()
    with LocalStack(("alertmanager",), data_dir=tmp_path) as again:
        assert again.settings.data_dir == str(tmp_path)


OWNER = """
import sys, time
from spyglass.stack.local import LocalStack
with LocalStack(("alertmanager", "tempo")) as stack:
    print(stack.settings.data_dir, *stack.processes().values(), flush=True)
    time.sleep(60)
"""


def test_it_ends_with_its_owner() -> None:
    """When the process that made a stack is killed, the stack ends by itself."""
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        data, *words = owner.stdout.readline().split()
        pids = [int(word) for word in words]
        assert len(alive(pids)) == 3
        owner.send_signal(signal.SIGKILL)
    eventually(lambda: not alive(pids))
    shutil.rmtree(data)  # which its owner could not do any more


def test_every_socket_is_loopback_and_in_the_settings() -> None:
    """A running stack listens on loopback only, and only on ports of the settings; process-compose listens on none."""
    with LocalStack(("prometheus", "tempo", "alertmanager")) as stack:
        pids = set(stack.processes().values())
        found = [one for one in psutil.net_connections(kind="inet") if one.pid in pids and one.status in LISTENING]
        settings = stack.settings
    assert {next(iter(one.laddr)) for one in found} == {"127.0.0.1"}
    listening = {tuple(one.laddr)[1] for one in found}
    assert listening <= set(settings.ports().values())
    expected = ("prometheus", "alertmanager", "tempo", "tempo_grpc", "tempo_otlp_grpc", "tempo_otlp_http")
    assert {settings.port(name) for name in expected} <= listening


def test_no_secret_is_in_the_process_list() -> None:
    """No argument of any process of a stack holds a password, nor does any file of the data directory."""
    secret = "Planted0Secret1Of2The3Warehouse"
    with LocalStack(("warehouse", "alertmanager"), settings={"warehouse_admin_password": secret}) as stack:
        arguments = [" ".join(psutil.Process(pid).cmdline()) for pid in stack.processes().values()]
        data = Path(stack.settings.data_dir)
        texts = {
            path: path.read_bytes() for path in data.rglob("*") if path.is_file() and path.parent.name != "secrets"
        }
    assert not any(secret in line for line in arguments)
    assert [path for path, text in texts.items() if secret.encode() in text and path.parent.name != "warehouse"] == []


def test_a_part_that_dies_is_named_with_its_last_words(tmp_path: Path) -> None:
    """A part that cannot start is named with the end of its log, and nothing is left running."""
    (tmp_path / "prometheus").mkdir()
    (tmp_path / "prometheus" / "wal").write_text("no folder")
    with pytest.raises(PartError) as raised, LocalStack(("prometheus", "alertmanager"), data_dir=tmp_path):
        pass
    assert raised.value.part == "prometheus"
    assert "prometheus: it ended with exit code 1; its log ends with: " in raised.value.problem
    assert "wal" in raised.value.problem
    assert raised.value.remedy == f"Its whole log is {tmp_path}/logs/prometheus.log."
    assert not [one for one in psutil.process_iter() if str(tmp_path) in " ".join(_cmdline(one))]
    assert not (tmp_path / "stack.json").exists()


def _cmdline(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def test_a_part_that_never_gets_ready_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that runs without getting ready is given up after its time."""
    never = dataclasses.replace(PARTS["alertmanager"], ready=("alertmanager", "/never"), start_seconds=1)
    monkeypatch.setitem(PARTS, "alertmanager", never)
    with (
        pytest.raises(PartError, match=r"alertmanager: it was not ready after 1 s; its log ends with: "),
        LocalStack(("alertmanager",)),
    ):
        pass


def test_offsets_are_never_shared() -> None:
    """Of many that claim an offset at a time, each gets its own, with all ports free."""
    with local.free_offset() as first, local.free_offset() as second:
        assert first != second
        assert all(ports.free(port) for port in Settings(port_offset=second).ports().values())


def test_an_offset_with_a_taken_port_is_passed_over() -> None:
    """An offset one of whose ports somebody listens on is not used."""
    with local.free_offset() as offset:
        pass
    with socket.create_server(("127.0.0.1", 9090 + offset)), local.free_offset() as other:
        assert other != offset


def test_outside_its_with_statement_it_is_nothing() -> None:
    """A stack that was not entered has no parts to ask for."""
    with pytest.raises(StackError, match="This LocalStack does not run"):
        LocalStack().pid("tempo")
