"""Inserts of the collector: grouped, durable, exact; what can never be stored is kept apart."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.warehouse.wire import Answer, Server, span

TEXTS = (
    "a\n\nDROP TABLE spyglass.spans\n",
    "x\n\n; SELECT 1;\n\n",
    "\n\n",
    "'); DROP TABLE spyglass.spans; --",
    "FORMAT Native\n\n",
    "\x00\x01\n\n\xff",
)


def _send(server: Server, table: str, blocks: Sequence[bytes]) -> list[Answer]:
    """Send all blocks at the same time."""
    columns = server.columns(table)
    barrier = threading.Barrier(len(blocks))
    text = f'INSERT INTO "spyglass"."{table}" ({", ".join(columns)}) FORMAT Native'

    def send(block: bytes) -> Answer:
        barrier.wait()
        return server.post(block, "collector", query=text, default_format="Native", client_protocol_version="54460")

    with ThreadPoolExecutor(len(blocks)) as threads:
        return list(threads.map(send, blocks))


def _commits(server: Server, table: str) -> int:
    found = re.search(rf'commit_seconds_count{{table="{table}"}} ([\d.]+)', server.get("/metrics").text)
    return int(float(found[1])) if found else 0


def _count(server: Server, where: str) -> int:
    return int(server.sql(f"SELECT count() FROM spyglass.spans WHERE {where}", "reader"))


def test_many_small_inserts_become_few_commits(server: Server) -> None:
    """A hundred bodies that come together are all stored, by far fewer inserts of the engine."""
    blocks = [server.block("otel_traces", [span(1000 + n, ServiceName="many")]) for n in range(100)]
    before = _commits(server, "otel_traces")
    answers = _send(server, "otel_traces", blocks)
    assert {answer.status for answer in answers} == {200}
    assert {answer.body for answer in answers} == {b""}
    assert _count(server, "service = 'many'") == 100
    assert _commits(server, "otel_traces") - before < 30


def test_an_answer_means_stored(server: Server) -> None:
    """Rows can be read as soon as their insert is answered."""
    for number in range(5):
        server.insert("otel_traces", [span(2000 + number, ServiceName="stored")])
        assert _count(server, "service = 'stored'") == number + 1


@pytest.mark.parametrize("text", TEXTS)
def test_data_is_never_run(server: Server, text: str) -> None:
    """Blank lines and statements inside of data are data: stored byte by byte, nothing behind them is lost or run."""
    number = 3000 + TEXTS.index(text)
    rows = [span(number * 10 + n, {"note": text}, SpanName=text, StatusMessage=text) for n in range(3)]
    assert server.insert("otel_traces", rows).status == 200
    where = f"trace_id IN ({', '.join(repr(row['TraceId']) for row in rows)})"
    found = server.client("reader").rows(
        "SELECT hex(name) AS name, hex(status_message) AS message, hex(attributes['note']) AS note "
        f"FROM spans WHERE {where}"
    )
    expected = text.encode().hex().upper()
    assert found == [{"name": expected, "message": expected, "note": expected}] * 3


def test_a_poison_body_harms_no_other(server: Server) -> None:
    """One broken body among many goes to the dead letters, answered as stored; the others are stored."""
    good = [server.block("otel_traces", [span(4000 + n, ServiceName="beside-poison")]) for n in range(20)]
    poison = good[0][: len(good[0]) // 2]
    answers = _send(server, "otel_traces", [*good[:10], poison, *good[10:]])
    assert {answer.status for answer in answers} == {200}, [answer.text for answer in answers]
    assert _count(server, "service = 'beside-poison'") == 20
    letters = server.client("reader").rows(
        "SELECT table_name, source, error_code, bytes, column_names, reason, hex(body) AS body FROM dead_letters "
        "WHERE source = 'insert' AND bytes = {size:UInt64}",
        size=len(poison),
    )
    assert [letter["body"] for letter in letters] == [poison.hex().upper()]
    assert letters[0]["table_name"] == "otel_traces"
    assert letters[0]["error_code"] in (32, 33)
    assert letters[0]["column_names"].startswith("Timestamp, TraceId")
    assert letters[0]["reason"]
    assert 'spyglass_warehouse_inserts_total{outcome="dead_letter",table="otel_traces"}' in server.get("/metrics").text


def test_a_poison_body_again_is_one_letter(server: Server) -> None:
    """A dead letter that comes again replaces itself."""
    for _ in range(2):
        assert server.insert_block("otel_logs", b"\x10\x01garbage").status == 200
    count = "SELECT count() FROM dead_letters WHERE table_name = 'otel_logs' AND source = 'insert'"
    assert server.sql(count, "reader") == "1"


def test_wrong_types_are_a_dead_letter(server: Server) -> None:
    """A block whose columns have other types, which no conversion fits, is kept apart with the engine's reason."""
    block = server.post("SELECT 'no time' AS Timestamp, [1] AS TraceId FORMAT Native").body
    text = "INSERT INTO spyglass.otel_traces (Timestamp, TraceId) FORMAT Native"
    assert server.post(block, "collector", query=text).status == 200
    found = server.sql("SELECT count() FROM dead_letters WHERE column_names = 'Timestamp, TraceId'", "reader")
    assert found == "1"


def test_an_empty_body_is_not_passed_over(server: Server) -> None:
    """clickhouse-go sends nothing when it cannot encode its rows: that is seen, not answered as if all were well."""
    assert server.insert_block("otel_metrics_sum", b"").status == 200
    letters = server.client("reader").rows("SELECT rows, bytes FROM dead_letters WHERE table_name = 'otel_metrics_sum'")
    assert letters == [{"rows": 0, "bytes": 0}]


def test_unknown_column_waits(server: Server) -> None:
    """A column that the table lacks may come with a migration: the sender keeps its data."""
    block = server.post("SELECT 'x' AS Nope FORMAT Native").body
    answer = server.post(block, "collector", query="INSERT INTO spyglass.otel_traces (Nope) FORMAT Native")
    assert answer.status == 503
    assert "Nope" in answer.text


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO spyglass.spans (name) FORMAT Native",
        "INSERT INTO system.one (dummy) FORMAT Native",
        "INSERT INTO other.otel_traces (TraceId) FORMAT Native",
        "INSERT INTO spyglass.otel_traces FORMAT Native",
        "INSERT INTO spyglass.otel_traces (TraceId) FORMAT CSV",
        "INSERT INTO FUNCTION file('x') FORMAT Native",
        "INSERT INTO spyglass.otel_traces (TraceId) SELECT 1",
    ],
)
def test_collector_inserts_into_landing_tables_only(server: Server, text: str) -> None:
    """The collector's user writes Native blocks with their columns into landing tables, and nothing else."""
    assert server.post(b"\x00", "collector", query=text).status in (400, 403, 500)


def test_a_body_of_any_number_of_weeks_is_stored(server: Server) -> None:
    """Points of 300 different weeks come in one insert; each week is a partition."""
    rows = [span(5000 + n, Timestamp=f"{1_200_000_000 + n * 604_800}.0", ServiceName="weeks") for n in range(300)]
    assert server.insert("otel_traces", rows).status == 200
    assert _count(server, "service = 'weeks'") == 300


def test_a_large_body_is_stored(server: Server) -> None:
    """A body far above the size of a group is stored like any other."""
    text = "x" * 1_000_000
    rows = [span(6000 + n, {"gen_ai.input.messages": f"{n}{text}"}, ServiceName="large") for n in range(12)]
    for row in rows:
        block = server.block("otel_traces", [row])
        assert server.insert_block("otel_traces", block * 8).status == 200
    assert _count(server, "service = 'large'") == 12


def test_full_queue_is_503(new_server: Callable[..., Server]) -> None:
    """When more waits than the setting allows, senders are asked to come again; a body alone is always taken."""
    server = new_server(warehouse_queue_mb="1").start()
    large = {"gen_ai.input.messages": "x" * 900_000}
    blocks = [server.block("otel_traces", [span(n, large)]) for n in range(1, 9)]
    assert server.insert_block("otel_traces", b"".join(blocks)).status == 200
    assert _count(server, "1") == 8
    answers = _send(server, "otel_traces", [server.block("otel_traces", [span(n, large)]) for n in range(20, 40)])
    statuses = [answer.status for answer in answers]
    assert set(statuses) == {200, 503}
    refused = next(answer for answer in answers if answer.status == 503)
    assert refused.headers["x-clickhouse-exception-code"] == "745"
    assert _count(server, "1") == 8 + statuses.count(200)
    assert "spyglass_warehouse_queue_bytes 0.0" in server.get("/metrics").text


def test_admins_errors_go_back(server: Server) -> None:
    """Other users' inserts are not grouped, and a broken one is their error, not a dead letter."""
    answer = server.post(b"\x10\x01garbage", query="INSERT INTO spyglass.otel_logs (Body) FORMAT Native")
    assert answer.status >= 400
    assert answer.headers["x-clickhouse-exception-code"] != "0"
