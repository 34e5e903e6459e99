"""Run each program of the fleet as a process, against the fake provider and a receiver, with no way out of loopback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from spyglass import names
from spyglass.demo.crew import environment
from spyglass.demo.fleet import PROGRAMS
from spyglass.demo.provider import Call, Provider
from spyglass.settings import Settings
from tests.demo.receiver import Receiver, Span

VISITS = 6
# Runs a module after closing every way to another machine: whatever tries one ends the process with code 77.
GUARD = """
import os, runpy, sys
def guard(event, args):
    if event in ("socket.connect", "socket.getaddrinfo"):
        host = args[1][0] if event == "socket.connect" and isinstance(args[1], tuple) else args[0]
        if isinstance(host, str) and host not in ("127.0.0.1", "localhost", "::1"):
            sys.stderr.write(f"tried to reach {host}\\n")
            sys.stderr.flush()
            os._exit(77)
sys.addaudithook(guard)
sys.argv[0] = "fleet"
runpy.run_module("spyglass.demo.fleet", run_name="__main__")
"""
FAILING = {"price_watcher": 3}
INPUT_KEYS = (names.INPUT_TOKENS, "llm.token_count.prompt")
OUTPUT_KEYS = (names.OUTPUT_TOKENS, "llm.token_count.completion")


class Ran(NamedTuple):
    """Hold what a program left behind."""

    spans: list[Span]
    logs: list[tuple[str, str]]
    calls: tuple[Call, ...]
    counts: dict[str, int]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Receive OTLP on a free port."""
    with Receiver() as running:
        yield running


def _environment(provider: Provider, receiver: Receiver) -> dict[str, str]:
    port = int(receiver.url.rsplit(":", 1)[1])
    return environment(replace(Settings(), port_otlp_http=port), provider, run="test", content="full")


def _run(program: str, provider: Provider, receiver: Receiver) -> Ran:
    words = [sys.executable, "-c", GUARD, program, "--visits", str(VISITS), "--rate", "20", "--run", "test"]
    done = subprocess.run(
        words, env=_environment(provider, receiver), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout.splitlines()[-1])
    return Ran(receiver.spans(), receiver.logs(), provider.truth.calls(), counts)


def _kinds(spans: list[Span]) -> set[str]:
    keys = (names.KIND, "openinference.span.kind", names.OPERATION_NAME)
    return {str(span.attributes[key]).lower() for span in spans for key in keys if key in span.attributes}


def _tokens(spans: list[Span], keys: tuple[str, ...]) -> int:
    """Sum over the spans of model calls; agent and chain spans may repeat the sum."""
    kinds = {names.Kind.LLM.value, names.Kind.EMBEDDING.value, names.Operation.CHAT.value}
    calls = [span for span in spans if _kinds([span]) & kinds]
    return sum(int(span.attributes.get(key) or 0) for span in calls for key in keys)


EXPECTED: dict[str, tuple[set[str], set[str]]] = {
    "archivist": ({"agent", "tool", "llm"}, {"spyglass"}),
    "fact_checker": ({"agent", "workflow", "llm", "embedding"}, {"spyglass", "openinference.instrumentation.openai"}),
    "news_desk": ({"agent", "workflow", "llm", "tool", "retrieval", "handoff"}, {"spyglass"}),
    "price_watcher": ({"agent", "tool", "llm"}, {"spyglass"}),
    "refund_team": ({"workflow", "agent", "llm", "tool"}, {"spyglass", "openinference.instrumentation.openai_agents"}),
    "support_desk": ({"agent", "tool", "chat"}, {"spyglass", "com.anthropic.sdk.python"}),
    "ticket_worker": ({"agent", "queue", "llm", "tool"}, {"spyglass"}),
    "weather_map": ({"agent", "chain", "llm", "tool"}, {"spyglass", "openinference.instrumentation.langchain"}),
}


def test_every_program_is_expected() -> None:
    """The table of programs and the table of these tests name the same ones."""
    assert {program.name for program in PROGRAMS} == set(EXPECTED)


@pytest.mark.parametrize("program", sorted(EXPECTED))
def test_a_program_emits_what_it_promises(program: str, provider: Provider, receiver: Receiver) -> None:
    """A program answers all visits on loopback alone, and its spans have the kinds, scopes, tokens and owners."""
    ran = _run(program, provider, receiver)
    kinds, scopes = EXPECTED[program]
    assert (ran.counts["visits"], ran.counts["failed"]) == (VISITS, FAILING.get(program, 0))
    assert ran.counts["spans"] == len(ran.spans)
    assert len({span.trace_id for span in ran.spans}) == VISITS
    assert _kinds(ran.spans) >= kinds
    assert {span.scope for span in ran.spans} == scopes
    told = [call for call in ran.calls if call.usage_reported]
    assert _tokens(ran.spans, INPUT_KEYS) == sum(call.input_tokens or 0 for call in told) > 0
    assert _tokens(ran.spans, OUTPUT_KEYS) == sum(call.output_tokens or 0 for call in told) > 0
    for span in ran.spans:
        _check_owner(span.resource)


def _check_owner(resource: dict[str, Any]) -> None:
    assert resource[names.DEMO_RUN] == "test"
    assert resource[names.DEMO] is True
    assert resource[names.ORGANIZATION] == names.DEMO_ORGANIZATION
    assert resource[names.PROJECT] in ("shop", "newsroom")


def test_two_of_five_runs_of_the_price_watcher_fail(provider: Provider, receiver: Receiver) -> None:
    """The watcher fails often enough to set off AgentErrorRateHigh: by a tool and by a model over its limit."""
    ran = _run("price_watcher", provider, receiver)
    failed = [span for span in ran.spans if span.attributes.get(names.KIND) == names.Kind.AGENT and span.error]
    assert len(failed) == ran.counts["failed"]
    assert {span.attributes[names.ERROR_TYPE] for span in failed} == {"TimeoutError", "ConnectionError"}
    assert [call.status for call in ran.calls if not call.ok] == [429]


def test_visits_have_users_sessions_and_logs(provider: Provider, receiver: Receiver) -> None:
    """Spans carry user and session, sessions change with the user, and log lines are joined to traces."""
    ran = _run("support_desk", provider, receiver)
    agents = [span for span in ran.spans if span.attributes.get(names.KIND) == names.Kind.AGENT]
    pairs = {(span.attributes[names.USER_ID], span.attributes[names.SESSION_ID]) for span in agents}
    assert pairs == {("ada", "test-support_desk-0"), ("barbara", "test-support_desk-1")}
    joined = [trace_id for body, trace_id in ran.logs if body.startswith("Answered: ")]
    assert sorted(joined) == sorted({span.trace_id for span in ran.spans})


def test_handoffs_name_the_parent_agent(provider: Provider, receiver: Receiver) -> None:
    """The researcher was called by the planner, and the writer by the researcher."""
    ran = _run("news_desk", provider, receiver)
    found = {
        (span.attributes[names.AGENT_NAME], span.attributes.get(names.AGENT_PARENT_NAME))
        for span in ran.spans
        if span.attributes.get(names.KIND) == names.Kind.AGENT
    }
    assert found == {("planner", None), ("researcher", "planner"), ("writer", "researcher")}


def test_streams_and_queues_carry_their_times(provider: Provider, receiver: Receiver) -> None:
    """A streamed call has its time to the first token, and work from a queue how long it waited."""
    streamed = [span for span in _run("archivist", provider, receiver).spans if names.REQUEST_STREAM in span.attributes]
    assert len(streamed) == VISITS
    assert all(span.attributes[names.TIME_TO_FIRST_CHUNK] > 0 for span in streamed)
    worked = [span for span in _run("ticket_worker", provider, receiver).spans if names.QUEUE_NAME in span.attributes]
    assert len(worked) == VISITS
    assert all(span.attributes[names.QUEUE_WAIT] >= 0 for span in worked)


def test_an_unasked_stream_has_no_tokens(provider: Provider, receiver: Receiver) -> None:
    """The headline writer's stream tells nobody its usage: its span has none, and nothing is invented."""
    ran = _run("fact_checker", provider, receiver)
    untold = {call.response_id for call in ran.calls if not call.usage_reported}
    silent = [
        span
        for span in ran.spans
        if _kinds([span]) == {"llm"} and not any(key in span.attributes for key in INPUT_KEYS + OUTPUT_KEYS)
    ]
    assert len(silent) == len(untold) == 2


def test_an_unknown_program_is_named(tmp_path: Path) -> None:
    """A name that is no program is one line that lists them."""
    words = [sys.executable, "-m", "spyglass.demo.fleet", "nobody"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "price_watcher" in done.stderr
