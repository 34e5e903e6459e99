"""Give tests of the stack tiny Go modules in place of the pinned ones, and the command line as users run it."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import psutil
import pytest

from spyglass import assets
from spyglass.settings import Settings
from spyglass.stack.catalogue import PROGRAMS, Module, Program
from spyglass.stack.local import free_offset
from spyglass.stack.record import start_of

T = TypeVar("T")
# TCP sockets that listen, and UDP sockets, which have no states.
LISTENING = (psutil.CONN_LISTEN, psutil.CONN_NONE)

GO_MOD = "module example.com/tiny\n\ngo 1.21\n"
MAIN_GO = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("tiny version 1.2.3") }\n'


class Tiny(NamedTuple):
    """Hold a Go module that stands in for that of pint, and settings with an empty cache of its own."""

    folder: Path
    settings: Settings
    program: Program


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    """Put a module that builds within a second in the place of pint's."""
    folder = tmp_path / "deploy" / "go" / "tiny"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text(GO_MOD)
    (folder / "main.go").write_text(MAIN_GO)
    program = Program("pint", Module("tiny", "1.2.3", "-s -w"), ".", "tiny-of-spyglass")
    monkeypatch.setattr(assets, "folder", lambda _: tmp_path / "deploy")
    monkeypatch.setitem(PROGRAMS, "pint", program)
    monkeypatch.delenv("SPYGLASS_PINT", raising=False)
    return Tiny(folder, Settings(cache_dir=str(tmp_path / "cache")), program)


@pytest.fixture
def no_go_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leave no Go on PATH, and return the only folder that is on it."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


class Done(NamedTuple):
    """Hold how a command ended."""

    code: int
    out: str
    err: str


Spyglass = Callable[..., Done]


@pytest.fixture
def spyglass() -> Spyglass:
    """Run the command line in a process of its own, with further environment variables; None removes one."""

    def run(*words: object, environ: Mapping[str, str | None] | None = None) -> Done:
        merged = os.environ | (environ or {})
        done = subprocess.run(
            [sys.executable, "-m", "spyglass", *map(str, words)],
            env={name: value for name, value in merged.items() if value is not None},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def data(spyglass: Spyglass) -> Iterator[Path]:
    """Give a data directory that the warehouse's user may enter, and end what still runs in it."""
    folder = Path(f"/tmp/spyglass-test-{os.getpid()}-{os.urandom(3).hex()}")  # noqa: S108 -- a short path that nobody may enter
    yield folder
    spyglass("down", "--data-dir", folder, "--timeout", 5)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def offset() -> Iterator[int]:
    """Claim a port offset that no other test has."""
    with free_offset() as claimed:
        yield claimed


def alive(pids: Iterable[int]) -> list[int]:
    """Return those of these processes that still run; one that only waits to be reaped does not."""
    return [pid for pid in pids if start_of(pid) is not None]


def eventually(ask: Callable[[], T], seconds: float = 30.0) -> T:
    """Ask until the answer is true, and return it; fail when patience ends."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"after {seconds} s the answer is still {answer!r}"
        time.sleep(0.05)
    return answer


def get(port: int, path: str) -> Any:
    """Return the JSON that a part answers; None when it answers 404."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


def post(port: int, path: str, body: object) -> None:
    """Send JSON to a part; raises HTTPError when it is refused."""
    content = {"Content-Type": "application/json"}
    address = f"http://127.0.0.1:{port}{path}"
    call = urllib.request.Request(address, json.dumps(body).encode(), content)
    urllib.request.urlopen(call, timeout=30).close()
