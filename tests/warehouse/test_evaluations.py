"""Evaluations become typed rows, from logs and from events of spans; the newest of a kind stands."""

from __future__ import annotations

import json
import time
import zlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.warehouse.command import spyglass
from tests.warehouse.wire import Server, one, span

NAME = "gen_ai.evaluation.result"
SECOND = 1_000_000_000
ATTRIBUTES = {
    "gen_ai.evaluation.name": "helpful",
    "gen_ai.evaluation.score.value": "0.75",
    "gen_ai.evaluation.score.label": "yes",
    "gen_ai.evaluation.explanation": "It was.",
    "spyglass.evaluation.source": "judge",
    "gen_ai.response.id": "resp-1",
    "gen_ai.agent.name": "planner",
    "user.id": "u-1",
    "error.type": "timeout",
    "my.own": "kept",
}
EXPECTED = {
    "name": "helpful",
    "score": 0.75,
    "label": "yes",
    "explanation": "It was.",
    "source": "judge",
    "response_id": "resp-1",
    "agent": "planner",
    "user_id": "u-1",
    "error_type": "timeout",
    "defects": {},
    "attributes": {"my.own": "kept"},
    "organization": "acme",
    "project": "p",
    "environment": "prod",
    "service": "judges",
    "release": "1.2",
    "instance": "i-1",
    "demo": False,
}
RESOURCE = {"service.version": "1.2", "service.instance.id": "i-1", "deployment.environment.name": "prod"}
TENANT = {"spyglass.organization": "acme", "spyglass.project": "p"}


def _moment(nanoseconds: int) -> str:
    return f"{nanoseconds // SECOND}.{nanoseconds % SECOND:09}"


def _judged(score: object = "0.75", **more: str) -> dict[str, str]:
    """Return the attributes of an evaluation as the collector writes them, and no others."""
    given = {"name": "helpful", "score.value": str(score)} | more
    return {f"gen_ai.evaluation.{key}": value for key, value in given.items()}


def _log(trace: str, attributes: dict[str, str], at: int = 0, **columns: Any) -> dict[str, Any]:
    row = {
        "Timestamp": _moment(at or time.time_ns()),
        "TraceId": trace,
        "ServiceName": "judges",
        "EventName": NAME,
        "LogAttributes": attributes,
    }
    return row | columns


def _span(number: int, *events: tuple[str, str, dict[str, str]], **columns: Any) -> dict[str, Any]:
    moments, names, attributes = zip(*events, strict=True)
    nested = {"Events.Timestamp": moments, "Events.Name": names, "Events.Attributes": attributes}
    return span(number, ServiceName="judges", **columns) | nested


def _found(server: Server, trace: str) -> list[dict[str, Any]]:
    return server.client("reader").rows(
        "SELECT * FROM evaluations WHERE trace_id = {t:String} ORDER BY name, source, user_id", t=trace
    )


def test_an_evaluation_of_a_log(server: Server) -> None:
    """A log with the event's name is an evaluation with every column, and still a log."""
    moment = time.time_ns()
    row = _log(
        "ev-log", ATTRIBUTES | TENANT | {"log.record.uid": "u"}, moment, SpanId="s-1", ResourceAttributes=RESOURCE
    )
    assert server.insert("otel_logs", [row]).status == 200
    (found,) = _found(server, "ev-log")
    assert {name: found[name] for name in EXPECTED} == EXPECTED
    assert found["span_id"] == "s-1"
    assert server.sql("SELECT toUnixTimestamp64Nano(timestamp) FROM evaluations WHERE trace_id = 'ev-log'") == str(
        moment
    )
    assert one(server, "SELECT event_name FROM logs WHERE trace_id = 'ev-log'") == {"event_name": NAME}


def test_an_evaluation_of_a_span(server: Server) -> None:
    """An event of that name on a span is an evaluation of this span; other events are none."""
    now = _moment(time.time_ns())
    row = _span(20_001, (now, "exception", {}), (now, NAME, ATTRIBUTES), SpanId="s-2", ResourceAttributes=RESOURCE)
    row["SpanAttributes"] |= TENANT | {"gen_ai.agent.name": "writer"}
    other = _span(20_001, (now, NAME, _judged(1, name="exact")), SpanId="s-3")
    other["SpanAttributes"] |= {"gen_ai.agent.name": "writer"}
    assert server.insert("otel_traces", [row, other, span(20_001, SpanId="s-4")]).status == 200
    exact, helpful = _found(server, row["TraceId"])
    assert {name: helpful[name] for name in EXPECTED} == EXPECTED
    assert (helpful["span_id"], helpful["timestamp"]) != (exact["span_id"], None)
    assert (exact["span_id"], exact["agent"], exact["organization"]) == ("s-3", "writer", "default")


def test_an_older_sender_names_the_event_in_an_attribute(server: Server) -> None:
    """A log record of before event names has the name in event.name; a log of another name is no evaluation."""
    named = _judged() | {"event.name": NAME}
    rows = [
        _log("ev-old", named, EventName=""),
        _log("ev-other", named, EventName="other"),
        _log("ev-other", {}, EventName=""),
    ]
    server.insert("otel_logs", rows)
    assert [row["attributes"] for row in _found(server, "ev-old")] == [{}]
    assert _found(server, "ev-other") == []


def test_absent_stays_absent(server: Server) -> None:
    """Without a score it is NULL, and every text is empty: never 0."""
    server.insert("otel_logs", [_log("ev-bare", {"gen_ai.evaluation.name": "tone"})])
    (found,) = _found(server, "ev-bare")
    assert found["score"] is None
    texts = ("span_id", "response_id", "agent", "label", "explanation", "source", "user_id", "error_type")
    assert {found[name] for name in texts} == {""}
    assert (found["organization"], found["project"], found["defects"]) == ("default", "default", {})


@pytest.mark.parametrize("score", ["NaN", "inf", "-Infinity", "1e999", "good", "true"])
@pytest.mark.parametrize("way", ["log", "span"])
def test_absurd_scores_are_unknown_and_countable(server: Server, score: str, way: str) -> None:
    """A score that is no finite number is NULL; what was reported is in ``defects``. Other rows are unharmed."""
    number = 21_000 + zlib.crc32(f"{score} {way}".encode()) % 100_000
    trace, now = f"{number:032x}", _moment(time.time_ns())
    good = _judged(-0.5, name="good")
    if way == "log":
        server.insert("otel_logs", [_log(trace, _judged(score)), _log(trace, good)])
    else:
        server.insert("otel_traces", [_span(number, (now, NAME, _judged(score)), (now, NAME, good))])
    assert [(row["name"], row["score"], row["defects"]) for row in _found(server, trace)] == [
        ("good", -0.5, {}),
        ("helpful", None, {"score": score}),
    ]


def test_the_same_again_is_the_same_row(server: Server) -> None:
    """An evaluation that comes again, in other batches or also as an event of its span, counts once."""
    moment = time.time_ns()
    row = _log(f"{22_000:032x}", _judged(), moment, SpanId=f"{22_000:016x}")
    other = _log(f"{22_000:032x}", _judged(name="tone"), moment, SpanId=f"{22_000:016x}")
    for batch in ([row], [row, other], [other, row, row]):
        server.insert("otel_logs", batch)
    server.insert("otel_traces", [_span(22_000, (_moment(moment), NAME, _judged()))])
    assert [(found["name"], found["score"]) for found in _found(server, row["TraceId"])] == [
        ("helpful", 0.75),
        ("tone", 0.75),
    ]


def test_what_tells_evaluations_apart(server: Server) -> None:
    """Another span, response, name, source or user is another evaluation: both stand."""
    first, trace = _judged(), "ev-apart"
    rows = [
        _log(trace, first),
        _log(trace, first, SpanId="s"),
        _log(trace, first | {"gen_ai.response.id": "r"}),
        _log(trace, _judged(name="tone")),
        _log(trace, first | {"spyglass.evaluation.source": "user"}),
        _log(trace, first | {"spyglass.evaluation.source": "user", "user.id": "u-2"}),
    ]
    for row in rows + rows:
        server.insert("otel_logs", [row])
    assert len(_found(server, trace)) == len(rows)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(5)), st.lists(st.booleans(), min_size=5, max_size=5), st.uuids())
def test_the_newest_stands_in_whatever_order(
    server: Server, order: list[int], alone: list[bool], trace: object
) -> None:
    """A corrected evaluation replaces the earlier, months apart too, however the two come: by time, not by arrival."""
    month = 31 * 24 * 3600 * SECOND
    last = time.time_ns()
    rows = [_log(str(trace), _judged(at, **{"score.label": f"l{at}"}), last - (4 - at) * month) for at in range(5)]
    batch: list[dict[str, Any]] = []
    for at in order:
        batch.append(rows[at])
        if alone[at]:
            server.insert("otel_logs", batch)
            batch = []
    server.insert("otel_logs", batch or [rows[order[0]]])
    assert [(row["score"], row["label"]) for row in _found(server, str(trace))] == [(4, "l4")]


def test_evaluations_of_nothing_known_stay_apart(server: Server) -> None:
    """Without trace and response each record is a row of its own: by its uid, else by all that it says."""
    moment = time.time_ns()
    uid = {"log.record.uid": "ev-1"}
    first = _judged(0, name="lost")
    rows = [_log("", _judged(score, name="lost"), moment) for score in (1, 2)]
    rows += [
        _log("", first | uid, moment),
        _log("", first | uid, moment + 1),
        _log("", first | {"log.record.uid": "ev-2"}, moment),
    ]
    event = (_moment(moment), NAME, _judged(3, name="lost"))
    server.insert("otel_logs", rows + rows[:2])
    server.insert("otel_traces", [_span(23_000, event, TraceId="")] * 2)
    found = server.client("reader").rows("SELECT score FROM evaluations WHERE name = 'lost' ORDER BY score")
    assert [row["score"] for row in found] == [0, 0, 1, 2, 3]


def test_a_record_out_of_range_is_a_dead_letter_once(server: Server) -> None:
    """A record or span of 1970 is one dead letter and no evaluation."""
    number, long_ago = 24_000, "1970-01-01 00:00:00"
    trace = f"{number:032x}"
    server.insert("otel_logs", [_log(trace, _judged(), Timestamp=long_ago)])
    server.insert("otel_traces", [_span(number, (_moment(time.time_ns()), NAME, _judged()), Timestamp=long_ago)])
    assert _found(server, trace) == []
    letters = server.client("reader").rows(
        "SELECT table_name FROM dead_letters WHERE position(body, {t:String}) > 0 ORDER BY table_name", t=trace
    )
    assert [row["table_name"] for row in letters] == ["otel_logs", "otel_traces"]


@pytest.mark.parametrize(("number", "moment"), [(24_100, "1970-01-01 00:00:00"), (24_101, "2100-01-01 00:00:00")])
def test_an_event_with_an_impossible_time(server: Server, number: int, moment: str) -> None:
    """An event whose own time cannot be was judged when its span began; what it said is a defect."""
    row = _span(number, (moment, NAME, _judged()))
    server.insert("otel_traces", [row])
    found = one(
        server,
        "SELECT e.timestamp = s.timestamp AS same, e.defects AS defects FROM evaluations AS e "
        "JOIN spans AS s USING trace_id WHERE trace_id = {t:String}",
        t=row["TraceId"],
    )
    assert found == {"same": 1, "defects": {"timestamp": f"{moment}.000000000"}}


def test_a_retried_dead_letter_is_an_evaluation(own_server: Server) -> None:
    """A record that waited among the dead letters becomes an evaluation when it is sent again."""
    row = _log("ev-late", _judged(), LogAttributes=_judged())
    columns = "Timestamp, TraceId, EventName, LogAttributes"
    text = (
        "SELECT {when} AS Timestamp, 'ev-late' AS TraceId, '" + NAME + "' AS EventName, "
        "map('gen_ai.evaluation.name', 'helpful', 'gen_ai.evaluation.score.value', '0.5')"
        "::Map(LowCardinality(String), String) AS LogAttributes"
    )
    both = f"{text.format(when=repr(row['Timestamp'][:19]))} UNION ALL {text.format(when=repr('no time'))}"
    block = own_server.post(f"SELECT * FROM ({both}) FORMAT Native").body
    query = f"INSERT INTO spyglass.otel_logs ({columns}) FORMAT Native"
    assert own_server.post(block, "collector", query=query).status == 200
    assert _found(own_server, "ev-late") == []
    done = spyglass(own_server, "warehouse", "dead-letters", "--retry", "--json")
    assert [(letter["stored"], letter["left"]) for letter in map(json.loads, done.stdout.splitlines())] == [(1, 1)]
    assert [found["score"] for found in _found(own_server, "ev-late")] == [0.5]


def test_retention_of_evaluations(own_server: Server) -> None:
    """Evaluations are a group of their own: a rule deletes those that came before, and leaves other projects'."""
    for project in ("short", "long"):
        attributes = _judged() | {"spyglass.organization": "acme", "spyglass.project": project}
        own_server.insert("otel_logs", [_log(f"ev-{project}", attributes)])
    own_server.sql(
        "ALTER TABLE spyglass.evaluations UPDATE ingested_at = now64(3) - INTERVAL 8 DAY WHERE 1 "
        "SETTINGS mutations_sync = 2"
    )
    words = ("evaluations", "7", "--organization", "acme", "--project", "short")
    assert spyglass(own_server, "warehouse", "retention", "set", *words).returncode == 0
    done = spyglass(own_server, "warehouse", "retention", "--apply", "--json")
    assert done.returncode == 0, done.stderr
    assert _found(own_server, "ev-short") == []
    assert len(_found(own_server, "ev-long")) == 1
