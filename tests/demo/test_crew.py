"""Run small crews against the fake provider and a receiver."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from spyglass.demo.crew import Crew, environment
from spyglass.demo.fleet import PROGRAMS, Program
from spyglass.demo.provider import Provider
from spyglass.errors import ExtraMissingError
from spyglass.settings import Settings
from tests.demo.receiver import Receiver

LIGHT = [program for program in PROGRAMS if program.name in ("price_watcher", "ticket_worker")]


@pytest.fixture
def programs(provider: Provider) -> Iterator[dict[str, str]]:
    """Return the environment of programs, with a receiver for their telemetry."""
    with Receiver() as receiver:
        port = int(receiver.url.rsplit(":", 1)[1])
        yield environment(replace(Settings(), port_otlp_http=port), provider, run="test")


def _wait(done: Callable[[], bool]) -> None:
    for _ in range(600):
        if done():
            return
        time.sleep(0.05)
    raise AssertionError("It did not happen within 30 s.")


def test_a_crew_tells_its_counts_and_stops_in_order(programs: dict[str, str], provider: Provider) -> None:
    """Programs work until they are stopped, end with code 0, and their last word counts everything."""
    crew = Crew(programs, run="test", rate=10, programs=LIGHT)
    _wait(lambda: all(member.counts["visits"] > 5 for member in crew.members))
    crew.stop()
    counts = crew.counts()
    assert [member.process.returncode for member in crew.members] == [0, 0]
    assert crew.failures() == []
    assert counts["visits"] > counts["failed"] > 0
    assert counts["spans"] > counts["visits"]
    assert len(provider.truth.calls()) > 0


def test_a_crew_that_is_stopped_at_once_ends_in_order(programs: dict[str, str]) -> None:
    """Programs that are told to stop while they still start make no visit, and none counts as dead."""
    crew = Crew(programs, run="test", rate=10)
    crew.stop()
    assert crew.failures() == []
    assert crew.counts() == {"visits": 0, "failed": 0, "spans": 0}


def test_a_program_that_dies_is_named(programs: dict[str, str]) -> None:
    """A program that ends with an error is named with its code and its last words, and the others go on."""
    crew = Crew(programs, run="test", rate=10, programs=[*LIGHT[:1], Program("no_program", 1.0, "")])
    _wait(lambda: bool(crew.failures()) and crew.members[0].counts["visits"] > 0)
    crew.stop()
    (failure,) = crew.failures()
    assert failure.startswith("no-program ended with code 2: ")
    assert "invalid choice" in failure


@pytest.mark.parametrize("module", ["no_such_package", "no_such_package.part", "spyglass.no_such_part"])
def test_a_missing_package_is_named_before_anything_starts(programs: dict[str, str], module: str) -> None:
    """A program whose package is not installed stops the demo with the command that installs it."""
    with pytest.raises(ExtraMissingError, match=r"pip install 'spyglass\[demo\]'") as raised:
        Crew(programs, run="test", programs=[*LIGHT, Program("archivist", 1.0, "", (module,))])
    assert raised.value.module == module


def test_a_users_own_keys_and_exporters_are_not_inherited(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of real providers and exporters of OpenTelemetry stay out of the fleet, and vendors' tracing is off."""
    for name in ("OPENAI_ORG_ID", "ANTHROPIC_AUTH_TOKEN", "LANGSMITH_API_KEY", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        monkeypatch.setenv(name, "planted")
    made = environment(Settings(), provider, run="r1", content="full")
    assert "planted" not in made.values()
    assert made["LANGSMITH_TRACING"] == "false"
    assert made["OTEL_RESOURCE_ATTRIBUTES"] == "spyglass.demo.run=r1"
    assert made["SPYGLASS_CONTENT"] == "full"
    assert "SPYGLASS_CONTENT" not in environment(Settings(), provider, run="r1")
