"""Single traces and sessions, the sizes of tables, and what the demo and the report ask, are what the spans say."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.warehouse.fleet import Fleet, Range
from tests.warehouse.runs import Span
from tests.warehouse.truths import SECOND, coverage, grouped, input_tokens, only, output_tokens, use
from tests.warehouse.wire import Server, span

LONG = Range(timedelta(days=13))
Row = dict[str, Any]


@pytest.fixture(scope="module")
def alerts(fleet: Fleet) -> Iterator[datetime]:
    """Put notifications into the inbox, and provide a moment between them."""
    admin = fleet.server.client("admin")
    moment = datetime.now(UTC) - timedelta(hours=1)
    rows = [("a", -30, "firing"), ("b", -20, "firing"), ("b", -10, "resolved"), ("c", 10, "firing")]
    common = {"organization": "globex", "severity": "page", "agent": "planner", "summary": "s", "receiver": "inbox"}
    for name, minutes, status in rows:
        at = moment + timedelta(minutes=minutes)
        admin.insert(
            "alert_notifications",
            [{"received_at": at, "fingerprint": name, "status": status, "alert": f"Alert{name}"} | common],
        )
    admin.close()
    yield moment
    admin = fleet.server.client("admin")
    admin.execute("TRUNCATE TABLE spyglass.alert_notifications")
    admin.close()


def _expected(each: Span) -> Row:
    return {
        "parent_span_id": "" if each.parent is None else f"{each.parent:016x}",
        "kind": each.kind,
        "status": "error" if each.failed else "ok",
        "error_type": each.error_type,
        "duration_seconds": pytest.approx(each.duration_ns / SECOND),
        "input_tokens": each.tokens and each.tokens[0],
        "output_tokens": each.tokens and each.tokens[1],
        "cost_nano_usd": each.cost,
        "input": each.texts[0] if each.texts else "",
        "output": each.texts[1] if each.texts else "",
    }


def _biggest_trace(fleet: Fleet) -> Sequence[Span]:
    return max(grouped(fleet.spans, lambda each: each.trace).values(), key=len)


def test_trace(fleet: Fleet) -> None:
    """A trace has all its spans in the order of time, with texts and the cost of its calls."""
    spans = _biggest_trace(fleet)
    rows = fleet.rows("trace", trace_id=spans[0].trace_id)
    assert [row["span_id"] for row in rows] == [each.span_id for each in sorted(spans, key=lambda each: each.start_ns)]
    by_id = {each.span_id: _expected(each) for each in spans}
    assert {row["span_id"]: only(row, by_id[row["span_id"]]) for row in rows} == by_id


def test_a_trace_of_this_moment_has_logs(server: Server) -> None:
    """A trace is there before the finaliser saw it, its logs between its spans, and nothing of others."""
    now = time.time_ns()
    spans = [span(930_001 + at, TraceId=f"{930_001:032x}", Timestamp=f"{now / 1e9 + at:.9f}") for at in range(2)]
    assert server.insert("otel_traces", [*spans, span(930_009)]).status == 200
    log = {"Timestamp": f"{now / 1e9 + 0.5:.9f}", "SeverityNumber": 13, "ServiceName": "shop", "Body": "low on tea"}
    logs = [log | {"TraceId": f"{trace:032x}", "LogAttributes": {"k": "v"}} for trace in (930_001, 930_009)]
    assert server.insert("otel_logs", logs).status == 200
    rows = Fleet(server, [], datetime.now(UTC)).rows("trace", trace_id=f"{930_001:032x}")
    assert [row["kind"] for row in rows] == ["llm", "log", "llm"]
    expected = {"name": "WARN", "output": "low on tea", "attributes": {"k": "v"}, "duration_seconds": None}
    assert only(rows[1], expected) == expected


def test_an_unknown_trace_is_empty(fleet: Fleet) -> None:
    """A trace that is not there has no rows."""
    assert fleet.rows("trace", trace_id="f" * 32) == []


def test_session_replay(fleet: Fleet) -> None:
    """A session has the spans of all its traces within the range, with their texts."""
    spans = [each for each in fleet.during(LONG, "acme") if each.session == "session-3"]
    assert len({each.trace for each in spans}) > 1
    rows = fleet.rows("session_replay", LONG, session_id="session-3", organization="acme")
    by_id = {each.span_id: _expected(each) for each in spans}
    assert {row["span_id"]: only(row, by_id[row["span_id"]]) for row in rows} == by_id
    assert [row["timestamp"] for row in rows] == sorted(row["timestamp"] for row in rows)
    assert fleet.rows("session_replay", LONG, session_id="session-33") == []


def test_evaluations_by_name(fleet: Fleet) -> None:
    """Evaluations are counted by name and source, with their scores, labels and failures; unknown scores are NULL."""
    given = [("helpful", "user", "1", "yes"), ("helpful", "user", "0.25", "no"), ("helpful", "judge", "", "yes")]
    given += [("tone", "judge", "", ""), ("helpful", "user", "0.5", "yes")]
    rows = [
        {
            "Timestamp": f"{fleet.now.timestamp() - at - 1:.9f}",
            "TraceId": fleet.spans[0].trace_id if at else "",
            "ServiceName": "shop",
            "EventName": "gen_ai.evaluation.result",
            "LogAttributes": {
                "spyglass.organization": "globex",
                "gen_ai.evaluation.name": name,
                "gen_ai.evaluation.score.value": score,
                "gen_ai.evaluation.score.label": label,
                "spyglass.evaluation.source": source,
                "user.id": f"u{at}",
                "error.type": "timeout" if name == "tone" else "",
            },
        }
        for at, (name, source, score, label) in enumerate(given)
    ]
    assert fleet.server.insert("otel_logs", rows).status == 200
    found = fleet.rows("evaluations_by_name", Range(timedelta(hours=1)), organization="globex")
    judged, by_users, tone = found
    assert [(row["name"], row["source"]) for row in found] == [
        ("helpful", "judge"),
        ("helpful", "user"),
        ("tone", "judge"),
    ]
    expected = {"evaluations": 3, "scored": 3, "failed": 0, "mean_score": pytest.approx(1.75 / 3), "min_score": 0.25}
    expected |= {"p50_score": 0.5, "max_score": 1.0, "labels": {"yes": 2, "no": 1}, "traces": 1}
    assert only(by_users, expected) == expected
    assert only(judged, {"scored": 0, "mean_score": None, "labels": {}}) == {
        "scored": 0,
        "mean_score": None,
        "labels": {"yes": 1},
    }
    assert (tone["failed"], tone["p50_score"], tone["labels"]) == (1, None, {})
    assert fleet.rows("evaluations_by_name", Range(timedelta(hours=3), timedelta(hours=1))) == []


def test_retention_sizes(fleet: Fleet) -> None:
    """Every table that holds rows has its size; the oldest rows of spans are those of the oldest trace."""
    rows = {row["table"]: row for row in fleet.rows("retention_sizes")}
    spans = rows["spans"]
    assert spans["rows"] == len(fleet.spans)
    stored = fleet.reader.rows(
        "SELECT sum(bytes_on_disk) AS bytes FROM system.parts"
        " WHERE active AND database = 'spyglass' AND table = 'spans'"
    )
    assert spans["disk_bytes"] == stored[0]["bytes"]
    assert spans["bytes_per_row"] == pytest.approx(spans["disk_bytes"] / spans["rows"])
    oldest = min(each.start_ns for each in fleet.spans) // SECOND
    assert spans["oldest_at"].replace(tzinfo=UTC).timestamp() == oldest
    assert rows["model_prices"]["oldest_at"] is None


def test_demo_totals_and_models(fleet: Fleet) -> None:
    """What the demo counts of one of its runs is what it sent."""
    spans = fleet.during(LONG, "demo")
    ends: Row = {"run": "r1", "since": fleet.now - LONG.since}
    traces = grouped(spans, lambda each: each.trace).values()
    assert fleet.rows("demo_totals", **ends) == [
        {
            "spans": len(spans),
            "runs": len(traces),
            "failed_runs": sum(any(each.failed and each.parent is None for each in trace) for trace in traces),
            "agent_runs": sum(each.kind == "agent" for each in spans),
        }
    ]
    models = grouped((each for each in spans if each.is_call), lambda each: each.name)
    rows = {row["model"]: row for row in fleet.rows("demo_models", **ends)}
    assert rows.keys() == models.keys()
    for name, calls in models.items():
        used = use(calls)
        expected = {"calls": len(calls), "unpriced": used["unpriced_calls"]}
        expected |= {key: used[key] for key in ("input_tokens", "output_tokens", "cost_nano_usd")}
        assert only(rows[name], expected) == expected
    assert fleet.rows("demo_totals", run="r2", since=ends["since"])[0]["spans"] == 0


def test_notifications_of_the_demo_and_the_report(fleet: Fleet, alerts: datetime) -> None:
    """The demo sees what came since, and earlier what still fires; the report all of an organization, newest first."""
    assert [row["alert"] for row in fleet.rows("demo_notifications", since=alerts)] == ["Alerta", "Alertc"]
    since = alerts - timedelta(minutes=25)
    rows = fleet.rows("report_alerts", since=since, organization="globex")
    assert [(row["alert"], row["status"]) for row in rows] == [
        ("Alertc", "firing"),
        ("Alertb", "resolved"),
        ("Alertb", "firing"),
    ]
    assert fleet.rows("report_alerts", since=since, organization="acme") == []


def test_report_totals_and_models(fleet: Fleet) -> None:
    """What the report counts of an organization is what its spans say."""
    spans = fleet.during(LONG, "acme")
    calls = [each for each in spans if each.is_call]
    ends: Row = {"since": fleet.now - LONG.since, "organization": "acme"}
    roots = [each for each in spans if each.parent is None]
    expected = use(calls) | {
        "traces": len(roots),
        "runs": len(roots),
        "failed_runs": sum(each.failed for each in roots),
        "agent_runs": sum(each.kind == "agent" for each in spans),
        "model_calls": len(calls),
    }
    unpriced = expected.pop("unpriced_calls"), expected.pop("calls_without_usage")
    (row,) = fleet.rows("report_totals", **ends)
    assert only(row, expected) == expected
    assert sum(unpriced) > 0
    for row in fleet.rows("report_models", **ends):
        same = [call for call in calls if call.name == row["model"]]
        expected = {"calls": len(same), "errors": sum(call.failed for call in same)}
        expected |= {key: use(same)[key] for key in ("input_tokens", "output_tokens", "cost_nano_usd")}
        assert only(row, expected) == expected
        assert (coverage(same)["priced_token_ratio"] == 0) == (row["cost_nano_usd"] is None)


def test_report_runs_and_freshness(fleet: Fleet) -> None:
    """The report lists runs newest first with all that is in them, and says how old the newest span is."""
    spans = fleet.during(LONG, "globex")
    ends: Row = {"since": fleet.now - LONG.since, "organization": "globex"}
    rows = fleet.rows("report_runs", limit=1000, **ends)
    traces = grouped(spans, lambda each: each.trace_id)
    assert [row["trace_id"] for row in rows] == sorted(traces, key=lambda key: -traces[key][0].start_ns)
    for row in rows:
        trace = traces[row["trace_id"]]
        calls = [each for each in trace if each.is_call]
        expected = {
            "status": "error" if trace[0].failed else "ok",
            "error_type": trace[0].error_type,
            "agents": sorted({each.name for each in trace if each.kind == "agent"}),
            "spans": len(trace),
            "model_calls": len(calls),
            "tool_calls": sum(each.kind == "tool" for each in trace),
            "input_tokens": input_tokens(calls),
            "output_tokens": output_tokens(calls),
            "cost_nano_usd": use(calls)["cost_nano_usd"],
        }
        assert only(row, expected) == expected
    assert fleet.rows("report_runs", limit=2, **ends) == rows[:2]
    (fresh,) = fleet.rows("report_freshness", **ends)
    newest = max(each.end_ns for each in spans) / SECOND
    assert fresh["spans"] == len(spans)
    assert 0 <= time.time() - newest - fresh["newest_age_seconds"] < 60
    assert fresh["p50_seconds"] <= fresh["p95_seconds"]
