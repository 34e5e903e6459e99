"""`spyglass truth` says of real recordings whether the warehouse counts what the provider served."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spyglass.cli import main

RECORDINGS = Path(__file__).parents[1] / "fixtures" / "spans"
# Calls served and counted, calls without usage; tokens in and out of those that reported; tool calls and agents.
EXACT = {
    "agent-framework__native": (15, 13, 1, 624, 204, 5, 8),
    "anthropic__native": (6, 6, 1, 300, 85, 0, 0),
    "anthropic__openinference": (6, 6, 1, 300, 85, 0, 0),
    "openai-agents__otel-genai+otel-openai": (16, 16, 1, 780, 255, 7, 9),
    "openai__otel-genai": (10, 10, 3, 324, 102, 0, 0),
    "semantic-kernel__native": (5, 5, 1, 208, 68, 2, 3),
}
pytestmark = pytest.mark.stack


def _changed(name: str, place: Path) -> Path:
    """Write a recording of which the provider served one token more than it did."""
    recording = json.loads((RECORDINGS / f"{name}.json").read_text())
    row = next(row for row in recording["truth"]["calls"] if row["usage_reported"])
    row["output_tokens"] += 1
    path = place / f"{name}+1.json"
    path.write_text(json.dumps(recording))
    return path


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """Count all recordings once, and one of them again with a truth that is wrong by a token."""
    changed = _changed("anthropic__native", tmp_path_factory.mktemp("changed"))
    words = [sys.executable, "-m", "spyglass", "truth", str(RECORDINGS), str(changed), "--json"]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def judged(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Give what the command says of each recording."""
    return {row["recording"]: row for row in json.loads(done.stdout)["recordings"]}


@pytest.mark.parametrize("name", EXACT)
def test_what_was_reported_is_counted_exactly(judged: dict[str, Any], name: str) -> None:
    """Calls and tokens are those that the provider served, whoever reports them and however often."""
    row = judged[name]
    calls, tokens = row["calls"], [row["tokens_input"], row["tokens_output"]]
    found = (calls["truth"], calls["counted"], calls["unknown_calls"], *(each["counted"] for each in tokens))
    assert (*found, row["tool_calls"], row["agents"]) == EXACT[name]
    assert [each["truth"] for each in tokens] == [each["counted"] for each in tokens]
    assert (row["exact"], row["flagged"], row["differences"], row["flags"]) == (True, False, [], [])


def test_what_an_emitter_never_says_is_unknown_and_no_difference(judged: dict[str, Any]) -> None:
    """Tokens read from the cache, of which a framework says nothing, are unknown for each of its calls, and not 0."""
    assert judged["semantic-kernel__native"]["tokens_cache_read"] == {"truth": 64, "counted": None, "unknown_calls": 5}
    assert judged["openai__otel-genai"]["tokens_reasoning"]["counted"] == 30


def test_requests_that_a_client_repeats_are_noted(judged: dict[str, Any]) -> None:
    """Failed requests inside of one call are no missing calls: a note says how many there are."""
    (note,) = judged["agent-framework__native"]["notes"]
    assert "failed requests without a span of their own" in note
    assert note.endswith(": 2")
    assert judged["anthropic__native"]["notes"] == []


def test_calls_that_nobody_recorded_are_flagged(judged: dict[str, Any]) -> None:
    """A recording without the span of any call says so."""
    silent = judged["claude-agent-sdk__native"]
    assert (silent["exact"], silent["flagged"], silent["flags"]) == (False, True, ["there is no span of a model call"])
    assert silent["tokens_input"] == {"truth": 240, "counted": None, "unknown_calls": 0}
    assert silent["differences"][0] == "input tokens: 0 counted, 240 served"


def test_embeddings_that_no_framework_reports_are_noted(judged: dict[str, Any]) -> None:
    """Calls that embed the query of a retrieval unseen are left aside and said to be, and all else is compared."""
    row = judged["langgraph__otel-genai"]
    assert (row["exact"], row["flagged"], row["flags"]) == (True, False, [])
    assert row["notes"] == ["embeddings, of which no span reports usage: 2 served, 0 counted"]
    assert row["tokens_input"] == {"truth": 502, "counted": 484, "unknown_calls": 3}


def test_a_difference_of_one_token_fails(done: subprocess.CompletedProcess[str], judged: dict[str, Any]) -> None:
    """One token more in the truth is named and not excused, beside the same spans with their own truth."""
    row = judged["anthropic__native+1"]
    assert (row["exact"], row["flagged"], row["flags"]) == (False, False, [])
    assert row["differences"] == ["output tokens: 85 counted, 86 served"]
    assert done.returncode == 1
    assert json.loads(done.stdout)["total"] == {"recordings": 9, "exact": 7, "flagged": 1, "different": 1}


def test_progress_is_no_part_of_the_answer(done: subprocess.CompletedProcess[str]) -> None:
    """What is being done is said on standard error, without a warning."""
    assert done.stderr.splitlines() == [
        "starting a warehouse and a collector",
        "sending 9 recordings",
        "waiting for 171 spans in the warehouse",
        "finalising",
    ]


def test_people_get_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json there is a line for each recording, each fact, and the total; the exit code is 0."""
    assert (
        main(["truth", str(RECORDINGS / "claude-agent-sdk__native.json"), str(RECORDINGS / "anthropic__native.json")])
        == 0
    )
    head, silent, exact, *facts, total = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["recording", "verdict", "calls", "input"]
    assert silent.split() == [
        "claude-agent-sdk__native",
        "flagged",
        "0/4",
        "-/240",
        "-/68",
        "-/64",
        "-/0",
        "0",
        "2",
        "0",
    ]
    assert exact.split() == ["anthropic__native", "exact", "6/6", "300/300", "85/85", "80/80", "-/0", "1", "0", "0"]
    assert facts[-1] == "claude-agent-sdk__native: there is no span of a model call"
    assert total == "2 recordings, 1 exact, 1 flagged, 0 different"
