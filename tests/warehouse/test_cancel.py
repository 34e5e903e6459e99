"""A query that nobody waits for any more does not go on."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.warehouse.wire import PASSWORDS, Server

# Each would run for hours (the admin) or a minute (the reader): before its first row, and between two pieces.
_BEFORE = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"
_BETWEEN = "SELECT number FROM numbers(1000000000000) WHERE number < 200000 OR sipHash64(number) = 1 FORMAT TSV"


@contextmanager
def _asking(server: Server, sql: str, user: str) -> Iterator[socket.socket]:
    """Send a statement without waiting for its answer; at the end the connection is closed."""
    body = sql.encode()
    given = base64.b64encode(f"{user}:{PASSWORDS[user]}".encode()).decode()
    head = f"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {given}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + body)
        yield connection


def _wait_for_metric(server: Server, line: str) -> None:
    deadline = time.monotonic() + 20
    while line not in (shown := server.get("/metrics").text):
        assert time.monotonic() < deadline, shown
        time.sleep(0.05)


def _running(server: Server, text: str) -> bool:
    count = f"SELECT count() FROM system.processes WHERE position(query, '{text}') > 0 AND query NOT LIKE '%processes%'"
    return server.sql(count) != "0"


def _wait(server: Server, text: str, *, running: bool) -> None:
    deadline = time.monotonic() + 20
    while _running(server, text) != running:
        assert time.monotonic() < deadline, server.sql("SELECT query, elapsed FROM system.processes")
        time.sleep(0.05)


@pytest.mark.parametrize("user", ["reader", "admin"])
@pytest.mark.parametrize("sql", [_BEFORE, _BETWEEN])
def test_a_client_that_goes_away_ends_its_query(server: Server, user: str, sql: str) -> None:
    """The engine stops within moments of the connection's end, whether rows have been sent or not."""
    mark = f"marked_{user}_{len(sql)}"
    with _asking(server, f"WITH '{mark}' AS x {sql}", user):
        _wait(server, mark, running=True)
    _wait(server, mark, running=False)
    assert server.sql("SELECT 1", "reader") == "1"


def test_a_stream_that_is_left_ends(server: Server) -> None:
    """A client that goes away after it has read a part of an answer ends the query."""
    sql = "SELECT number, 'left_stream' FROM numbers(1000000000000)"
    with _asking(server, sql, "reader") as connection:
        assert len(connection.recv(1 << 20)) > 0
        assert len(connection.recv(1 << 20)) > 0
        assert _running(server, "left_stream")
    _wait(server, "left_stream", running=False)


def test_a_question_in_line_is_never_begun(new_server: Callable[..., Server]) -> None:
    """Who leaves while others still run leaves the line: the engine never hears of it."""
    server = new_server(warehouse_concurrent_queries="1").start()
    with _asking(server, f"WITH 'holds' AS x {_BEFORE}", "reader"):
        _wait(server, "holds", running=True)
        with _asking(server, f"WITH 'in_line' AS x {_BEFORE}", "reader"):
            _wait_for_metric(server, 'spyglass_warehouse_queries_waiting{user="reader"} 1.0')
        _wait_for_metric(server, 'spyglass_warehouse_queries_waiting{user="reader"} 0.0')
        assert not _running(server, "in_line")
    _wait(server, "holds", running=False)
    assert server.sql("SELECT 1", "reader") == "1"
    _wait_for_metric(server, 'spyglass_warehouse_queries_total{outcome="cancelled",user="reader"} 2.0')


def test_a_query_that_is_waited_for_is_not_cancelled(server: Server) -> None:
    """A query that takes its time is answered, beside one that is cancelled."""
    assert server.sql("SELECT count() FROM numbers(300000000) WHERE sipHash64(number) = 1", "reader") == "0"
