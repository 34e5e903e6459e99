"""Replay recordings into a stack and judge each of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from spyglass import stores
from spyglass.bench.target import settings_of
from spyglass.settings import Settings
from spyglass.truth import counting, replaying
from spyglass.truth.recordings import Recording
from spyglass.truth.verdict import Verdict, judge
from spyglass.warehouse import client, finaliser

_PARTS = ("warehouse", "collector")


def compare(recordings: Sequence[Recording], *, running: bool, say: Callable[[str], None]) -> list[Verdict]:
    """Return a verdict for each recording, counted by a stack of its own, or by the ``running`` one.

    In the running stack all recordings get new ids, and executions that are under way are left alone. ``say`` is told
    what is being done. Raises what starting a stack raises, CollectorUnreachableError, BenchError, and what the
    warehouse raises.
    """
    say("looking for the running stack" if running else "starting a warehouse and a collector")
    with settings_of(running=running, changes={"content": "metadata"}, only=_PARTS) as settings:
        return _judged(recordings, settings, running=running, say=say)


def _judged(
    recordings: Sequence[Recording], settings: Settings, *, running: bool, say: Callable[[str], None]
) -> list[Verdict]:
    prepared = replaying.prepare(recordings, time.time_ns(), renew=running)
    say(f"sending {len(prepared)} recordings")
    played = replaying.send(prepared, stores.address(settings, "otlp_http"))
    warehouse = client.admin(settings)
    say(f"waiting for {sum(each.spans for each in played)} spans in the warehouse")
    replaying.wait(warehouse, played)
    say("finalising")
    silent_after = timedelta(seconds=settings.execution_silence_seconds if running else 0)
    for _ in finaliser.catch_up(warehouse, silent_after, patience_seconds=finaliser.PATIENCE_SECONDS):
        pass
    return [
        judge(recording.name, recording.served, counting.count(warehouse, each.traces))
        for recording, each in zip(recordings, played, strict=True)
    ]
