"""What is said of a live run follows from its numbers, and only facts excuse a difference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spyglass.truth.verdict import Figure, Verdict
from tests.frameworks.outcome import Outcome, Reporter

REPORTER = Reporter("opentelemetry.instrumentation.genai.openai", "1.3b0")
FLAG = "1 span of a: b is a known fault of it"


def outcome(calls: int = 3, tools: int = 1, agents: int = 1) -> Outcome:
    """Return what a program gives that makes three calls, one of a tool, in one run of an agent."""
    tokens = {"input": Figure(30, 30, 0)}
    verdict = Verdict("app", Figure(3, calls, 0), tokens, tools, agents)
    return Outcome(verdict=verdict, tools=1, asked=0, agents=1, lost=0, reporters=(REPORTER,))


def words(made: Outcome) -> dict[str, str]:
    """Return the word that stands in each cell."""
    return {name: cell.word for name, cell in made.cells.items()}


def test_equal_numbers_are_exact() -> None:
    """A run whose numbers are all counted as they were has no problem."""
    made = outcome()
    assert set(words(made).values()) == {"exact"}
    assert made.problem == ""


@pytest.mark.parametrize("tools", [0, 2])
def test_a_tool_call_more_or_less_is_a_problem(tools: int) -> None:
    """A tool call that is missing, or counted twice, is one clear line where no fact explains it."""
    made = outcome(tools=tools)
    assert words(made)["tool calls"] == "different"
    assert made.problem == f"app: tool calls {tools}/1"


def test_tools_that_the_program_runs_are_flagged() -> None:
    """Where calls end with as many requests for tools as runs are missing, the program ran them by itself."""
    made = replace(outcome(tools=0), asked=1)
    assert made.cells["tool calls"].reasons == ("run by the program itself, where no library sees it: 1",)
    assert made.problem == ""


def test_a_request_for_a_tool_does_not_excuse_more_than_itself() -> None:
    """Of two missing tool calls, of which one was asked for, both are a problem."""
    assert words(replace(outcome(tools=0), tools=2, asked=1))["tool calls"] == "different"
    assert words(replace(outcome(tools=2), asked=3))["tool calls"] == "different"


@pytest.mark.parametrize("agents", [0, 2])
def test_an_agent_more_or_less_is_a_problem(agents: int) -> None:
    """A run of an agent that is missing, or counted twice, is named."""
    assert outcome(agents=agents).problem == f"app: agents {agents}/1"


def test_a_parent_that_never_came_excuses_an_agent_but_no_second_one() -> None:
    """A lost parent explains a run of an agent that is missing; it explains no run too many."""
    assert replace(outcome(agents=0), lost=1).problem == ""
    assert replace(outcome(agents=2), lost=1).problem == "app: agents 2/1"


def test_calls_and_tokens_are_judged_as_recordings_are() -> None:
    """A difference that the verdict flags is flagged, and so are the tool calls inside lost calls; else it is named."""
    made = outcome(calls=2, tools=0)
    made.verdict.differences += ["input tokens: 20 counted, 30 served", "calls: 2 counted, 3 served"]
    made.verdict.flags.append(FLAG)
    assert words(made) == {"calls": "flagged", "tokens": "flagged", "tool calls": "flagged", "agents": "exact"}
    assert made.cells["calls"].reasons == (FLAG,)
    made.verdict.explained = False
    assert "calls: 2 counted, 3 served" in made.problem


def test_a_silent_run_is_a_problem() -> None:
    """A run of which no call has a span is one, whatever flags say."""
    made = outcome(calls=0)
    made.verdict.differences.append("calls: 0 counted, 3 served")
    made.verdict.flags.append("there is no span of a model call")
    assert words(made)["calls"] == "different"
    assert made.problem == "app: none of its 3 calls has a span"


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ("opentelemetry.instrumentation.genai.openai", "otel genai.openai 1.0"),
        ("openinference.instrumentation.crewai", "openinference crewai 1.0"),
        ("strands.telemetry.tracer", "native strands.telemetry.tracer 1.0"),
    ],
)
def test_reporters_are_told_by_their_route(scope: str, told: str) -> None:
    """A scope says who made its instrumentation: OpenTelemetry, OpenInference, or the library itself."""
    assert str(Reporter(scope, "1.0")) == told
