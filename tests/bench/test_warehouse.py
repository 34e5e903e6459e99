"""The bench of the warehouse: its data, its comparisons, and a small run of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from spyglass import names
from spyglass.bench.warehouse import Options, batches, facts, inserts, kills, load, measure, questions, ticks, wire
from spyglass.bench.warehouse.questions import QUESTIONS, Question, different
from spyglass.bench.warehouse.servers import Server, running
from spyglass.bench.warehouse.telemetry import AGENT, DAYS, LLM, NONE, RECENT, WORKFLOW, Row
from spyglass.bench.warehouse.truth import Span, Truth, span
from spyglass.errors import BenchError, UsageError

SPANS = 20_000


@pytest.fixture(scope="module")
def base() -> list[Row]:
    """Provide the spans of some traces."""
    return wire.rows(SPANS)


@pytest.fixture(scope="module")
def small() -> Iterator[Server]:
    """Provide a warehouse with a base of its own."""
    with running("ours") as server:
        wire.fill([server], wire.rows(3_000))
        yield server


def test_traces_are_the_same_each_time(base: list[Row]) -> None:
    """The same seed gives the same spans, another one gives others."""
    assert wire.rows(2_000) == wire.rows(2_000)
    assert wire.rows(2_000, seed=8) != wire.rows(2_000)
    assert SPANS <= len(base) < SPANS + 300


def test_traces_are_whole(base: list[Row]) -> None:
    """Every span has its parent and its agent in its trace, starts within it, and ends within its day."""
    known = {(row.trace_no, row.span_no): row for row in base}
    assert len(known) == len(base)
    for row in base:
        assert row.kind == WORKFLOW or (row.trace_no, row.parent_no) in known
        assert row.kind == WORKFLOW or known[row.trace_no, row.execution_no].kind == AGENT
        assert row.parent_no == NONE or row.parent_no < row.span_no
        root = known[row.trace_no, 0]
        assert row.offset_us + row.duration_us <= root.duration_us
        assert row.trace_us + root.duration_us <= 86_400_000_000


def test_every_window_has_data(base: list[Row]) -> None:
    """Traces are spread over 90 days, some lie in the last hour, and text makes a kilobyte of each span."""
    days = {row.base_day for row in base}
    assert days <= set(range(DAYS + 1))
    assert len(days) > 80
    assert RECENT in days
    assert 900 < sum(len(row.body_in) + len(row.body_out) for row in base) / len(base) < 1_200
    assert 0.4 < sum(row.kind == LLM for row in base) / len(base) < 0.5


def test_every_day_has_each_replica_once() -> None:
    """However often the base is repeated, each of its days is taken once by every replica."""
    for days_at_once in (1, 7, 90):
        parts = list(wire.ages(5, datetime(2026, 1, 1, tzinfo=UTC), days_at_once))
        taken = sorted((day, replica) for part in parts for day, replica in zip(part.days, part.replicas, strict=True))
        assert taken == [(day, replica) for day in range(RECENT + 1) for replica in range(5)]
        assert len({moment for part in parts for moment in part.begins}) == 91
        assert max(part.begins[0] for part in parts) == datetime(2025, 12, 31, 23, tzinfo=UTC)


def test_answers_that_differ_are_counted() -> None:
    """A count, a nano-dollar, a list, a row or a column more is a difference; a quantile within a hundredth is none."""
    row = {"agent": "a", "calls": 3, "cost_nano_usd": 10**15, "p95_seconds": 1.0, "priced_ratio": 0.5, "agents": ["a"]}
    assert different([row | {"attributes": {"a": "1"}}], [row | {"attributes": {"a": "2"}}]) == 0
    assert different([row], [row | {"p95_seconds": 1.009}]) == 0
    assert different([row], [row | {"p95_seconds": 1.02}]) == 1
    assert different([row], [row | {"priced_ratio": 0.501}]) == 1
    assert different([row], [row | {"agents": ["a", "b"]}]) == 1
    assert different([row], [row | {"tokens": 1}]) == 1
    assert different([row], [row | {"calls": 4}]) == 1
    assert different([row], [row | {"cost_nano_usd": 10**15 + 1}]) == 1
    assert different([row], [row, row | {"agent": "b"}]) == 1
    assert different([], [row]) == 1
    assert different([row | {"agent": "b"}, row], [row, row | {"agent": "b"}]) == 0


def test_windows_are_of_whole_hours_where_totals_are() -> None:
    """A long range begins and ends with an hour and includes the end of what was loaded; a short one ends with it."""
    hour = datetime(2026, 1, 31, 18, tzinfo=UTC)
    day, month = (Question("any", timedelta(days=days)) for days in (1, 30))
    for minutes in (1, 59):
        until = hour + timedelta(minutes=minutes)
        assert questions._window(day, until) == (until - timedelta(days=1), until)
        assert questions._window(month, until)[1] == hour + timedelta(hours=1)
    assert questions._window(month, hour) == (hour - timedelta(days=30), hour)


def test_what_was_kept_too_long_is_refused(tmp_path: Path) -> None:
    """Spans of which the totals by minute are about to go are not asked again."""
    done = tmp_path / "loaded.json"
    now = datetime.now(UTC).replace(microsecond=0)
    done.write_text(json.dumps({"spans": 5, "until": str(now - timedelta(days=11))}))
    assert load._kept(done, 5) == load.Loaded(5, now - timedelta(days=11))
    done.write_text(json.dumps({"spans": 5, "until": str(now - timedelta(days=13))}))
    with pytest.raises(BenchError, match="its minutes go"):
        load._kept(done, 5)


class _Given(NamedTuple):
    number: int
    parent: int
    kind: str
    more: dict[str, str]


def _spans(*given: _Given) -> list[Span]:
    rows = (
        {
            "TraceId": "t",
            "SpanId": str(one.number),
            "ParentSpanId": str(one.parent or ""),
            "start_ns": 61 * 10**9 + one.number,
            "Duration": 10 * one.number,
            "StatusCode": "Unset",
            "SpanAttributes": {names.KIND: one.kind} | one.more,
        }
        for one in given
    )
    return [span(row, {("openai", "m"): (2_000_000, 1_000_000, 4_000_000)}) for row in rows]


def test_the_truth_of_a_trace() -> None:
    """What an agent did, what a model call costs, and who called whom follow from parents alone."""
    model = {
        names.PROVIDER_NAME: "openai",
        names.RESPONSE_MODEL: "m",
        names.INPUT_TOKENS: "10",
        names.OUTPUT_TOKENS: "3",
        names.CACHE_READ_TOKENS: "4",
    }
    spans = _spans(
        _Given(1, 0, "agent", {names.AGENT_NAME: "boss"}),
        _Given(2, 1, "agent", {names.AGENT_NAME: "hand"}),
        _Given(3, 2, "llm", model),
        _Given(4, 3, "tool", {names.TOOL_NAME: "saw"}),
        _Given(5, 1, "llm", model | {names.RESPONSE_MODEL: "nobody"}),
    )
    tables = Truth(spans).tables()
    assert tables["executions"] == {
        ("t", "1"): ("boss", "", "unset", 2, 1, 0, 0, 10, 3, None),
        ("t", "2"): ("hand", "boss", "unset", 3, 1, 0, 1, 10, 3, 28),
    }
    assert tables["edges"] == {
        ("t", "boss", "agent", "hand"): (1, 0, 20, None, None, None),
        ("t", "hand", "model", "m"): (1, 0, 30, 10, 3, 28),
        ("t", "hand", "tool", "saw"): (1, 0, 40, None, None, None),
        ("t", "boss", "model", "nobody"): (1, 0, 50, 10, 3, None),
    }
    assert tables["rollup_tools"] == {(60, "saw", "unset", ""): (1, 0, 40)}


@pytest.mark.stack
def test_batches_are_what_they_say(small: Server) -> None:
    """A batch of now has the spans that its slice counts, all within the last seconds, and pieces add up to it."""
    first, *_ = batches.slices(small.admin, 1_000)
    assert sum(first.pieces) == first.spans >= 1_000
    small.insert(wire.block(small.admin, batches.now(first.where, 3, "batch")))
    (row,) = small.reader.rows(
        "SELECT count() AS spans, min(timestamp) > now() - 60 AS fresh FROM spans WHERE organization = 'batch'"
    )
    assert row == {"spans": first.spans, "fresh": 1}


@pytest.mark.stack
def test_ticks_name_their_statements(small: Server) -> None:
    """The time of a run is told apart by what its statements make."""
    figures = {figure.name: figure for figure in ticks.measure(small, SPANS, rows=500, count=2)}
    assert figures["tick over 500 spans, p50"].value > 0
    assert figures["tick, insert llm_calls, median"].value > 0
    assert figures["tick, insert work_owners, median"].value > 0


@pytest.mark.stack
def test_a_small_run(folder: Path) -> None:
    """Both schemas give the same answers on the same spans, every table is weighed, and a kept folder is used again."""
    options = Options(parts=("disk", "questions"), spans=SPANS, keep=folder)
    figures = {figure.name: figure for figure in measure(options)}
    answers = {name.split(":")[0]: figure for name, figure in figures.items() if "rows that differ" in name}
    assert set(answers) == {question.name for question in QUESTIONS}
    for name, figure in answers.items():
        assert figure.ok, figure
        assert not figure.name.endswith("of 0"), f"{name} found nothing, so nothing was compared"
    assert figures["disk, all tables"].value > figures["disk, span_content"].value > 0
    assert figures["disk, stock schema"].value > 0
    again = measure(replace(options, parts=("disk",)))
    assert [figure.name for figure in again if figure.ok is not None] == ["disk, ours to stock"]


@pytest.mark.stack
def test_facts_are_exact() -> None:
    """However the spans of some traces come, everything made of them is what plain Python says."""
    figures = facts.measure(traces=40)
    assert len(figures) == 9
    assert [figure for figure in figures if not figure.ok] == []


@pytest.mark.stack
def test_kills_lose_nothing() -> None:
    """A warehouse that is killed in the middle of inserts holds each span once, with its cost in every table."""
    figures = kills.measure(kills=1)
    assert len(figures) == 8
    assert [figure for figure in figures if not figure.ok] == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("idle", "--spans", "5"), "--spans is an option of bench warehouse."),
        (("warehouse", "--stack"), "bench warehouse starts warehouses of its own."),
        (("warehouse", "--parts", "disk,speed"), "bench warehouse has no part 'speed'."),
        (("warehouse", "--spans", "0"), "'0' is no whole number above 0"),
        (("warehouse", "--spans", "many"), "'many' is no whole number above 0"),
    ],
)
def test_misuse_is_one_sentence(words: tuple[str, ...], sentence: str) -> None:
    """An option that does not fit ends with exit code 2 and says so."""
    command = [sys.executable, "-m", "spyglass", "bench", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_parts_are_refused() -> None:
    """A part that there is not is named before anything starts."""
    with pytest.raises(UsageError, match="'speed'"):
        measure(Options(parts=("speed",)))


def test_rates_are_compared_both_ways() -> None:
    """Ours has to reach a share of the stock schema's rate, by the clock and by the core."""
    figures = inserts._figures(10, {"ours": 50.0, "stock": 100.0}, {"ours": 2e-6, "stock": 1.5e-6})
    verdicts = {figure.name: figure.ok for figure in figures if figure.ok is not None}
    assert verdicts == {
        "insert, ours to stock": False,
        "insert, rows of a core's second, ours to stock": True,
    }
