"""Start the stack: recover, prepare, render, check, launch, and wait until every part is ready."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from spyglass.errors import PartError
from spyglass.settings import Settings
from spyglass.stack import (
    environment,
    files,
    grafana,
    guard,
    ports,
    programs,
    record,
    render,
    shutdown,
    supervisor,
    validation,
)
from spyglass.stack.files import Files
from spyglass.stack.logs import last_words
from spyglass.stack.parts import PARTS, WAREHOUSE, Part, choose
from spyglass.stack.readiness import ready
from spyglass.stack.supervisor import Client

POLL_SECONDS = 0.03
LOOK_SECONDS = 0.25
TELL_SECONDS = 10.0
# A part without a readiness address counts as ready when it has run so long.
SETTLE_SECONDS = 1.0
# What process-compose calls a part whose process has gone for good.
DEAD = ("Completed", "Error", "Skipped")
# … and one that it runs or is about to run again.
ALIVE = ("Running", "Launching", "Restarting")
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Started:
    """Hold a stack that was started, and the supervisor's process, whose parent we are."""

    settings: Settings
    files: Files
    parts: tuple[Part, ...]
    process: subprocess.Popen[bytes]


def start(
    settings: Settings,
    only: Sequence[str] = (),
    *,
    tell: Tell = lambda _: None,
    tied: bool = False,
) -> Started:
    """Start these parts (all when ``only`` is empty) and return when every one is ready.

    ``tell`` gets a line of progress at a time; ``tied`` stops the stack when the calling thread dies. When a part dies
    or does not get ready, everything is stopped again. Raises a SpyglassError that says what is wrong: a setting, the
    data directory, a program, a port, a configuration, or a part.
    """
    parts = choose(tuple(only), grafana=grafana.server(settings) is not None)
    place = files.prepare(settings, warehouse=any(part.name == WAREHOUSE for part in parts))
    with guard.locked(place):
        guard.recover(place, tell)
        ports.check(settings, parts)
        found = render.values(settings, place, parts)
        compose = programs.locate("process-compose", settings)
        with files.writing(place):
            render.write(settings, place, parts, found)
        environ = environment.of_parts(settings, parts)
        validation.check(parts, found, environ)
        process = supervisor.launch(compose, place, environ, tied=tied)
        with _undone_on_failure(place, process), files.writing(place):
            record.save(record.make(settings, [part.name for part in parts], process.pid), place)
            _Start(settings, Client(place), place, parts, tell).run()
    return Started(settings, place, parts, process)


def start_again(settings: Settings, place: Files, part: Part) -> None:
    """Start a part of a running stack that does not run, and wait until it is ready; raises PartError."""
    if Client(place).states()[part.name].status in ALIVE:
        wait_until_ready(settings, place, part)
    else:
        _Start(settings, Client(place), place, (part,), restarts=_restarts(place), again=True).run()


def wait_until_ready(settings: Settings, place: Files, part: Part) -> None:
    """Wait for a part that runs or is about to be restarted; raises PartError when it dies or its time is over."""
    waiting = _Start(settings, Client(place), place, (part,), restarts=_restarts(place))
    waiting.started[part.name] = time.monotonic()
    waiting.run()


def _restarts(place: Files) -> dict[str, int]:
    return {name: state.restarts for name, state in Client(place).states().items()}


@contextlib.contextmanager
def _undone_on_failure(place: Files, process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        shutdown.end(place)
        process.wait()
        raise


@dataclass(slots=True)
class _Start:
    """Start each part as soon as what it needs is ready, and wait for all of them.

    process-compose itself starts those that need nothing, except ``again``.
    """

    settings: Settings
    client: Client
    place: Files
    parts: tuple[Part, ...]
    tell: Tell = lambda _: None
    started: dict[str, float] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    again: bool = False
    ready: set[str] = field(default_factory=set)

    def run(self) -> None:
        looked, told = 0.0, time.monotonic()
        while len(self.ready) < len(self.parts):
            self._start_what_can()
            self._note_what_is_ready()
            if time.monotonic() - looked > LOOK_SECONDS:
                self._check()
                looked = time.monotonic()
            if time.monotonic() - told > TELL_SECONDS:
                self._tell_what_is_missing()
                told = time.monotonic()
            time.sleep(POLL_SECONDS)

    def _start_what_can(self) -> None:
        names = {part.name for part in self.parts}
        for part in self.parts:
            needs = names.intersection(part.needs)
            if part.name not in self.started and needs <= self.ready:
                if needs or self.again:
                    self.client.start(part.name)
                self.started[part.name] = time.monotonic()

    def _note_what_is_ready(self) -> None:
        for part in self.parts:
            if part.name not in self.started or part.name in self.ready:
                continue
            seconds = time.monotonic() - self.started[part.name]
            if (part.ready or seconds > SETTLE_SECONDS) and ready(part, self.settings):
                self.ready.add(part.name)
                self.tell(f"{part.name} is ready ({seconds:.1f} s)")

    def _tell_what_is_missing(self) -> None:
        for name, since in self.started.items():
            if name not in self.ready:
                self.tell(f"{name} is not ready yet ({time.monotonic() - since:.0f} s)")

    def _check(self) -> None:
        states = self.client.states()
        for name, since in self.started.items():
            state, seconds = states[name], time.monotonic() - since
            dead = state.status in DEAD and seconds > LOOK_SECONDS
            if dead or state.restarts > self.restarts.get(name, 0):
                raise self._error(
                    name, "it was killed" if state.exit_code < 0 else f"it ended with exit code {state.exit_code}"
                )
            if name not in self.ready and seconds > PARTS[name].start_seconds:
                raise self._error(name, f"it was not ready after {PARTS[name].start_seconds} s")

    def _error(self, name: str, problem: str) -> PartError:
        return PartError(name, f"{problem}{last_words(self.place, name)}", f"Its whole log is {self.place.log(name)}.")
