"""Words are found in prompts and outputs, the same with the index and without it, which is there on request only."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spyglass.warehouse import finaliser, questions
from tests.warehouse.command import spyglass
from tests.warehouse.wire import Server, span

_SEARCH = questions.load("search_prompts").sql
_NOW = time.time()
_TEXTS = (
    # number, seconds ago, organization, input, output
    (1, 10, "acme", "What causes the Tides?", "The moon, mostly."),
    (2, 20, "acme", "Tell me more about tides_and waves.", "tides rise; the MOON pulls"),
    (3, 30, "acme", "untidy intides tidesmen", "nothing"),
    (4, 40, "other", "tides", "moon"),
    (5, 50, "acme", "Großer ÄRGER: " + "x" * 300, "Ärger " + "wort " * 100 + "moon"),
    (6, 5_000, "acme", "old tides", ""),
)
_QUESTIONS = (
    "tides",
    "TIDES",
    "moon",
    "moon tides",
    "ärger",
    "ÄRGER wort",
    "untidy",
    "tide",
    "nowhere",
    "x.y",
    "",
    "';--",
)


@pytest.fixture(scope="module")
def texts(own_server: Server) -> Iterator[Server]:
    """Provide a warehouse with texts: some stored before the index comes, in a part of their own."""
    assert own_server.insert("otel_traces", [_row(*text) for text in _TEXTS]).status == 200
    yield own_server
    spyglass(own_server, "warehouse", "index", "--prompts", "off")


def _row(number: int, ago: float, organization: str, prompt: str, answer: str) -> dict[str, Any]:
    attributes = {
        "spyglass.organization": organization,
        "gen_ai.input.messages": prompt,
        "gen_ai.output.messages": answer,
    }
    return span(number, attributes, Timestamp=f"{_NOW - ago:.9f}")


def _search(server: Server, words: str, organization: str = "acme", most: int = 100) -> list[dict[str, Any]]:
    since = datetime.fromtimestamp(_NOW, UTC) - timedelta(hours=1)
    until = since + timedelta(hours=2)
    given = {"since": since, "until": until, "organization": organization, "words": words, "limit": most, "project": ""}
    return server.client("reader").rows(_SEARCH, **given)


def _spans(rows: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(int(row["span_id"], 16), row["found_in"]) for row in rows]


def _index(server: Server, *words: str) -> dict[str, Any]:
    done = spyglass(server, "warehouse", "index", "--json", "--prompts", *words)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_words_are_found(texts: Server) -> None:
    """Whole words, in any case, all of them in one text, of one organization and range; the newest first."""
    assert _spans(_search(texts, "tides")) == [(1, "input"), (2, "both")]
    assert _spans(_search(texts, "moon TIDES")) == [(2, "output")]
    assert _spans(_search(texts, "ärger")) == [(5, "both")]
    assert _spans(_search(texts, "tides", "other")) == [(4, "input")]
    assert _spans(_search(texts, "tides", most=1)) == [(1, "input")]
    for nothing in ("tide", "nowhere", "", "...", "';--"):
        assert _search(texts, nothing) == []


def test_excerpts_show_the_word(texts: Server) -> None:
    """An excerpt is the text around the first word, not around a longer word that contains it."""
    assert [row["excerpt"] for row in _search(texts, "tides")] == [
        "What causes the Tides?",
        "Tell me more about tides_and waves.",
    ]
    (long,) = _search(texts, "ärger")
    assert long["excerpt"] == "Großer ÄRGER: " + "x" * 79
    (late,) = _search(texts, "moon wort")
    assert late["excerpt"].endswith(" wort moon")
    assert len(late["excerpt"]) <= 85


def test_the_index_changes_no_answer(texts: Server) -> None:
    """Off, on for what comes, on for all, and off again: the rows are the same, and the index is used where it is."""
    expected = {words: _search(texts, words) for words in _QUESTIONS}
    assert _index(texts, "status") | {"bytes": 0} == {
        "on": False, "rows": len(_TEXTS), "bytes": 0, "index_bytes": 0, "building_parts": 0,
    }  # fmt: skip
    on = _index(texts, "on", "--yes")
    assert on["on"] is True
    assert {words: _search(texts, words) for words in _QUESTIONS} == expected
    whole = _index(texts, "on", "--yes", "--materialise")
    assert whole["index_bytes"] > on["index_bytes"]
    assert whole["building_parts"] == 0
    assert {words: _search(texts, words) for words in _QUESTIONS} == expected
    plan = texts.sql(
        "EXPLAIN indexes = 1 SELECT span_id FROM spyglass.span_content WHERE organization = 'acme'"
        " AND (hasAllTokens(lowerUTF8(input), 'tides') OR hasAllTokens(lowerUTF8(output), 'tides'))"
    )
    assert "Name: input_words" in plan
    assert "Name: output_words" in plan
    again = [(1, 10, "acme", "Now it is about sand.", "Only sand.")]
    assert texts.insert("otel_traces", [_row(*text) for text in again]).status == 200
    assert _spans(_search(texts, "tides")) == [(2, "both")], "the text that was replaced is found no more"
    expected = {words: _search(texts, words) for words in (*_QUESTIONS, "sand")}
    off = _index(texts, "off")
    assert (off["on"], off["index_bytes"]) == (False, 0)
    assert {words: _search(texts, words) for words in (*_QUESTIONS, "sand")} == expected


def test_the_cost_is_said_before(texts: Server) -> None:
    """Without --yes and without a terminal nothing happens but that the cost is said, for this very table."""
    texts.sql("OPTIMIZE TABLE spyglass.span_content FINAL")
    done = spyglass(texts, "warehouse", "index", "--prompts", "on", "--materialise")
    assert done.returncode == 2
    assert "165 to 185 bytes for each span" in done.stderr
    assert f"Those stored now: {165 * len(_TEXTS)} to {185 * len(_TEXTS)} bytes." in done.stderr
    assert done.stderr.endswith("Nobody can be asked here whether that is agreed to. Add --yes.\n")
    assert _index(texts, "status")["on"] is False
    done = spyglass(texts, "warehouse", "index", "--prompts", "off", "--materialise")
    assert (done.returncode, done.stderr) == (2, "spyglass: --materialise goes with --prompts on.\n")


def test_it_can_be_switched_twice(texts: Server) -> None:
    """On when it is on and off when it is off change nothing; people read a sentence."""
    for word in ("on", "on", "off", "off"):
        done = spyglass(texts, "warehouse", "index", "--prompts", word, "--yes")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"The index is {word}: ")


def test_texts_under_other_keys_are_found(texts: Server) -> None:
    """What another dialect's keys hold is found where it belongs, when the finaliser has assembled it."""
    sent = {
        "spyglass.organization": "acme",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Where was the tsunami?",
        "llm.output_messages.0.message.content": "In Chile.",
    }
    assert texts.insert("otel_traces", [span(77, sent, Timestamp=f"{_NOW:.9f}")]).status == 200
    assert finaliser.finalise(texts.client("admin"), timedelta(days=1)).caught_up
    for words, place in (("tsunami", "input"), ("CHILE", "output")):
        (row,) = _search(texts, words)
        assert (int(row["span_id"], 16), row["found_in"]) == (77, place)
    assert "Where was the tsunami?" in _search(texts, "tsunami")[0]["excerpt"]
    assert _search(texts, "tsunamis") == []
