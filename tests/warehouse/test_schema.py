"""Spans become typed rows, each with an identity; what is out of range is kept apart."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.warehouse.wire import METRICS, Server, one, span, usage

ATTRIBUTES = {
    "spyglass.kind": "llm",
    "spyglass.organization": "acme",
    "spyglass.execution.id": "e1",
    "spyglass.dialect": "openinference",
    "spyglass.framework": "crewai",
    "spyglass.framework.version": "1.15.2",
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.agent.name": "planner",
    "gen_ai.usage.input_tokens": "1200",
    "gen_ai.usage.output_tokens": "300",
    "gen_ai.usage.cache_read.input_tokens": "200",
    "spyglass.usage.source": "reported",
    "spyglass.cost.amount": "0.00123",
    "spyglass.queue.wait": "0.25",
    "gen_ai.response.time_to_first_chunk": "0.125",
    "gen_ai.response.finish_reasons": '["stop","length"]',
    "gen_ai.request.stream": "true",
    "gen_ai.input.messages": "[in]",
    "gen_ai.output.messages": "[out]",
    "gen_ai.system_instructions": "[system]",
    "llm.input_messages.0.message.content": "foreign",
    "my.own": "kept",
}
RESOURCE = {"service.version": "1.2", "service.instance.id": "i-1", "deployment.environment.name": "prod"}
EVENTS: dict[str, Any] = {
    "Events.Timestamp": ["1700000000.5"],
    "Events.Name": ["exception"],
    "Events.Attributes": [{"k": "v"}],
}
LINKS: dict[str, Any] = {
    "Links.TraceId": ["t"],
    "Links.SpanId": ["s"],
    "Links.TraceState": [""],
    "Links.Attributes": [{}],
}
EXPECTED = {
    "organization": "acme",
    "project": "default",
    "environment": "prod",
    "service": "planner-service",
    "release": "1.2",
    "instance": "i-1",
    "demo": False,
    "duration_ns": 1_000_000,
    "parent_span_id": "p1",
    "execution_id": "e1",
    "kind": "llm",
    "name": "chat gpt-4o",
    "span_kind": "Client",
    "dialect": "openinference",
    "framework": "crewai",
    "framework_version": "1.15.2",
    "status": "error",
    "operation": "chat",
    "provider": "openai",
    "request_model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "model": "gpt-4o-2024-08-06",
    "agent": "planner",
    "input_tokens": 1200,
    "output_tokens": 300,
    "cache_read_tokens": 200,
    "cache_write_tokens": None,
    "reasoning_tokens": None,
    "usage_source": "reported",
    "reported_cost_nano_usd": 1_230_000,
    "queue_wait_seconds": 0.25,
    "time_to_first_token_seconds": 0.125,
    "finish_reasons": ["stop", "length"],
    "stream": True,
    "defects": {},
    "events.name": ["exception"],
    "events.attributes": [{"k": "v"}],
    "links.trace_id": ["t"],
}


def test_span_columns(server: Server) -> None:
    """Each attribute of the vocabulary is in its column; the others stay in the map, texts go to span_content."""
    row = span(
        10_001, ATTRIBUTES, ResourceAttributes=RESOURCE, ParentSpanId="p1", StatusCode="Error", **EVENTS, **LINKS
    )
    assert server.insert("otel_traces", [row]).status == 200
    found = one(server, "SELECT * FROM spans WHERE trace_id = {t:String}", t=row["TraceId"])
    assert {name: found[name] for name in EXPECTED} == EXPECTED
    assert found["span_id"] == row["SpanId"]
    assert "my.own" in found["attributes"]
    assert not any(
        "messages" in name or (name in ATTRIBUTES and name != "my.own" and name in EXPECTED)
        for name in found["attributes"]
    )
    content = one(server, "SELECT * FROM span_content WHERE trace_id = {t:String}", t=row["TraceId"])
    assert (content["input"], content["output"], content["system"], content["kind"]) == (
        "[in]",
        "[out]",
        "[system]",
        "llm",
    )
    assert content["attributes"] == {"llm.input_messages.0.message.content": "foreign"}


def test_absent_stays_absent(server: Server) -> None:
    """What the emitter does not report is empty or NULL, never 0; only organization and project read default."""
    row = span(10_002)
    row["SpanAttributes"] = {}
    server.insert("otel_traces", [row])
    found = one(server, "SELECT * FROM spans WHERE trace_id = {t:String}", t=row["TraceId"])
    nullable = ("input_tokens", "output_tokens", "cost_nano_usd", "reported_cost_nano_usd", "queue_wait_seconds")
    assert [found[name] for name in nullable] == [None] * 5
    assert (found["organization"], found["project"], found["kind"]) == ("default", "default", "unknown")
    assert (found["cost_source"], found["usage_source"], found["model"], found["environment"]) == ("", "", "", "")
    assert server.sql(f"SELECT count() FROM span_content WHERE trace_id = '{row['TraceId']}'", "reader") == "0"


@pytest.mark.parametrize("value", ["-5", "10000000000", "1000000001", "99999999999999999999999", "12.5", "many", "NaN"])
def test_absurd_tokens_are_unknown_and_countable(server: Server, value: str) -> None:
    """A count that cannot be one is NULL; what was reported is in ``defects``, by column. Other rows are unharmed."""
    number = 11_000 + sum(value.encode())
    rows = [span(number, usage(input=value, output=7)), span(number + 1_000_000, usage(input=5, output=7))]
    assert server.insert("otel_traces", rows).status == 200
    found = one(server, "SELECT * FROM spans WHERE trace_id = {t:String}", t=rows[0]["TraceId"])
    assert (found["input_tokens"], found["output_tokens"]) == (None, 7)
    assert found["defects"] == {"input_tokens": value}
    assert (found["cost_nano_usd"], found["cost_source"]) == (None, "unpriced")
    other = one(server, "SELECT * FROM spans WHERE trace_id = {t:String}", t=rows[1]["TraceId"])
    assert (other["input_tokens"], other["defects"]) == (5, {})


def test_largest_token_count(server: Server) -> None:
    """A billion tokens is the most that is believed."""
    row = span(12_001, usage(input=1_000_000_000, output=0))
    server.insert("otel_traces", [row])
    found = one(server, "SELECT input_tokens, output_tokens FROM spans WHERE trace_id = {t:String}", t=row["TraceId"])
    assert found == {"input_tokens": 1_000_000_000, "output_tokens": 0}


def test_span_that_ends_before_it_starts(server: Server) -> None:
    """The exporter's duration wraps around; it is 0 and marked, not 584 years."""
    row = span(12_002, Duration=2**64 - 1000)
    server.insert("otel_traces", [row])
    found = one(server, "SELECT duration_ns, defects FROM spans WHERE trace_id = {t:String}", t=row["TraceId"])
    assert found == {"duration_ns": 0, "defects": {"duration_ns": str(2**64 - 1000)}}


def test_span_again_in_another_batch_replaces(server: Server) -> None:
    """The same span in other batches, beside others and twice in one, counts once, at once."""
    first, second, third = (span(13_000 + n, usage(input=10, output=10), ServiceName="again") for n in range(3))
    for batch in ([first, second], [second, third], [third, third, first], [first]):
        assert server.insert("otel_traces", batch).status == 200
    found = one(server, "SELECT count() AS spans, sum(input_tokens) AS tokens FROM spans WHERE service = 'again'")
    assert found == {"spans": 3, "tokens": 30}


def test_a_replaced_span_is_not_found_by_what_it_was(server: Server) -> None:
    """A question for what a span said before it came again finds nothing, however its rows lie in parts."""
    row = span(13_100, {"gen_ai.agent.name": "old"})
    for name in ("old", "new"):
        row["SpanAttributes"]["gen_ai.agent.name"] = name
        assert server.insert("otel_traces", [row]).status == 200
    asked = "SELECT count() AS spans FROM spans WHERE agent = {a:String} AND trace_id = {t:String}"
    found = [one(server, asked, a=name, t=row["TraceId"])["spans"] for name in ("old", "new")]
    assert found == [0, 1]


@pytest.mark.parametrize(
    ("number", "moment", "reason"),
    [
        (14_000, "1970-01-01 00:00:00", "before 2000"),
        (14_001, "946684799.999999999", "before 2000"),
        (14_002, "4102444800.0", "more than an hour ahead"),
    ],
)
def test_span_out_of_range_is_a_dead_letter(server: Server, number: int, moment: str, reason: str) -> None:
    """A span from before 2000 or more than an hour ahead is kept as JSON with the reason; its batch is stored."""
    rows = [
        span(number, {"k": "v"}, Timestamp=moment, ServiceName="odd"),
        span(number + 500_000, ServiceName="odd-beside"),
    ]
    for _ in range(2):
        assert server.insert("otel_traces", rows).status == 200
    letters = server.client("reader").rows(
        "SELECT source, table_name, rows, reason, body FROM dead_letters WHERE body LIKE {id:String}",
        id=f"%{rows[0]['TraceId']}%",
    )
    assert len(letters) == 1
    assert (letters[0]["source"], letters[0]["table_name"], letters[0]["rows"]) == ("row", "otel_traces", 1)
    assert reason in letters[0]["reason"]
    assert json.loads(letters[0]["body"])["SpanAttributes"]["k"] == "v"
    assert server.sql(f"SELECT count() FROM spans WHERE trace_id = '{rows[0]['TraceId']}'", "reader") == "0"
    assert server.sql(f"SELECT count() FROM spans WHERE trace_id = '{rows[1]['TraceId']}'", "reader") == "1"


def test_span_of_nearly_an_hour_ahead_is_stored(server: Server) -> None:
    """Clocks differ; up to an hour ahead is believed."""
    row = span(14_900, Timestamp=f"{time.time() + 3500:.9f}")
    server.insert("otel_traces", [row])
    assert server.sql(f"SELECT count() FROM spans WHERE trace_id = '{row['TraceId']}'", "reader") == "1"


def test_invalid_utf8_is_kept(server: Server) -> None:
    """Bytes that are no text are stored as they came, in columns, maps and dead letters."""
    sql = (
        "SELECT now64(9) AS Timestamp, unhex('FFFE') AS TraceId, unhex('C328') AS SpanName, "
        "map('k', unhex('FF'))::Map(LowCardinality(String), String) AS SpanAttributes"
    )
    text = "INSERT INTO spyglass.otel_traces (Timestamp, TraceId, SpanName, SpanAttributes) FORMAT Native"
    for moment in ("now64(9)", "toDateTime64(0, 9)"):
        block = server.post(sql.replace("now64(9)", moment) + " FORMAT Native").body
        assert server.post(block, "collector", query=text).status == 200
    found = server.sql("SELECT hex(name), hex(attributes['k']) FROM spans WHERE trace_id = unhex('FFFE')", "reader")
    assert found == "C328\tFF"
    assert server.sql("SELECT count() FROM dead_letters WHERE position(body, unhex('C328')) > 0", "reader") == "1"


def test_ten_thousand_attributes(server: Server) -> None:
    """A span with 10,000 attributes is stored with all of them."""
    row = span(15_001, {f"k{n}": str(n) for n in range(10_000)})
    assert server.insert("otel_traces", [row]).status == 200
    assert server.sql(f"SELECT length(attributes) FROM spans WHERE trace_id = '{row['TraceId']}'", "reader") == "10000"


def test_every_table_of_the_contract_exists(server: Server) -> None:
    """Tables that other parts query are there, with an engine that replaces what comes again."""
    expected = {"spans", "span_content", "logs", "evaluations", "dead_letters", "model_prices", "alert_notifications"}
    expected |= {f"metrics_{kind}" for kind in METRICS}
    found = server.client("reader").rows("SELECT name, engine FROM system.tables WHERE database = 'spyglass'")
    engines = {row["name"]: row["engine"] for row in found}
    assert {name: engines[name] for name in expected} == dict.fromkeys(expected, "ReplacingMergeTree")


def test_retention_follows_the_settings(server: Server) -> None:
    """The days that a table keeps its rows are those of the settings, counted from arrival."""
    engines = server.client().rows("SELECT name, engine_full FROM system.tables WHERE database = 'spyglass'")
    ttl = {row["name"]: row["engine_full"] for row in engines}
    assert "toDateTime(ingested_at) + toIntervalDay(30)" in ttl["span_content"]
    assert "toDateTime(ingested_at) + toIntervalDay(90)" in ttl["spans"]
    assert "toDateTime(ingested_at) + toIntervalDay(90)" in ttl["evaluations"]


HELD = {
    "spyglass.cost.amount": ["0.00123", "0.00000123", "12", "0"],
    "gen_ai.response.time_to_first_chunk": ["0.125", "0.834411", "2"],
    "gen_ai.response.finish_reasons": ['["stop","length"]', '["stop"]', "stop"],
}
# More digits than the column has, another way to write the number, no number at all, what a list of texts cannot give.
NOT_HELD = {
    "spyglass.cost.amount": ["0.0000000001", "0.00123000", "1e-3", "free", "-1", ""],
    "gen_ai.response.time_to_first_chunk": ["0.1250", "0.12345678901234567890", "soon", "-0.5", "nan"],
    "gen_ai.response.finish_reasons": ['["stop", "length"]', '["stop",1]', "[]", "[broken", ""],
}


@pytest.mark.parametrize(("values", "kept"), [(HELD, False), (NOT_HELD, True)])
def test_attribute_that_a_column_gives_back(server: Server, values: dict[str, list[str]], *, kept: bool) -> None:
    """An attribute with a column is in the map as well only where the column would not give back the very same text."""
    pairs = [(name, value) for name, texts in values.items() for value in texts]
    rows = [span(16_000 + 100 * kept + at, {name: value, "my.own": ""}) for at, (name, value) in enumerate(pairs)]
    assert server.insert("otel_traces", rows).status == 200
    for row, (name, value) in zip(rows, pairs, strict=True):
        found = one(server, "SELECT attributes FROM spans WHERE trace_id = {t:String}", t=row["TraceId"])
        assert found["attributes"] == {"my.own": ""} | ({name: value} if kept else {}), (name, value)


def test_texts_and_numbers_come_back_as_they_were(server: Server) -> None:
    """Whatever is stored is read back the same from parts of both forms, merged or not."""
    texts = ["", "same words again " * 4_000, "\x00\n\t'", "é" * 150_000] * 30
    moments = [1_700_000_000_000_000_000 + at * step for at, step in enumerate([1, 1_000, 7, 1_000_000_000] * 30)]
    rows = [
        span(
            17_000,
            {"gen_ai.input.messages": text, "spyglass.queue.wait": str(at / 7)},
            SpanId=f"{at:016x}",
            Timestamp=f"{moments[at] // 10**9}.{moments[at] % 10**9:09}",
            Duration=2 ** (at % 60) + at,
        )
        for at, text in enumerate(texts)
    ]
    for batch in (rows[:50], rows[50:]):
        assert server.insert("otel_traces", batch).status == 200
    sql = (
        "SELECT toUnixTimestamp64Nano(timestamp) AS at, duration_ns, queue_wait_seconds, input FROM spans "
        "LEFT JOIN span_content AS c ON c.trace_id = spans.trace_id AND c.span_id = spans.span_id "
        f"WHERE spans.trace_id = '{rows[0]['TraceId']}' ORDER BY spans.span_id"
    )
    expected = [(moment, row["Duration"], at / 7) for at, (moment, row) in enumerate(zip(moments, rows, strict=True))]
    for _ in range(2):
        found = server.client("reader").rows(sql)
        assert [(row["at"], row["duration_ns"], row["queue_wait_seconds"]) for row in found] == expected
        assert [row["input"] for row in found] == texts
        for table in ("spans", "span_content"):
            server.sql(f"OPTIMIZE TABLE spyglass.{table} FINAL")
