"""Logs and metric points become typed rows, each with an identity; what is out of range is kept apart."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest

from tests.warehouse.wire import METRICS, Server, one


def _point(kind: str, name: str, **columns: Any) -> dict[str, Any]:
    now = f"{time.time_ns() / 1e9:.9f}"
    row = {"MetricName": name, "ServiceName": "svc", "TimeUnix": now, "StartTimeUnix": now, "Attributes": {"a": "1"}}
    return row | METRICS[kind] | columns


def _log(**columns: Any) -> dict[str, Any]:
    row = {"Timestamp": f"{time.time_ns() / 1e9:.9f}", "Body": "hello", "ServiceName": "svc", "SeverityNumber": 17}
    return row | columns


def test_logs(server: Server) -> None:
    """A log is typed, joined by trace and span, and known by its uid; a severity without text is spelled."""
    attributes = {"log.record.uid": "u-1", "spyglass.project": "p", "my.own": "kept"}
    row = _log(LogAttributes=attributes, TraceId="t-log", SpanId="s-log", EventName="my.event")
    for body in ("first", "second"):
        assert server.insert("otel_logs", [row | {"Body": body}]).status == 200
    found = one(server, "SELECT * FROM logs WHERE trace_id = 't-log'")
    expected = {
        "log_id": "u-1",
        "body": "second",
        "severity": "ERROR",
        "severity_number": 17,
        "event_name": "my.event",
        "organization": "default",
        "project": "p",
        "span_id": "s-log",
        "attributes": {"my.own": "kept"},
    }
    assert {name: found[name] for name in expected} == expected


def test_logs_without_uid(server: Server) -> None:
    """Without a uid a log is known by all that it says: the same again is one, another body is another."""
    moment = f"{time.time_ns() / 1e9:.9f}"
    rows = [_log(ServiceName="no-uid", Timestamp=moment, Body=body) for body in ("a", "b")]
    for batch in (rows, rows[:1], list(reversed(rows))):
        assert server.insert("otel_logs", batch).status == 200
    assert (
        server.sql(
            "SELECT groupArray(body) FROM (SELECT body FROM logs WHERE service = 'no-uid' ORDER BY body)", "reader"
        )
        == "['a','b']"
    )


def test_log_of_1970_is_a_dead_letter(server: Server) -> None:
    """A log without any time, which the exporter sends as 1970, is kept apart."""
    assert server.insert("otel_logs", [_log(Timestamp="1970-01-01 00:00:00", Body="timeless")]).status == 200
    found = server.sql(
        "SELECT reason FROM dead_letters WHERE table_name = 'otel_logs' AND body LIKE '%timeless%'", "reader"
    )
    assert "before 2000" in found


@pytest.mark.parametrize("kind", METRICS)
def test_metric_points(server: Server, kind: str) -> None:
    """A point keeps the exporter's columns; again in another batch it replaces itself; another series is another."""
    row = _point(kind, f"m.{kind}", ResourceAttributes={"spyglass.organization": "acme"})
    other = row | {"Attributes": {"a": "2"}}
    table = f"otel_metrics_{kind}"
    for batch in ([row], [row, other], [other, row]):
        assert server.insert(table, batch).status == 200
    points = server.client("reader").rows(
        f"SELECT * FROM metrics_{kind} WHERE MetricName = {{m:String}}", m=row["MetricName"]
    )
    assert len(points) == 2
    assert len({point["series_id"] for point in points}) == 2
    assert {point["organization"] for point in points} == {"acme"}
    assert {name: points[0][name] for name in METRICS[kind]} == METRICS[kind]


@pytest.mark.parametrize("kind", METRICS)
def test_metric_point_of_2100_is_a_dead_letter(server: Server, kind: str) -> None:
    """A point from the far future is kept apart; the rest of its batch is stored."""
    rows = [_point(kind, f"future.{kind}", TimeUnix="4102444800.0"), _point(kind, f"present.{kind}")]
    assert server.insert(f"otel_metrics_{kind}", rows).status == 200
    assert (
        server.sql(
            f"SELECT MetricName FROM metrics_{kind} WHERE MetricName LIKE '%ent.{kind}' OR MetricName LIKE 'fut%'",
            "reader",
        )
        == f"present.{kind}"
    )
    letters = server.sql(
        f"SELECT count() FROM dead_letters WHERE table_name = 'otel_metrics_{kind}' AND source = 'row'", "reader"
    )
    assert letters == "1"


def test_series_does_not_depend_on_the_order_of_attributes(server: Server) -> None:
    """The same attributes in another order are the same series."""
    row = _point("gauge", "ordered")
    rows = [row | {"Attributes": {"a": "1", "b": "2"}}, row | {"Attributes": {"b": "2", "a": "1"}}]
    for each in rows:
        server.insert("otel_metrics_gauge", [each])
    assert server.sql("SELECT count() FROM metrics_gauge WHERE MetricName = 'ordered'", "reader") == "1"


def test_nan_and_infinity_are_values(server: Server) -> None:
    """NaN and infinities are stored as what they are."""
    sql = (
        "SELECT 'odd.' || toString(n) AS MetricName, now64(9) AS TimeUnix, [nan, inf, -inf][n] AS Value "
        "FROM (SELECT arrayJoin([1, 2, 3]) AS n)"
    )
    block = server.post(f"{sql} FORMAT Native").body
    text = "INSERT INTO spyglass.otel_metrics_gauge (MetricName, TimeUnix, Value) FORMAT Native"
    assert server.post(block, "collector", query=text).status == 200
    found = server.client("reader").rows(
        "SELECT Value FROM metrics_gauge WHERE MetricName LIKE 'odd.%' ORDER BY MetricName"
    )
    values = [row["Value"] for row in found]
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, -math.inf]
