"""Run a stack of its own for a test or a measurement, on free ports, and leave no trace of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from spyglass.errors import PartError, StackError, UsageError
from spyglass.settings import CONFIG_VARIABLE, ROWS, Settings, load, variable
from spyglass.stack import logs, ports, running, shutdown, startup
from spyglass.stack.catalogue import PROGRAMS
from spyglass.stack.parts import PARTS
from spyglass.stack.startup import Started
from spyglass.stack.supervisor import Client

# Above 32,767 the system gives ports to whoever connects, and our highest one without offset is 13,133.
OFFSETS = range(1000, 19_001, 1000)
OPEN = 0o755
GONE_SECONDS = 10.0
POLL_SECONDS = 0.02
# What a test takes over from the user's settings: where programs are. The rest is as if nothing were set.
KEPT = ("go", "cache_dir", *(program.setting for program in PROGRAMS.values()))


class LocalStack:
    """Start parts on ports of their own, and leave neither a process nor a file behind.

    ``only`` names the parts (all without it); ``settings`` are values of settings, which count more than the
    environment; the rest of the user's settings is left aside, except where programs are. ``data_dir`` is kept at the
    end and its stack stopped in order; without it the directory is temporary and the stack killed. Stacks of parallel
    processes never share a port. If the process that made it dies, it ends too. Raises what startup.start raises.
    """

    def __init__(
        self,
        only: Sequence[str] = (),
        settings: Mapping[str, object] | None = None,
        data_dir: Path | None = None,
    ) -> None:
        self.only = only
        self.given = dict(settings or {})
        self.kept = data_dir
        self.started: Started | None = None
        self.exit = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opening:
            offset = opening.enter_context(free_offset())
            data = Path(self.kept or opening.enter_context(_directory()))
            self.settings = _settings(self.given, data, offset)
            self.started = startup.start(self.settings, self.only, tied=True)
            self.exit = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.exit:
            started, self.started = self._started, None
            # Either is content with a stack that a test has already ended.
            if self.kept:
                shutdown.end(started.files)
            else:
                shutdown.kill(started.files)
            started.process.wait()

    @property
    def _started(self) -> Started:
        if self.started is None:
            raise StackError("This LocalStack does not run.", "Enter it with a with statement.")
        return self.started

    @property
    def _client(self) -> Client:
        return Client(self._started.files)

    def pid(self, part: str) -> int:
        """Return the process id of a part; raises PartError when it does not run."""
        pid = self._client.states()[self._known(part)].pid
        if pid is None:
            raise PartError(part, "it does not run.")
        return pid

    def kill(self, part: str) -> None:
        """Kill a part with SIGKILL and return when it is gone; it is started again after two seconds, as always."""
        before = self._client.states()[self._known(part)]
        os.kill(self.pid(part), signal.SIGKILL)
        deadline = time.monotonic() + GONE_SECONDS
        while self._client.states()[part].restarts == before.restarts and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def stop(self, part: str) -> None:
        """Stop a part in order and return when it has stopped; it stays so until start."""
        self._client.stop(self._known(part))

    def start(self, part: str) -> None:
        """Start a part that was stopped or killed, and return when it is ready; raises PartError when it is not."""
        startup.start_again(self.settings, self._started.files, PARTS[self._known(part)])

    def wait(self, part: str) -> None:
        """Return when a part is ready, for example after kill; raises PartError when it is not in time."""
        startup.wait_until_ready(self.settings, self._started.files, PARTS[self._known(part)])

    def restart(self, part: str) -> None:
        """Stop a part, start it again, and return when it is ready."""
        self.stop(part)
        self.start(part)

    def log(self, part: str) -> str:
        """Return all that a part has logged."""
        return "\n".join(logs.tail(logs.path(self._started.files, part), 1_000_000))

    def processes(self) -> dict[str, int]:
        """Return the process ids by part, and that of process-compose."""
        return running.processes(self.settings)

    def _known(self, part: str) -> str:
        names = [known.name for known in self._started.parts]
        if part not in names:
            raise UsageError(f"This stack has no part {part!r}.", f"It has {', '.join(names)}.")
        return part


def _settings(given: Mapping[str, object], data: Path, offset: int) -> Settings:
    kept = {variable(name): os.environ[variable(name)] for name in KEPT if variable(name) in os.environ}
    values = {**given, "data_dir": str(data), "port_offset": offset}
    unknown = sorted(set(values) - set(ROWS))
    if unknown:
        raise UsageError(f"There is no setting {unknown[0]!r}.")
    return load(values, kept | {CONFIG_VARIABLE: os.devnull}).settings


@contextlib.contextmanager
def _directory() -> Iterator[str]:
    """Yield a temporary directory that the warehouse's user may enter."""
    name = tempfile.mkdtemp(prefix="spyglass-")
    try:
        Path(name).chmod(OPEN)
        yield name
    finally:
        shutil.rmtree(name, ignore_errors=True)


@contextlib.contextmanager
def free_offset() -> Iterator[int]:
    """Yield a port offset that no other LocalStack has and whose ports are all free."""
    for offset in OFFSETS:
        lock = _claim(offset)
        if lock is None:
            continue
        with lock:
            if all(ports.free(port) for port in Settings(port_offset=offset).ports().values()):
                yield offset
                return
    raise StackError("No port offset is free for a stack of its own.", "Stop a stack that is no longer needed.")


def _claim(offset: int) -> socket.socket | None:
    """Return a lock on an offset, or None when another has it.

    It is a name in the abstract namespace of unix sockets: that reaches as far as ports do, leaves no file, and ends
    with the process.
    """
    lock = socket.socket(socket.AF_UNIX)
    try:
        lock.bind(f"\0spyglass-port-offset-{offset}")
    except OSError:
        lock.close()
        return None
    return lock
