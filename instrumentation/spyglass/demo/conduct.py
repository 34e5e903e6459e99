"""Conduct a demo run: provider, fleet, probes and watch on; then off; then the sum of it from the stores."""

from __future__ import annotations

import contextlib
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from spyglass import stores
from spyglass.demo import summary
from spyglass.demo.crew import Crew, environment
from spyglass.demo.freshness import Freshness
from spyglass.demo.provider import Call, Provider, Timing
from spyglass.demo.questions import Questions
from spyglass.demo.summary import Pair, Summary
from spyglass.demo.watch import AlertWatch
from spyglass.names import DEMO_ORGANIZATION
from spyglass.report.write import write
from spyglass.settings import Settings
from spyglass.stack.running import attach
from spyglass.warehouse import client
from spyglass.warehouse.client import Warehouse

# About what small real models take: a first token after an eighth of a second, then 500 tokens a second.
TIMING = Timing(first_token_seconds=0.12, token_seconds=0.002, slow_factor=8.0)
LOOK_SECONDS = 1.0
TELL_SECONDS = 5.0
DELIVERY_SECONDS = 30.0
ALERT_SECONDS = 10.0
POLL_SECONDS = 0.5
LOOPBACK = "127.0.0.1"
# Grafana runs only where it is installed, so an address is shown when something answers there.
ADDRESSES = ("grafana", "server", "prometheus", "alertmanager", "tempo", "warehouse")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """Hold what the user asked for.

    ``rate`` multiplies the visits that each program gets a second; ``report`` is where to write the HTML report, if
    anywhere.
    """

    seconds: float = 60.0
    rate: float = 1.0
    content: str | None = None
    report: Path | None = None


def conduct(settings: Settings, options: Options, say: Say) -> Summary:
    """Run the demo on the running stack and return its summary; Ctrl-C ends the fleet's work early.

    ``say`` is told the progress, line by line. Raises StackNotRunningError when there is no stack.
    """
    settings = attach(settings)
    with contextlib.closing(client.reader(settings)) as warehouse:
        return _Demo(settings, options, say, warehouse).conduct()


class _Demo:
    """Hold the parts of one run."""

    def __init__(self, settings: Settings, options: Options, say: Say, warehouse: Warehouse) -> None:
        self.run = secrets.token_hex(4)
        self.since = datetime.now(UTC)
        self.settings = settings
        self.options = options
        self.say = say
        self.provider = Provider(timing=TIMING, seed=self.run)
        self.watch = AlertWatch(settings)
        self.freshness = Freshness(settings)
        self.questions = Questions(warehouse, self.run, self.since)

    def conduct(self) -> Summary:
        with self.provider:
            self.say(f"demo run {self.run}: fake model provider at {self.provider.url}, starting the fleet")
            programs = environment(self.settings, self.provider, run=self.run, content=self.options.content)
            crew = Crew(programs, run=self.run, rate=self.options.rate)
            try:
                self.freshness.start()
                self._work(crew)
            except KeyboardInterrupt:
                self.say("stopping early")
            finally:
                crew.stop()
                self.freshness.stop()
            calls = self.provider.truth.calls()
        self.say("the fleet has stopped; waiting until everything is delivered")
        self._settle(crew.counts()["spans"])
        made = self._sum_up(crew.counts(), calls)
        made.missing = summary.missing(made, crew.failures(), self.freshness.seconds)
        if self.options.report:
            self._report(made, self.options.report.absolute())
        return made

    def _work(self, crew: Crew) -> None:
        end, told = time.monotonic() + self.options.seconds, time.monotonic()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(LOOK_SECONDS, left))
            self.watch.look()
            if time.monotonic() - told >= TELL_SECONDS:
                told = time.monotonic()
                self.say(_progress(crew.counts(), self.provider.truth.calls(), end - told))

    def _settle(self, spans: int) -> None:
        """Wait until all spans are stored, and then as long as an alert may take to reach the inbox."""
        if self._wait(DELIVERY_SECONDS, lambda: (self.questions.totals()["spans"] or 0) >= spans):
            self._wait(ALERT_SECONDS, self._told)

    def _told(self) -> bool:
        self.watch.look()
        return summary.EXPECTED_ALERT in {row["alert"] for row in self.questions.notifications()}

    def _wait(self, seconds: float, done: Callable[[], bool]) -> bool:
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _sum_up(self, counts: Mapping[str, int], calls: Sequence[Call]) -> Summary:
        totals = self.questions.totals()
        return Summary(
            run=self.run,
            seconds=(datetime.now(UTC) - self.since).total_seconds(),
            spans=Pair(counts["spans"], int(totals["spans"] or 0)),
            runs=Pair(counts["visits"], int(totals["runs"])),
            failed_runs=Pair(counts["failed"], int(totals["failed_runs"])),
            agent_runs=int(totals["agent_runs"] or 0),
            models=summary.models(calls, self.questions.models()),
            freshness=summary.freshness(self.freshness.seconds),
            alerts=self.watch.alerts(),
            notifications=self.questions.notifications(),
            addresses={name: stores.address(self.settings, name) for name in ADDRESSES if self._answers(name)},
        )

    def _report(self, made: Summary, path: Path) -> None:
        made.missing += summary.missing_sections(write(self.settings, self.since, DEMO_ORGANIZATION, path).empty())
        made.addresses["report"] = str(path)

    def _answers(self, name: str) -> bool:
        try:
            socket.create_connection((LOOPBACK, self.settings.port(name)), timeout=1).close()
        except OSError:
            return False
        return True


def _progress(counts: Mapping[str, int], calls: Sequence[Call], left: float) -> str:
    errors = sum(not call.ok for call in calls)
    runs = f"{counts['visits']} runs ({counts['failed']} failed)"
    return f"{runs}, {len(calls)} model calls ({errors} errors), {counts['spans']} spans; {max(0, left):.0f} s left"
