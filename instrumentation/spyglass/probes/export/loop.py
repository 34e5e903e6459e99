"""Collect and export again and again, in a daemon thread that the application never waits for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence

from spyglass.probes.builders import BUILDERS
from spyglass.probes.catalog import Sample, maker
from spyglass.probes.export.points import Points
from spyglass.probes.export.post import Poster
from spyglass.probes.probe import Probe

FAILURES = "spyglass.probe.export.failures"

logger = logging.getLogger("spyglass.probes")


class Loop:
    """Run the probes of these names every ``interval`` seconds; they are made in the thread, at its start.

    The first export is at once. What the collector does not take is dropped (the counters lose nothing by that: the
    next export holds the same sums and more), counted in spyglass.probe.export.failures, and warned of once.
    """

    def __init__(
        self,
        names: Sequence[str],
        resource: Mapping[str, str],
        poster: Poster,
        interval: float,
    ) -> None:
        self.failures = 0
        self.exports = 0
        self._name = ",".join(names)
        self._names = names
        self._probes: list[Probe] = []
        self._points = Points(resource)
        self._poster = poster
        self._interval = interval
        self._lost = 0
        self._broken: set[str] = set()
        self._stopping = threading.Event()
        self._failure_series = maker(time.time_ns())(FAILURES, {"spyglass.probe.name": self._name})
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; a system that has no more threads to give is warned of."""
        thread = threading.Thread(target=self._run, name=f"spyglass-probes-{self._name}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            logger.warning("The probes %s do not run: %s.", self._name, error)
        else:
            self._thread = thread

    def ask_to_stop(self) -> None:
        """Tell the thread to export a last time and end."""
        self._stopping.set()

    def join(self, timeout: float) -> None:
        """Wait for the thread to end, ``timeout`` seconds at most."""
        if self._thread is not None:
            self._thread.join(timeout)

    def after_fork(self) -> None:
        """Forget, in a forked child, what belongs to the parent: the thread, its lock, its connection and files."""
        self._thread = None
        self._stopping = threading.Event()
        self._poster.close()
        for probe in self._probes:
            probe.close(forked=True)

    def _run(self) -> None:
        due = time.monotonic()
        try:
            self._probes = [BUILDERS[name]() for name in self._names]
        except Exception as error:  # noqa: BLE001 -- the host application runs on without probes
            logger.warning("The probes %s cannot start: %s: %s", self._name, type(error).__name__, error)
            return
        while not self._stopping.is_set():
            self._export()
            due = max(due + self._interval, time.monotonic())
            self._stopping.wait(due - time.monotonic())
        self._export()
        self._poster.close()
        for probe in self._probes:
            probe.close()

    def _export(self) -> None:
        now = time.time_ns()
        samples: list[Sample] = [(self._failure_series, self.failures)]
        for probe in self._probes:
            samples += self._collect(probe)
        try:
            problem = self._poster.post(self._points.serialise(samples, now))
        except Exception as error:  # noqa: BLE001 -- whatever a probe made that OTLP cannot hold
            problem = f"{type(error).__name__}: {error}"
        self._count(problem)

    def _collect(self, probe: Probe) -> list[Sample]:
        try:
            return probe.collect()
        except Exception as error:  # noqa: BLE001 -- one broken probe takes neither the others nor the host with it
            if probe.name not in self._broken:
                self._broken.add(probe.name)
                logger.warning("The %s probe failed: %s: %s", probe.name, type(error).__name__, error)
            return []

    def _count(self, problem: str) -> None:
        self.exports += 1
        if problem:
            self.failures += 1
            self._lost += 1
            if self._lost == 1:
                logger.warning(
                    "Metrics of the probes cannot be sent to %s (%s); they are dropped until they can.",
                    self._poster.endpoint,
                    problem,
                )
        elif self._lost:
            logger.info(
                "Metrics of the probes arrive at %s again; %d exports were lost.", self._poster.endpoint, self._lost
            )
            self._lost = 0
