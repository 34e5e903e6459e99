"""Watch the host, the process and its GPUs, and send what they tell as OTLP metrics.

start() does it in the background, describe() says what there is to watch here, BUILDERS make a probe to collect from.
README.md in this folder holds the catalogue of metrics and the decisions behind them.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Mapping, Sequence

from spyglass.errors import SettingError
from spyglass.probes.builders import BUILDERS
from spyglass.probes.export.loop import Loop
from spyglass.probes.export.post import Poster
from spyglass.probes.probe import Finding, FindingState, Probe
from spyglass.settings import Settings, variable

__all__ = ["BUILDERS", "Finding", "FindingState", "Probe", "Stoppable", "chosen", "describe", "start"]

NONE = "none"
STOP_SECONDS = 2.0
SHORTEST_MS = 10
SLOW = "gpu"  # NVML can take seconds to start, and a GPU that hangs must hold up nobody else


class Stoppable:
    """Hold probes that run until stop()."""

    def __init__(self, loops: Sequence[Loop]) -> None:
        self._loops = loops
        _running.add(self)

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """Export a last time and end; waits ``timeout`` seconds at most, for all of them together."""
        for loop in self._loops:
            loop.ask_to_stop()
        end = time.monotonic() + timeout
        for loop in self._loops:
            loop.join(max(end - time.monotonic(), 0.0))

    @property
    def exports(self) -> int:
        """Count the exports that were tried."""
        return sum(loop.exports for loop in self._loops)

    @property
    def failures(self) -> int:
        """Count the exports that were dropped because the collector did not take them."""
        return sum(loop.failures for loop in self._loops)

    def after_fork(self) -> None:
        """Be silent in a forked child, whose resource is another: it calls start() itself to be watched."""
        for loop in self._loops:
            loop.after_fork()
        self._loops = ()


_running: weakref.WeakSet[Stoppable] = weakref.WeakSet()


def start(settings: Settings, resource_attributes: Mapping[str, str]) -> Stoppable:
    """Collect and export every ``settings.metric_interval_ms`` from daemon threads, the first time at once.

    Which probes: ``settings.probes``, a comma list of process, host and gpu, or none. Where to: ``settings.endpoint``,
    with the bearer token in ``settings.token_file``. The application is never blocked: what the collector does not take
    is dropped and counted. Raises SettingError for an unknown probe, an interval under 10 ms or an endpoint that is no
    HTTP address, and InputFileError for an unreadable token file.
    """
    names = chosen(settings.probes)
    if settings.metric_interval_ms < SHORTEST_MS:
        raise SettingError(
            variable("metric_interval_ms"), f"{settings.metric_interval_ms} is less than {SHORTEST_MS} milliseconds."
        )
    groups = [group for group in ([it for it in names if it != SLOW], [it for it in names if it == SLOW]) if group]
    interval = settings.metric_interval_ms / 1000
    loops = [Loop(group, resource_attributes, Poster(settings), interval) for group in groups]
    for loop in loops:
        loop.start()
    return Stoppable(loops)


def chosen(text: str) -> list[str]:
    """Return the names of the probes in a comma list; raises SettingError for one that does not exist."""
    names = list(dict.fromkeys(name for name in (part.strip() for part in text.split(",")) if name))
    if names == [NONE]:
        return []
    for name in names:
        if name not in BUILDERS:
            raise SettingError(
                variable("probes"), f"there is no probe {name!r}.", f"Choose from {', '.join(BUILDERS)}, or none alone."
            )
    return names


def describe(names: Sequence[str] = tuple(BUILDERS)) -> list[Finding]:
    """Collect once from each probe and return (probe, state, sentence) for what it found and what it did not."""
    findings: list[Finding] = []
    for name in names:
        try:
            findings += _look(BUILDERS[name]())
        except Exception as error:  # noqa: BLE001 -- whatever a system lacks, the others are still described
            findings.append(Finding(name, FindingState.ABSENT, f"The probe does not work here: {error}."))
    return findings


def _look(probe: Probe) -> list[Finding]:
    probe.collect()
    found = probe.findings()
    probe.close()
    return found


def _silence_children() -> None:
    for stoppable in list(_running):
        stoppable.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_silence_children)
