"""Give the tests the real programs, a running Alertmanager, and sinks for what it sends."""

import http.server
import json
import socket
import socketserver
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from spyglass.settings import load
from spyglass.stack import programs

PATIENCE_SECONDS = 30.0
SLACK, PAGERDUTY = "/slack", "/v2/enqueue"
ANSWERS = {SLACK: (200, b"ok"), PAGERDUTY: (202, b'{"status":"success","message":"Event processed"}')}
T = TypeVar("T")
Program = Callable[[str], str]


@pytest.fixture(scope="session")
def program() -> Program:
    """Return where a program of the stack is."""
    settings = load().settings
    return lambda name: str(programs.locate(name, settings))


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(ask: Callable[[], T], accept: Callable[[T], object] = bool) -> T:
    """Ask until the answer is accepted; fail with the last answer when patience ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not accept(answer := ask()):
        assert time.monotonic() < deadline, f"after {PATIENCE_SECONDS} s the answer is still {answer!r}"
        time.sleep(0.05)
    return answer


@contextmanager
def running(command: list[str], ready: str, folder: Path) -> Iterator[None]:
    """Run a program until the block ends; ``ready`` is an address that answers when it is up."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            eventually(lambda: process.poll() is not None or _answers(ready))
            assert process.poll() is None, (folder / "log").read_text()
            yield
        finally:
            process.terminate()
            process.wait(20)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except (urllib.error.URLError, OSError):
        return False


def post(url: str, body: object) -> Any:
    """Send JSON and return the JSON of the answer."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else None


class WebSink:
    """Take what is posted on loopback, by path."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.messages.append((self.path, json.loads(body)))
                # Alertmanager holds a message for failed unless it is answered as Slack and PagerDuty do.
                status, answer = ANSWERS.get(self.path, (200, b""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def at(self, path: str) -> list[dict[str, Any]]:
        """Return what was posted to a path, in the order of arrival."""
        return [message for where, message in self.messages if where == path]


class MailSink:
    """Speak enough SMTP to take mails on loopback."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 sink\r\n")
                for line in self.rfile:
                    word = line[:4].upper()
                    if word == b"DATA":
                        self.wfile.write(b"354 go on\r\n")
                        sink.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                    self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                    if word == b"QUIT":
                        return

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def serving(*sinks: WebSink | MailSink) -> Iterator[None]:
    """Serve the sinks until the block ends."""
    with ExitStack() as stack:
        for sink in sinks:
            thread = threading.Thread(target=sink.server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            stack.callback(thread.join)
            stack.callback(sink.server.server_close)
            stack.callback(sink.server.shutdown)
        yield


@contextmanager
def alertmanager(program: Program, config: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Run the real Alertmanager with this configuration and yield its address."""
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    command = [
        program("alertmanager"),
        "--config.file=alertmanager.yml",
        "--storage.path=data",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with running(command, f"http://{address}/-/ready", folder):
        yield f"http://{address}"
