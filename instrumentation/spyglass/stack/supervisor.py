"""Start process-compose and drive it through its unix socket."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spyglass.errors import PartError, StackNotRunningError
from spyglass.stack.files import Files
from spyglass.stack.parts import PARTS

NAME = "process-compose"
ANSWER_SECONDS = 90.0
APPEAR_SECONDS = 10.0
POLL_SECONDS = 0.01
SOCKET_MODE = 0o600
PRIVATE_UMASK = 0o077

# Ask the kernel for SIGTERM when the parent dies, then become process-compose.
TIED = """
import ctypes, os, signal, sys
parent = int(sys.argv[1])
ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGTERM)
if os.getppid() != parent:
    sys.exit("the parent has gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, slots=True)
class PartState:
    """Hold what process-compose knows about one part."""

    part: str
    status: str
    pid: int | None
    restarts: int
    exit_code: int

    @property
    def running(self) -> bool:
        """Say whether its process is there."""
        return self.pid is not None


def launch(program: Path, files: Files, environment: Mapping[str, str], *, tied: bool) -> subprocess.Popen[bytes]:
    """Start process-compose and return it as soon as its socket answers.

    It starts the parts that need no others. The others may be started through the socket once one of the first is
    ready, and not before: process-compose 1.87 answers a little earlier than it can start anything, and an order at
    that moment makes it hang for ever. It leads a session of its own, so a Ctrl-C at the terminal is ours to handle.
    ``tied``: it stops the stack when the thread that called this dies. Raises PartError when it does not come up.
    """
    log = files.log(NAME)
    command = [
        str(program),
        "up",
        f"--config={files.project}",
        f"--unix-socket={files.socket}",
        f"--log-file={log}",
        "--tui=false",
        "--keep-project",
        "--ordered-shutdown",
        "--disable-dotenv",
    ]
    if tied:
        command = [sys.executable, "-S", "-E", "-c", TIED, str(os.getpid()), *command]
    process = subprocess.Popen(
        command,
        env=dict(environment),
        cwd=files.data,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        umask=PRIVATE_UMASK,
    )
    _wait_for_socket(process, files, log)
    return process


class Client:
    """Ask process-compose; raises StackNotRunningError when it does not answer."""

    def __init__(self, files: Files) -> None:
        self.files = files

    def alive(self) -> bool:
        """Say whether it answers."""
        try:
            self._ask("GET", "/live")
        except StackNotRunningError:
            return False
        return True

    def states(self) -> dict[str, PartState]:
        """Return the state of every part by name, in the order of the table of parts."""
        found = {row["name"]: _state(row) for row in self._ask("GET", "/processes")["data"]}
        return {name: found[name] for name in PARTS if name in found}

    def start(self, part: str) -> None:
        """Start a part that does not run; raises PartError when it cannot be started."""
        self._order("POST", "start", part)

    def stop(self, part: str) -> None:
        """Stop a part and return when it has stopped; it stays stopped."""
        self._order("PATCH", "stop", part)

    def _order(self, method: str, verb: str, part: str) -> None:
        answer = self._ask(method, f"/process/{verb}/{part}")
        if "error" in answer:
            raise PartError(part, f"it cannot be asked to {verb} ({answer['error']}).")

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        connection = _Connection(self.files.socket)
        try:
            connection.request(method, path)
            answer: dict[str, Any] = json.load(connection.getresponse())
        except (OSError, http.client.HTTPException, ValueError):
            raise StackNotRunningError(str(self.files.data)) from None
        finally:
            connection.close()
        return answer


class _Connection(http.client.HTTPConnection):
    """Speak HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def _state(row: Mapping[str, Any]) -> PartState:
    pid = int(row["pid"]) if row["is_running"] and row["pid"] else None
    return PartState(row["name"], row["status"], pid, int(row["restarts"]), int(row["exit_code"]))


def _wait_for_socket(process: subprocess.Popen[bytes], files: Files, log: Path) -> None:
    client, deadline = Client(files), time.monotonic() + APPEAR_SECONDS
    while not client.alive():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise PartError(NAME, f"it did not start{_last_line(log)}.", f"Look at {log}.")
        time.sleep(POLL_SECONDS)
    files.socket.chmod(SOCKET_MODE)


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return f" ({lines[-1].strip()})" if lines else ""
