"""The process: whose it is, how it starts, stops and survives, what it says when it cannot run."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spyglass.settings import load
from spyglass.warehouse import passwords
from tests.warehouse.wire import Server, span

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up root's rights")


def _run(server: Server) -> tuple[int, str]:
    """Start a process that is expected to end by itself; returns its exit code and what it wrote."""
    server.start(wait=False)
    assert server.process is not None
    code = server.process.wait(60)
    server.process = None
    return code, server.log


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


@only_root
def test_the_engine_is_nobody(server: Server) -> None:
    """Started by root, the process runs as nobody, without groups, and owns only its folder."""
    assert server.process is not None
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{server.process.pid}/status").read_text("utf-8").splitlines()
    )
    nobody = pwd.getpwnam("nobody")
    assert status["Uid"].split() == [str(nobody.pw_uid)] * 4
    assert status["Gid"].split() == [str(nobody.pw_gid)] * 4
    assert not status["Groups"].strip()
    assert (server.folder / "data" / "warehouse").stat().st_uid == nobody.pw_uid


@only_root
def test_nothing_is_imported_late(server: Server) -> None:
    """After root's rights are gone, Python itself may be out of reach: no request may need another module."""
    server.insert("otel_traces", [span(30_001)])
    for output in ("JSON", "Native", "Arrow", "Pretty", "CSVWithNames"):
        for encoding in ("gzip", "zstd", "lz4", "deflate"):
            answer = server.post(
                "SELECT * FROM numbers(100000)",
                "reader",
                {"Accept-Encoding": encoding},
                enable_http_compression="1",
                default_format=output,
            )
            assert answer.status == 200, answer.text
            assert answer.headers["content-encoding"] == encoding
    assert server.get("/metrics").status == 200
    assert "Error" not in server.log


def test_it_listens_on_loopback_only(server: Server) -> None:
    """No other address has the port."""
    local = f"0100007F:{server.port:04X}"
    listening = [
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text("utf-8").splitlines()
        if f":{server.port:04X} " in line and " 0A " in line
    ]
    assert listening == [local]


def test_generated_passwords(tmp_path: Path) -> None:
    """Passwords are generated once into files that only the owner reads, and the environment goes first."""
    settings = load({"data_dir": str(tmp_path)}, {}).settings
    first = passwords.ensure(settings)
    assert passwords.ensure(settings) == first
    assert len({first.collector, first.reader, first.admin}) == 3
    for user in passwords.USERS:
        file = passwords.path(settings, user)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert getattr(first, user)[0].isalpha()
        assert getattr(first, user).isalnum()
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    given = load({"data_dir": str(tmp_path)}, {"SPYGLASS_WAREHOUSE_READER_PASSWORD": "mine"}).settings
    assert passwords.ensure(given).reader == "mine"
    assert passwords.ensure(given).collector == first.collector


@pytest.mark.parametrize("path", ["header", "parameters", "x-clickhouse"])
def test_wrong_password(server: Server, path: str) -> None:
    """A wrong password, an unknown user and no user are refused alike, wherever they stand, and counted."""
    headers = {"X-ClickHouse-User": "reader", "X-ClickHouse-Key": "wrong"} if path == "x-clickhouse" else {}
    for user, password in (("reader", "wrong"), ("nobody", "x"), ("default", "")):
        sent = {"user": user, "password": password} if path == "parameters" else {}
        if path == "x-clickhouse":
            headers = {"X-ClickHouse-User": user, "X-ClickHouse-Key": password}
        answer = server._request("POST", "/?" + "&".join(f"{k}={v}" for k, v in sent.items()), b"SELECT 1", headers)
        assert answer.status == 403
        assert answer.headers["x-clickhouse-exception-code"] == "516"
    assert "spyglass_warehouse_authentication_failures_total 0" not in server.get("/metrics").text


def test_two_engines_on_one_folder(server: Server) -> None:
    """A second process on the same folder says so in one sentence, with the remedy, and changes nothing."""
    second = Server(folder=server.folder)
    second.settings = {"SPYGLASS_PORT_WAREHOUSE": str(second.port)}
    command = [sys.executable, "-m", "spyglass", "warehouse", "serve"]
    environment = server.environment | second.settings
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    sentence = _last_line(done.stderr)
    assert sentence.startswith("spyglass: Data directory")
    assert f"process {server.process.pid if server.process else 0}" in sentence
    assert "Traceback" not in done.stderr
    assert server.ready()


def test_taken_port(new_server: Callable[..., Server]) -> None:
    """A taken port is named, with the remedy."""
    server = new_server()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", server.port))
        holder.listen()
        code, text = _run(server)
    assert code == 1
    assert _last_line(text).startswith(f"spyglass: Port {server.port}, which warehouse needs, is taken")


@only_root
def test_folder_that_nobody_cannot_enter(new_server: Callable[..., Server]) -> None:
    """A data directory behind a closed door is named, with the door and the remedy."""
    server = new_server()
    server.folder.chmod(0o700)
    code, text = _run(server)
    assert code == 1
    sentence = _last_line(text)
    assert f"the system user nobody, which the engine runs as, cannot enter {server.folder}." in sentence
    assert "--data-dir" in sentence
    assert "Traceback" not in text


def test_unknown_system_user(new_server: Callable[..., Server]) -> None:
    """A system user that does not exist is an error of the setting."""
    if os.geteuid() != 0:
        pytest.skip("only root changes its user")
    code, text = _run(new_server(warehouse_user="no-such-user"))
    assert code == 2
    assert _last_line(text) == "spyglass: SPYGLASS_WAREHOUSE_USER: there is no system user 'no-such-user'."


def test_graceful_stop(new_server: Callable[..., Server]) -> None:
    """SIGTERM finishes the inserts that were taken, refuses new ones with 503 or a closed door, and exits with 0."""
    server = new_server().start()
    blocks = [server.block("otel_traces", [span(n)]) for n in range(1, 400)]
    columns = ", ".join(server.columns("otel_traces"))
    statuses: list[int] = []

    def send(mine: list[bytes]) -> None:
        for block in mine:
            try:
                text = f"INSERT INTO spyglass.otel_traces ({columns}) FORMAT Native"
                statuses.append(server.post(block, "collector", query=text).status)
            except OSError:
                return

    threads = [threading.Thread(target=send, args=(blocks[n::20],)) for n in range(20)]
    for thread in threads:
        thread.start()
    while not statuses:
        time.sleep(0.01)
    assert server.stop() == 0
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 503}
    server.start()
    stored = int(server.sql("SELECT count() FROM spans", "reader"))
    assert stored >= statuses.count(200) > 0
    assert "Traceback" not in server.log


def test_kill_during_inserts(new_server: Callable[..., Server]) -> None:
    """Killed again and again while senders retry, the warehouse has every row that was sent, once."""
    server = new_server().start()
    per_body, bodies, senders = 20, 30, 4
    prepared = [
        server.block("otel_traces", [span(n * per_body + k + 1) for k in range(per_body)])
        for n in range(bodies * senders)
    ]
    columns = ", ".join(server.columns("otel_traces"))

    def send(mine: list[bytes]) -> None:
        for block in mine:
            while True:
                try:
                    text = f"INSERT INTO spyglass.otel_traces ({columns}) FORMAT Native"
                    if server.post(block, "collector", query=text).status == 200:
                        break
                except OSError:
                    pass
                time.sleep(0.05)

    threads = [threading.Thread(target=send, args=(prepared[n::senders],)) for n in range(senders)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        time.sleep(0.7)
        server.stop(signal.SIGKILL)
        server.start()
    for thread in threads:
        thread.join()
    total = per_body * bodies * senders
    assert server.sql("SELECT count(), uniqExact(span_id) FROM spans", "reader") == f"{total}\t{total}"


@pytest.fixture
def small_disk(new_server: Callable[..., Server]) -> Iterator[Server]:
    """Run a warehouse on a disk of 64 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a disk")
    server = new_server()
    disk = server.folder / "data"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=0755", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a tmpfs")
    try:
        yield server.start()
        server.stop()
    finally:
        if server.process is not None:
            server.stop(signal.SIGKILL)
        subprocess.run(["umount", str(disk)], check=True)


def test_full_disk(small_disk: Server) -> None:
    """A full disk is answered with 503 so that senders keep their data; when there is space again, all goes on."""
    server = small_disk
    (server.folder / "data" / "filler").write_bytes(b"x" * 1_000_000)
    noise = [{"gen_ai.input.messages": os.urandom(300_000).hex()} for _ in range(60)]
    stored = 0
    answer = None
    for number, attributes in enumerate(noise):
        answer = server.insert("otel_traces", [span(number + 1, attributes)])
        if answer.status != 200:
            break
        stored += 1
        filler = server.folder / "data" / "filler"
        with filler.open("ab") as stream:
            free = os.statvfs(filler).f_bavail * os.statvfs(filler).f_frsize
            stream.write(b"x" * max(0, min(6_000_000, free - 100_000)))
    assert answer is not None
    assert answer.status == 503, "the disk never filled"
    assert answer.text.startswith(
        "Code: 745. DB::Exception: Not stored, try again later: Cannot reserve 1.00 MiB, not enough"
    )
    assert "Traceback" not in server.log
    assert server.sql("SELECT count() FROM dead_letters", "reader") == "0"
    (server.folder / "data" / "filler").unlink()
    again = server.insert("otel_traces", [span(stored + 1, noise[stored])])
    assert again.status == 200, again.text
    assert server.sql("SELECT count(), uniqExact(span_id) FROM spans", "reader") == f"{stored + 1}\t{stored + 1}"
