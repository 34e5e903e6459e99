"""Try libraries in processes of their own, and gather what they say."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from spyglass.demo.provider import Provider
from spyglass.sdk.registry.choice import Choice
from spyglass.trial.calls import CALLS
from spyglass.trial.report import Trial

_SECONDS = 120.0
_CHILD = (sys.executable, "-m", "spyglass.trial.child")
_NOTHING_LEAVES = {  # what these libraries would else send to their makers
    "AGNO_TELEMETRY": "false",
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}


def imports(choices: Iterable[Choice], instrument: str) -> Iterator[Trial]:
    """Import each library in one process; where one brings it down, the rest goes on in another."""
    waiting = list(choices)
    while waiting:
        trials, last_words = _child("import", instrument, waiting, {**os.environ, **_NOTHING_LEAVES})
        yield from trials
        waiting = waiting[len(trials) :]
        if waiting:
            yield Trial(waiting.pop(0).library, None, error=last_words)


def calls(choices: Iterable[Choice], instrument: str) -> Iterator[Trial]:
    """Call the fake provider through each library, each in a process of its own."""
    for choice in choices:
        if choice.library not in CALLS:
            yield Trial(choice.library, None)
            continue
        with Provider() as provider:
            environment = {**os.environ, **_NOTHING_LEAVES, **provider.environment()}
            trials, last_words = _child("call", instrument, [choice], environment)
            traced = [call.traced for call in provider.truth.calls()]
        trial = trials[0] if trials else Trial(choice.library, None, error=last_words)
        yield replace(trial, traced=all(traced) if traced else None)


def _child(
    what: str, instrument: str, choices: list[Choice], environment: Mapping[str, str]
) -> tuple[list[Trial], str]:
    """Return what the child said, and its last words on stderr."""
    pairs = [f"{choice.library}={choice.module}" for choice in choices]
    child = [*_CHILD, what, instrument, *pairs]
    try:
        done = subprocess.run(child, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False)
        out, err = done.stdout, done.stderr
    except subprocess.TimeoutExpired as expired:
        out, err = _text(expired.stdout), f"It did not end within {_SECONDS:.0f} seconds."
    lines = [line for line in out.splitlines() if line.startswith('{"library"')]
    return [Trial.from_json(line) for line in lines], (err.strip().splitlines() or ["It died without a word."])[-1]


def _text(output: bytes | str | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""
