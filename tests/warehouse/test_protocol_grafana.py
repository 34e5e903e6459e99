"""What Grafana's ClickHouse plugin sends over HTTP: clickhouse-go through database/sql, gzip, a row limit as setting.

The plugin itself is not run here. The statements are those of its backend and its editor: connecting, choosing tables
and columns, filters, panels.
"""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import pytest

from spyglass.warehouse import native
from tests.warehouse.wire import Answer, Server, span

_AGENT = "grafana/12.1.0 clickhouse-datasource/4.11.0 clickhouse-go/2.47.0 (database/sql; lv:go/1.26; os:linux)"
# A panel's statement as the editor's macros make it.
_PANEL = (
    "SELECT toStartOfInterval(toDateTime(timestamp), INTERVAL 60 second) AS time, kind, count() AS spans "
    'FROM "spyglass"."spans" WHERE timestamp >= toDateTime(1700000000) AND timestamp <= toDateTime(1900000000) '
    "GROUP BY time, kind ORDER BY time ASC LIMIT 1000"
)


@pytest.fixture(scope="module", autouse=True)
def spans(own_server: Server) -> None:
    """Store a few spans."""
    assert own_server.insert("otel_traces", [span(70_000 + number, {"shop": "a"}) for number in range(5)]).status == 200


def _ask(server: Server, sql: str, **parameters: str) -> Answer:
    """Send a statement as the plugin's driver does with GZIP; the answer's body is unpacked."""
    sent = {
        "database": "spyglass",
        "default_format": "Native",
        "client_protocol_version": "54460",
        "enable_http_compression": "1",
        "max_execution_time": "60",
    }
    headers = {"User-Agent": _AGENT, "Accept-Encoding": "gzip"}
    answer = server.post(sql, "reader", headers, "POST", **(sent | parameters))
    if answer.headers.get("content-encoding") == "gzip":
        answer.body = gzip.decompress(answer.body)
    return answer


def _column(answer: Answer) -> tuple[int, int]:
    """Return the numbers of columns and rows of the first Native block."""
    columns, position = native.read_varint(answer.body, 0)
    rows, _ = native.read_varint(answer.body, position)
    return columns, rows


def test_connecting(own_server: Server) -> None:
    """The driver's hello, its ping and the question for the version are answered packed, as the driver reads them."""
    hello = _ask(own_server, native.HELLO_QUERY)
    assert hello.headers["content-encoding"] == "gzip"
    assert hello.body[8:10] == b"\x04\x01"
    assert _column(_ask(own_server, "SELECT 1")) == (1, 1)
    assert b"version()" in _ask(own_server, "SELECT version()").body


@pytest.mark.parametrize(
    "sql",
    [
        "SHOW DATABASES",
        'SHOW TABLES FROM "spyglass"',
        "SHOW TABLES",
        'DESC TABLE "spyglass"."spans"',
        'DESCRIBE TABLE "spyglass"."spans"',
        "SELECT currentDatabase()",
        "SELECT timezone()",
        "SELECT database, name FROM system.tables ORDER BY database, name",
        "SELECT name, type, table FROM system.columns",
        "SELECT name, type, table FROM system.columns WHERE database IN ('spyglass')",
        "SELECT name, type, table FROM system.columns WHERE database IN ('spyglass') AND table = 'spans'",
        "SELECT table, name, type, comment FROM system.columns WHERE (database, table) IN (('spyglass', 'spans'))",
        "SELECT DISTINCT kind FROM spyglass.spans SETTINGS max_execution_time=10",
        "SELECT DISTINCT arrayJoin(mapKeys(`attributes`)) as keys FROM (SELECT `attributes` FROM spans LIMIT 9)",
        "SELECT DISTINCT `attributes`['shop'] FROM `spyglass`.`spans` WHERE mapContains(`attributes`, 'shop') LIMIT 9",
        "SELECT DISTINCT `kind` FROM `spyglass`.`spans` WHERE `kind` IS NOT NULL LIMIT 1000",
        "select distinct kind from spyglass.spans limit 1000",
        _PANEL,
    ],
)
def test_statements_of_the_plugin(own_server: Server, sql: str) -> None:
    """Each statement of the plugin's backend and editor is answered with rows."""
    answer = _ask(own_server, sql)
    assert answer.status == 200, answer.text
    columns, rows = _column(answer)
    assert columns > 0
    assert rows > 0


def test_the_row_limit_is_a_setting(own_server: Server) -> None:
    """The data source's row limit comes as ClickHouse's setting and cuts the answer, not the count within it."""
    assert len(own_server.sql("SELECT span_id FROM spans", "reader", limit="2").splitlines()) == 2
    assert own_server.sql("SELECT count() FROM spans", "reader", limit="2") != "2"


def test_who_looked_is_in_the_log(own_server: Server) -> None:
    """Grafana's user and dashboard, which the plugin puts into its name, are the client of the log's row."""
    headers = {"User-Agent": f"{_AGENT[:-1]}; grafana_user:ada; grafana_dashboard:d1)"}
    own_server.post("SELECT 'looked at by ada'", "reader", headers)
    logged: list[dict[str, Any]] = []
    for _ in range(200):
        logged = own_server.client().rows(
            "SELECT client FROM spyglass.query_log WHERE statement = {text:String}", text="SELECT 'looked at by ada'"
        )
        if logged:
            break
        time.sleep(0.1)
    assert "grafana_user:ada; grafana_dashboard:d1" in logged[0]["client"]


def test_errors_reach_the_panel(own_server: Server) -> None:
    """The driver reads the code of an error from its header and the sentence from the body, which is not packed."""
    answer = _ask(own_server, "SELECT nope FROM spans")
    assert answer.headers["x-clickhouse-exception-code"] == "47"
    assert "content-encoding" not in answer.headers
    assert answer.text.startswith("Code: 47. DB::Exception: ")
    assert json.loads(answer.headers["x-clickhouse-summary"])
