"""Run the programs of the fleet, each in a process of its own, and hear from them how it goes."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import IO

from spyglass import names
from spyglass.demo.fleet import PROGRAMS, Program
from spyglass.demo.provider import Provider
from spyglass.errors import ExtraMissingError
from spyglass.names import DEMO_ORGANIZATION
from spyglass.settings import Settings, variable

# A user's own keys and exporters have no place in the demo: what begins so is not inherited.
NOT_INHERITED = ("ANTHROPIC_", "LANGCHAIN_", "LANGSMITH_", "OPENAI_", "OTEL_")
SILENCE = {"LANGSMITH_TRACING": "false", "LANGCHAIN_TRACING_V2": "false", "NO_PROXY": "127.0.0.1,localhost"}
STOP_SECONDS = 30.0
LINES_KEPT = 20


@dataclass
class Member:
    """Hold one running program: what it told last, and its last words on standard error."""

    program: Program
    process: subprocess.Popen[str]
    counts: dict[str, int] = field(default_factory=lambda: {"visits": 0, "failed": 0, "spans": 0})
    words: deque[str] = field(default_factory=lambda: deque(maxlen=LINES_KEPT))
    readers: list[threading.Thread] = field(default_factory=list)

    @property
    def service(self) -> str:
        """Return the name of its service."""
        return self.program.name.replace("_", "-")

    @property
    def failure(self) -> str:
        """Say how the program died; empty when it runs or ended in order."""
        code = self.process.poll()
        if code in (None, 0, -signal.SIGTERM):  # one that was stopped before it could listen for it ended in order
            return ""
        return f"{self.service} ended with code {code}: {' '.join(list(self.words)[-1:])}"


class Crew:
    """Start the programs, sum up what they tell, and stop them.

    Raises ExtraMissingError, before anything starts, when a package is missing that a program needs.
    """

    def __init__(
        self, environment: Mapping[str, str], *, run: str, rate: float = 1.0, programs: Sequence[Program] = PROGRAMS
    ) -> None:
        for module in (module for program in programs for module in program.needs):
            _check(module)
        self.members = [Member(program, _start(program, environment, run, rate)) for program in programs]
        for member in self.members:
            member.readers = [
                _reading(member.process.stdout, partial(_count, member)),
                _reading(member.process.stderr, member.words.append),
            ]

    def counts(self) -> dict[str, int]:
        """Return the visits, failed visits and ended spans of all programs so far."""
        return {name: sum(member.counts[name] for member in self.members) for name in ("visits", "failed", "spans")}

    def failures(self) -> list[str]:
        """Return a sentence for each program that died."""
        return [member.failure for member in self.members if member.failure]

    def stop(self) -> None:
        """Ask all programs to end after their present visit and wait for them; kill those that do not."""
        for member in self.members:
            member.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for member in self.members:
            try:
                member.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                member.process.kill()
                member.process.wait()
            for reader in member.readers:
                reader.join()


def environment(settings: Settings, provider: Provider, *, run: str, content: str | None = None) -> dict[str, str]:
    """Return the environment of the programs: where their models and their collector are, and whose data it is."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    ours = {
        "endpoint": f"http://127.0.0.1:{settings.port('otlp_http')}",
        "organization": DEMO_ORGANIZATION,
        "environment": "demo",
        "demo": "true",
    }
    if content:
        ours["content"] = content
    named = {variable(name): value for name, value in ours.items()}
    resource = {"OTEL_RESOURCE_ATTRIBUTES": f"{names.DEMO_RUN}={run}"}
    return {**inherited, **SILENCE, **provider.environment(), **named, **resource}


def _check(module: str) -> None:
    try:
        found = importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of the package above it
        found = False
    if not found:
        raise ExtraMissingError(module, "demo")


def _start(program: Program, environment: Mapping[str, str], run: str, rate: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "spyglass.demo.fleet", program.name, "--rate", str(rate), "--run", run],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the demo, which then stops its programs in order
    )


def _reading(stream: IO[str] | None, take: Callable[[str], None]) -> threading.Thread:
    def read() -> None:
        with stream or io.StringIO() as lines:
            for line in lines:
                take(line.strip())

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def _count(member: Member, line: str) -> None:
    try:
        member.counts = dict(json.loads(line))
    except ValueError:  # a library prints something
        member.words.append(line)
