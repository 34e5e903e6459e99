"""What a reader's questions may take: each limit is a setting, and the error names it."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import StatementError
from spyglass.warehouse import limits, replies
from spyglass.warehouse.limits import Limits, Line
from spyglass.warehouse.requests import Request
from tests.warehouse.wire import Answer, Server

_FOREVER = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"


@pytest.fixture(scope="module")
def small() -> Iterator[Server]:
    """Run a warehouse whose reader may do little."""
    few = {
        "SPYGLASS_WAREHOUSE_QUERY_SECONDS": "2",
        "SPYGLASS_WAREHOUSE_MEMORY_MB": "400",
        "SPYGLASS_WAREHOUSE_RESULT_ROWS": "100000",
        "SPYGLASS_WAREHOUSE_RESULT_MB": "8",
        "SPYGLASS_WAREHOUSE_CONCURRENT_QUERIES": "2",
    }
    running = Server(few)
    try:
        yield running.start()
    finally:
        running.remove()


@pytest.mark.parametrize(
    ("sql", "code", "setting"),
    [
        (_FOREVER, "159", "QUERY_SECONDS"),
        ("SELECT length(range(200000000))", "241", "MEMORY_MB"),
        ("SELECT number FROM numbers(1000000) FORMAT JSON", "396", "RESULT_ROWS"),
        ("SELECT repeat('x', 1000) FROM numbers(90000) FORMAT JSON", "396", "RESULT_MB"),
        ("SELECT repeat('x', 1000), number FROM numbers(90000) FORMAT CSVWithNames", "396", "RESULT_MB"),
    ],
)
def test_each_limit_names_its_setting(small: Server, sql: str, code: str, setting: str) -> None:
    """A question without limits of its own ends with the engine's code and the name of the setting."""
    answer = small.post(sql, "reader")
    assert answer.headers["x-clickhouse-exception-code"] == code
    assert f"SPYGLASS_WAREHOUSE_{setting}" in answer.text
    assert not list((small.folder / "data" / "warehouse" / "spool").iterdir())
    assert small.sql("SELECT 1", "reader") == "1"


@pytest.mark.parametrize(
    ("sql", "setting"),
    [
        ("SELECT number FROM numbers(1000000)", "RESULT_ROWS"),
        ("SELECT repeat('x', 1000) FROM numbers(90000)", "RESULT_MB"),
    ],
)
def test_streams_end_at_their_limit(small: Server, sql: str, setting: str) -> None:
    """An answer that is already on its way ends with the error, not far beyond the limit."""
    answer = small.post(sql, "reader")
    assert f"SPYGLASS_WAREHOUSE_{setting}" in answer.text[-2000:]
    assert len(answer.body) < 80 * 2**20


def test_the_admin_has_no_limits(small: Server) -> None:
    """Migrations, backups and the finaliser may take what they need."""
    assert small.sql("SELECT count() FROM (SELECT number FROM numbers(200000))") == "200000"
    assert len(small.post("SELECT number FROM numbers(200000)").body.splitlines()) == 200_000
    assert len(small.post("SELECT repeat('x', 1000) FROM numbers(20000) FORMAT JSON").body) > 20_000_000


def test_a_client_may_ask_for_less(small: Server) -> None:
    """A client's own lower limit holds, by parameter or in the statement, and its error does not blame ours."""
    for sql, parameters in (
        (_FOREVER, {"max_execution_time": "1"}),
        (f"{_FOREVER} SETTINGS max_execution_time = 1", {}),
    ):
        answer = small.post(sql, "reader", None, **parameters)
        assert answer.headers["x-clickhouse-exception-code"] == "159"
        assert "maximum: 1000" in answer.text
        assert "SPYGLASS" not in answer.text
    more = small.post("SELECT number FROM numbers(200000)", "reader", max_result_rows="1000000000")
    assert "SPYGLASS_WAREHOUSE_RESULT_ROWS" in more.text
    refused = small.post("SELECT 1 SETTINGS max_execution_time = 99", "reader")
    assert refused.headers["x-clickhouse-exception-code"] == "164"
    no_number = small.post("SELECT 1", "reader", max_execution_time="soon")
    assert no_number.headers["x-clickhouse-exception-code"] == "115"


def test_the_reader_waits_in_line_and_others_do_not(small: Server) -> None:
    """More questions than places are answered one after the other; the admin and the metrics go on meanwhile."""
    answers: list[Answer] = []
    sql = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 2"
    threads = [threading.Thread(target=lambda: answers.append(small.post(sql, "reader"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 20
    while 'queries_waiting{user="reader"} 2.0' not in (shown := small.get("/metrics").text):
        assert time.monotonic() < deadline, shown
        time.sleep(0.02)
    assert 'queries_running{user="reader"} 2.0' in shown
    assert (
        int(small.sql("SELECT count() FROM system.processes WHERE query LIKE '%= 2' AND query NOT LIKE '%LIKE%'")) <= 2
    )
    for thread in threads:
        thread.join()
    assert [answer.headers["x-clickhouse-exception-code"] for answer in answers] == ["159"] * 4


@given(limit=st.integers(0, 10**6), wished=st.integers(-(10**9), 10**9) | st.floats(allow_nan=True))
def test_no_wish_lifts_a_limit(limit: int, wished: float) -> None:
    """Whatever a client asks for, it gets a positive number within the limit, or an error; no limit stays none."""
    try:
        found = Limits(seconds=limit).lowered("max_execution_time", str(wished))
    except StatementError:
        assert not math.isfinite(wished)
        return
    assert isinstance(found, int)
    assert found >= 0
    if limit:
        assert 0 < found <= limit


def test_who_waits_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question for which no place comes free is refused with the name of the setting, and frees nothing."""
    monkeypatch.setattr(limits, "LONGEST_WAIT_SECONDS", 0.05)

    async def ask() -> StatementError:
        line, stays = Line("reader", 1), asyncio.get_running_loop().create_future()
        async with line.place(stays):
            with pytest.raises(StatementError) as caught:
                async with line.place(stays):
                    pass
        async with line.place(stays):  # the place is free again
            return caught.value

    error = asyncio.run(ask())
    assert error.code == 202
    assert "SPYGLASS_WAREHOUSE_CONCURRENT_QUERIES" in error.problem


def test_a_client_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that stops reading without going away does not keep its query for ever; its answer has no end."""
    monkeypatch.setattr(replies, "_STALLED_SECONDS", 0.05)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            await asyncio.get_running_loop().create_future()

    async def answer() -> replies.Reply:
        reply = replies.Reply(Request("POST", {}, {}), send, "1")
        gone = asyncio.get_running_loop().create_future()
        pieces = (b"x" for _ in range(10))
        await reply.stream(pieces, "TSV", gone, threads, lambda: None)
        return reply

    with ThreadPoolExecutor(1) as threads:
        reply = asyncio.run(answer())
    assert reply.error_code == 209
    assert [message.get("more_body") for message in sent] == [None, True]
