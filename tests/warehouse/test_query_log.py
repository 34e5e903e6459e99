"""The log of queries: who asked what, how long it took, what came of it, and what it leaves out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spyglass.warehouse import metrics, query_log
from spyglass.warehouse.auth import User
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.engine import Engine
from spyglass.warehouse.query_log import MOST_WAITING, Entry, QueryLog
from tests.warehouse.command import spyglass
from tests.warehouse.wire import PASSWORDS, Server, span

_SECRET = "data-that-is-no-business-of-a-log"


def _logged(server: Server, statement: str, rows: int = 1) -> list[dict[str, Any]]:
    """Return the log's rows about statements that contain a text, once so many are there."""
    sql = (
        "SELECT * FROM spyglass.query_log WHERE position(statement, {text:String}) > 0 "
        "AND position(statement, 'query_log') = 0 ORDER BY at"
    )
    deadline = time.monotonic() + 30
    while len(found := server.client().rows(sql, text=statement)) < rows:
        assert time.monotonic() < deadline, server.log
        time.sleep(0.1)
    return found


def _machinery(server: Server) -> Warehouse:
    quiet = {"log_queries_min_query_duration_ms": 1_000}
    return Warehouse(f"http://127.0.0.1:{server.port}", "admin", PASSWORDS["admin"], quiet)


def test_a_question_is_one_row(own_server: Server) -> None:
    """The row says who asked what with which client, when, and what it read and gave, as the answer's headers say."""
    sql = "SELECT number FROM numbers(1000) WHERE number % 10 = 0 -- one row"
    before = time.time()
    answer = own_server.post(sql, "reader", {"User-Agent": "notebook/1"}, query_id="mine")
    (row,) = _logged(own_server, "-- one row")
    assert (row["query_id"], row["user"], row["kind"], row["error_code"]) == ("mine", "reader", "SELECT", 0)
    assert (row["statement"], row["client"]) == (sql, "notebook/1")
    assert (row["read_rows"], row["read_bytes"], row["written_rows"]) == (1000, 8000, 0)
    assert (row["result_rows"], row["answer_bytes"]) == (100, len(answer.body))
    assert before - 1 < row["at"].timestamp() < time.time() + 1
    assert 0 < row["duration_ms"] < 60_000
    summary = json.loads(answer.headers["x-clickhouse-summary"])
    assert (summary["read_rows"], summary["result_rows"]) == ("1000", "100")


def test_a_stream_is_counted_to_its_end(own_server: Server) -> None:
    """What a streamed answer read and gave is whole in the log, though its headers could not know it."""
    answer = own_server.post("SELECT number FROM numbers(500000) -- long", "reader")
    (row,) = _logged(own_server, "-- long")
    assert (row["read_rows"], row["result_rows"], row["answer_bytes"]) == (500_000, 500_000, len(answer.body))


def test_failures_have_their_code(own_server: Server) -> None:
    """An error before and one within the answer are in the log; what nobody knows of them is NULL."""
    own_server.post("SELECT nope_1", "reader")
    own_server.post("SELECT file('nope_1')", "reader")
    own_server.post("SELECT throwIf(number = 3000000, 'nope_1'), number FROM numbers(4000000)", "reader")
    rows = {row["error_code"]: row for row in _logged(own_server, "nope_1", rows=3)}
    assert set(rows) == {47, 497, 395}
    assert rows[497]["read_rows"] is None
    assert rows[497]["result_rows"] is None
    assert rows[395]["answer_bytes"] > 1_000_000


def test_data_of_inserts_is_never_logged(own_server: Server) -> None:
    """Of an insert the head is kept, wherever its data stands and whether it can be stored or not."""
    own_server.sql("CREATE TABLE IF NOT EXISTS spyglass.logged (a String) ENGINE = Memory")
    for sql, data in (
        (f"INSERT INTO logged VALUES ('{_SECRET}')", ""),
        (f"INSERT INTO logged (a) FORMAT CSV {_SECRET}", ""),
        ("INSERT INTO logged FORMAT JSONEachRow", f'{{"a": "{_SECRET}"}}'),
        (f"INSERT INTO nope_2 VALUES ('{_SECRET}')", ""),
        (f"insert into logged (* except nope_3) values ('{_SECRET}')", ""),
        (f"INSERT INTO FUNCTION null('a String') VALUES ('{_SECRET}')", ""),
    ):
        for user in ("admin", "reader"):
            own_server.post(data, user, query=sql) if data else own_server.post(sql, user)
    own_server.post("SELECT 'after the inserts'", "reader")
    _logged(own_server, "after the inserts")
    rows = own_server.client().rows("SELECT statement, user FROM spyglass.query_log WHERE kind = 'INSERT'")
    assert len(rows) >= 12
    assert not [row for row in rows if _SECRET in row["statement"]]
    assert own_server.sql(f"SELECT count() FROM logged WHERE a = '{_SECRET}'") == "4"
    own_server.sql("DROP TABLE spyglass.logged")


def test_what_is_left_out(own_server: Server) -> None:
    """The collector's inserts and the machinery's quick statements are not logged; what fails or is slow is."""
    own_server.insert("otel_traces", [span(1)])
    own_server.post("SELECT file('collector_4')", "collector")
    machinery = _machinery(own_server)
    machinery.execute("SELECT 'quick_4'")
    with pytest.raises(Exception, match="nope_4"):
        machinery.execute("SELECT nope_4")
    machinery.execute("SELECT 'slow_4', sleep(1.1)")
    _logged(own_server, "slow_4")
    rows = own_server.client().rows(
        "SELECT user, statement FROM spyglass.query_log WHERE position(statement, '_4') > 0"
    )
    seen = {(row["user"], word) for row in rows for word in ("collector_4", "quick_4", "nope_4", "slow_4")
            if word in row["statement"] and "query_log" not in row["statement"]}  # fmt: skip
    assert seen == {("collector", "collector_4"), ("admin", "nope_4"), ("admin", "slow_4")}
    assert own_server.sql("SELECT count() FROM spyglass.query_log WHERE user = 'collector' AND kind = 'INSERT'") == "0"


def test_a_reader_cannot_leave_its_statements_out(own_server: Server) -> None:
    """The setting by which machinery stays out of the log is the admin's."""
    for name in ("log_queries_min_query_duration_ms", "log_queries"):
        answer = own_server.post("SELECT 1", "reader", None, **{name: "0"})
        assert answer.headers["x-clickhouse-exception-code"] == "164"


def test_only_the_admin_reads_it(own_server: Server) -> None:
    """What others asked is not for the reader, nor for the collector, directly or by a view."""
    for user in ("reader", "collector"):
        assert own_server.post("SELECT * FROM spyglass.query_log", user).status == 403
        assert own_server.post("SELECT count() FROM query_log", user).status == 403


def test_long_statements_are_cut(own_server: Server) -> None:
    """A thousand characters are kept, and bytes that are no text do no harm."""
    own_server.post("SELECT '" + "é" * 2_000 + "' -- long_5", "reader")
    own_server.post(b"SELECT 'broken_5', '\xff\xfe'", "reader")
    (broken,) = _logged(own_server, "broken_5")
    assert broken["error_code"] == 0
    (cut,) = own_server.client().rows("SELECT statement FROM spyglass.query_log WHERE position(statement, 'éé') > 0")
    assert cut["statement"] == "SELECT '" + "é" * 992


def test_stopping_writes_what_waits(new_server: Callable[..., Server]) -> None:
    """The last statements before a stop are in the log after the next start, which keeps it as long as is set."""
    server = new_server(retention_query_log_days="3").start()
    server.sql("SELECT 'the last words'", "reader")
    assert server.stop() == 0
    server.start()
    assert len(_logged(server, "the last words")) == 1
    engine = server.sql("SELECT engine_full FROM system.tables WHERE database = 'spyglass' AND name = 'query_log'")
    assert "toIntervalDay(3)" in engine


def test_a_table_that_cannot_be_written_costs_no_answer(new_server: Callable[..., Server]) -> None:
    """Without its table the log drops and counts what comes; questions are answered as before."""
    server = new_server().start()
    server.sql("DROP TABLE spyglass.query_log SYNC")
    assert server.sql("SELECT 1", "reader") == "1"
    deadline = time.monotonic() + 30
    while 'query_log_rows_total{outcome="dropped"}' not in server.get("/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "rows of the query log are lost" in server.log
    assert server.sql("SELECT 2", "reader") == "2"


def test_a_full_buffer_drops_and_counts(tmp_path: Path) -> None:
    """While nothing can be written, only so many entries wait."""
    waiting = QueryLog(Engine(tmp_path, "process"))
    dropped = metrics.QUERY_LOG_ROWS.labels("dropped")
    before = dropped._value.get()
    entry = Entry(query_log.now(), "q", "reader", "SELECT", 1.0, 0, 0, "SELECT 1", "")
    for _ in range(MOST_WAITING + 7):
        waiting.add(entry)
    assert dropped._value.get() - before == 7


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1", "SELECT"),
        (" -- x\n with 1 as a select a", "SELECT"),
        ("(SELECT 1)", "SELECT"),
        ("FROM spans SELECT 1", "SELECT"),
        ("show tables", "SHOW"),
        ("Insert into a select 1", "INSERT"),
        ("whatever", "OTHER"),
        ("", "OTHER"),
        ("'", "OTHER"),
    ],
)
def test_kinds(sql: str, kind: str) -> None:
    """The kind is the first word, whatever its case; other words than ClickHouse's are one kind."""
    assert query_log.kind_of(sql) == kind


@pytest.mark.parametrize(
    ("user", "kind", "milliseconds", "code", "kept"),
    [
        (User.READER, "SELECT", 1.0, 0, True),
        (User.ADMIN, "SELECT", 999.0, 0, False),
        (User.ADMIN, "SELECT", 1_000.0, 0, True),
        (User.ADMIN, "INSERT", 1.0, 60, True),
        (User.COLLECTOR, "SELECT", 9_999.0, 0, False),
        (User.COLLECTOR, "SELECT", 1.0, 497, True),
        (User.COLLECTOR, "INSERT", 1.0, 497, False),
    ],
)
def test_the_rule(user: User, kind: str, milliseconds: float, code: int, *, kept: bool) -> None:
    """A client's shortest time counts for the admin alone; the collector's failures do, but for inserts."""
    assert query_log.is_kept(user, kind, milliseconds, code, "1000") is kept


def test_the_command_lists_it(own_server: Server) -> None:
    """Statements come newest first, slow ones slowest first, and can be chosen by user and by failure."""
    own_server.post("SELECT 'listed_6'", "reader")
    own_server.post("SELECT nope_6", "reader")
    own_server.post("SELECT sleep(1.2), 'listed_6'", "admin")
    own_server.post("SELECT sleep(2), 'listed_6'", "admin")
    _logged(own_server, "_6", rows=4)

    def listed(*words: str) -> list[dict[str, Any]]:
        done = spyglass(own_server, "warehouse", "queries", "--json", *words)
        assert (done.returncode, done.stderr) == (0, "")
        return [json.loads(line) for line in done.stdout.splitlines()]

    every = listed("--limit", "500")
    assert [row["at"] for row in every] == sorted((row["at"] for row in every), reverse=True)
    assert len(listed("--limit", "2")) == 2
    assert {row["user"] for row in listed("--user", "reader")} == {"reader"}
    assert all(row["error_code"] for row in listed("--failed"))
    slow = [row for row in listed("--slow") if "_6" in row["statement"]]
    assert [row["statement"] for row in slow] == ["SELECT sleep(2), 'listed_6'", "SELECT sleep(1.2), 'listed_6'"]
    assert listed("--failed", "--slow", "--user", "collector") == []


def test_the_command_for_people(own_server: Server) -> None:
    """Without --json each statement is a line; a log without one says so; a limit of 0 is misuse."""
    own_server.post("SELECT nope_7\nFROM somewhere", "reader")
    _logged(own_server, "nope_7")
    done = spyglass(own_server, "warehouse", "queries", "--failed", "--limit", "1")
    assert done.returncode == 0
    assert "reader" in done.stdout
    assert done.stdout.rstrip().endswith("SELECT nope_7 FROM somewhere")
    empty = spyglass(own_server, "warehouse", "queries", "--user", "collector", "--slow")
    assert (empty.returncode, empty.stdout) == (0, "")
    assert "no such statement" in empty.stderr
    assert spyglass(own_server, "warehouse", "queries", "--limit", "0").returncode == 2
