"""The protocol: clickhouse-connect as it is, and our client."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import zlib
from collections.abc import Iterator
from typing import Any, Literal

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from spyglass.errors import StatementError, WarehouseUnreachableError
from spyglass.warehouse.client import Warehouse
from tests.warehouse.wire import PASSWORDS, Server

NASTY = "line\n\nline; SELECT 1;\n\nDROP TABLE spyglass.p\n"


def _connect(server: Server, **options: Any) -> Any:
    fixed = {"username": "admin", "password": PASSWORDS["admin"], "database": "spyglass"}
    return clickhouse_connect.get_client(host="127.0.0.1", port=server.port, **(fixed | options))


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Any]:
    """Provide clickhouse-connect's client and a table with many types."""
    connected = _connect(server)
    connected.command(
        "CREATE TABLE spyglass.p (id UInt64, ts DateTime64(9, 'UTC'), s LowCardinality(String), "
        "m Map(LowCardinality(String), String), a Array(Nullable(Float64)), d Decimal(18, 9), n Nullable(String), "
        "blob String) ENGINE = MergeTree ORDER BY id"
    )
    rows = [
        [
            number,
            dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
            f"s{number % 7}",
            {"k": str(number), "z": NASTY},
            [1.5, None, number],
            decimal.Decimal(number) / 8,
            None if number % 2 else "x",
            NASTY,
        ]
        for number in range(10_000)
    ]
    connected.insert("p", rows, column_names=["id", "ts", "s", "m", "a", "d", "n", "blob"])
    yield connected
    connected.command("DROP TABLE spyglass.p SYNC")
    connected.close()


def test_round_trip(client: Any) -> None:
    """Ten thousand rows with blank lines and statements inside come back as they went in."""
    assert client.query(
        "SELECT count(), uniqExact(id), countIf(blob = {b:String}) FROM p", parameters={"b": NASTY}
    ).result_rows == [(10_000, 10_000, 10_000)]
    expected = [({"k": "3", "z": NASTY}, [1.5, None, 3.0], None, "s3", decimal.Decimal("0.375"))]
    assert client.query("SELECT m, a, n, s, d FROM p WHERE id = 3").result_rows == expected


@pytest.mark.parametrize(
    "value", ["it's", "a\nb", "a\tb", "back\\slash", 'q"uote', "ünï", NASTY, "{x:String}", "\\N", ""]
)
def test_parameters(client: Any, value: str) -> None:
    """A parameter arrives as it is, whatever it contains."""
    assert client.query("SELECT {x:String}", parameters={"x": value}).result_rows == [(value,)]


def test_parameters_of_other_types(client: Any) -> None:
    """Numbers, arrays, NULL and moments are parameters as well."""
    values = {"n": 41, "a": ["x'", "y\nz"], "none": None, "t": dt.datetime(2024, 1, 1, tzinfo=dt.UTC)}
    sql = "SELECT {n:UInt64} + 1, {a:Array(String)}, {none:Nullable(String)}, toUnixTimestamp({t:DateTime('UTC')})"
    assert client.query(sql, parameters=values).result_rows == [(42, ["x'", "y\nz"], None, 1_704_067_200)]


def test_settings(client: Any) -> None:
    """A setting holds for its statement only."""
    assert client.query("SELECT getSetting('max_threads')", settings={"max_threads": 1}).first_row == (1,)
    assert client.query("SELECT getSetting('max_block_size')", settings={"max_block_size": 77}).first_row == (77,)
    assert client.query("SELECT getSetting('max_block_size')").first_row != (77,)


def test_large_results_stream(client: Any) -> None:
    """Two million rows come in pieces."""
    total = pieces = 0
    with client.query_row_block_stream("SELECT number, toString(number) FROM numbers(2000000)") as stream:
        for block in stream:
            total += len(block)
            pieces += 1
    assert total == 2_000_000
    assert pieces > 1


def test_dataframe_and_arrow(client: Any) -> None:
    """DataFrames and Arrow tables work, also larger than one piece."""
    assert len(client.query_df("SELECT * FROM p LIMIT 5")) == 5
    assert client.query_arrow("SELECT number FROM numbers(300000)").num_rows == 300_000


@pytest.mark.parametrize(
    "output", ["JSON", "CSVWithNames", "TabSeparatedWithNamesAndTypes", "Parquet", "ArrowStream", "JSONCompact"]
)
def test_formats_with_a_frame_are_whole(client: Any, output: str) -> None:
    """A format with a head or a tail has it once, however many rows there are."""
    data = client.raw_query("SELECT number AS n FROM numbers(200000)", fmt=output)
    if output == "CSVWithNames":
        assert data.count(b'"n"') == 1
        assert data.count(b"\n") == 200_001
    elif output.startswith("JSON"):
        assert data.count(b'"meta"') == 1
        assert b'"rows": 200000' in data or b'"rows":200000' in data
    elif output.startswith("Tab"):
        assert data.startswith(b"n\nUInt64\n0\n")
        assert data.count(b"UInt64") == 1
    else:
        assert data.count(b"PAR1") in (0, 2)
        assert data


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS n FORMAT JSON",
        "SELECT 1 AS n SETTINGS max_threads = 1 FORMAT JSON",
        "SELECT 1 AS n FORMAT JSON SETTINGS max_threads = 1",
        "SELECT 1 AS n FORMAT JSON -- the end",
        "SELECT 1 AS n /* FORMAT CSV */ FORMAT JSON;",
        "SELECT n FROM (SELECT 1 AS n, ' FORMAT CSV' AS t) FORMAT JSON",
        "WITH 1 AS n SELECT n\nformat\nJSON",
    ],
)
def test_own_format_of_a_statement(server: Server, sql: str) -> None:
    """A statement's own FORMAT is found wherever it stands, and named in the headers."""
    answer = server.post(sql, default_format="TSV")
    assert answer.status == 200, answer.text
    assert '"rows": 1' in answer.text
    assert answer.headers["x-clickhouse-format"] == "JSON"


def test_column_called_format(server: Server) -> None:
    """A column of that name is no clause."""
    assert server.sql("SELECT format FROM (SELECT 'x' AS format)") == "x"
    assert server.sql("SELECT format AS x FROM (SELECT 'x' AS format)", default_format="JSONEachRow") == '{"x":"x"}'


def test_inserts_in_other_formats(client: Any) -> None:
    """CSV, VALUES and INSERT … SELECT insert as they should, blank lines included."""
    client.command("CREATE TABLE spyglass.c (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
    try:
        client.raw_insert("c", ["a", "b"], b'1,"x\n\ny"\n2,z\n', fmt="CSV")
        client.command("INSERT INTO c VALUES (7, 'p\n\nq'), (8, 'r')")
        client.command("INSERT INTO c SELECT number + 100, toString(number) FROM numbers(10)")
        assert client.query("SELECT groupArray(b) FROM (SELECT b FROM c WHERE a < 10 ORDER BY a)").first_row == (
            ["x\n\ny", "z", "p\n\nq", "r"],
        )
        assert client.query("SELECT count() FROM c").first_row == (14,)
    finally:
        client.command("DROP TABLE spyglass.c SYNC")


@pytest.mark.parametrize(
    ("sql", "code", "status"),
    [
        ("SELECT * FROM nope", 60, 404),
        ("selec 1", 62, 400),
        ("SELECT nope", 47, 404),
        ("SELECT nope()", 46, 404),
        ("SELECT * FROM other.t", 81, 404),
        ("SELECT toUInt8('x')", 6, 400),
        ("SELECT 1 SETTINGS nope = 1", 115, 404),
        ("SELECT 1; SELECT 2", 62, 400),
    ],
)
def test_error_codes(server: Server, sql: str, code: int, status: int) -> None:
    """Errors have ClickHouse's codes, statuses and wording."""
    answer = server.post(sql)
    assert answer.status == status
    assert answer.headers["x-clickhouse-exception-code"] == str(code)
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")
    assert answer.text.rstrip().endswith("(version 26.9.2.1)") or "(version 26." in answer.text


def test_error_in_the_middle(client: Any) -> None:
    """An error after the first rows reaches clickhouse-connect as an error."""
    with pytest.raises(DatabaseError, match=r"throwIf|non-zero"):
        _ = client.query("SELECT throwIf(number = 3000000), number FROM numbers(4000000)").result_rows


@pytest.mark.parametrize("kind", ["lz4", "zstd", "gzip", False])
def test_compression(server: Server, kind: str | Literal[False]) -> None:
    """Each compression works both ways."""
    connected = _connect(server, compress=kind)
    connected.command("CREATE OR REPLACE TABLE spyglass.z (a UInt64, b String) ENGINE = Memory")
    connected.insert("z", [[number, "v" * 100] for number in range(5_000)], column_names=["a", "b"])
    assert connected.query("SELECT count(), sum(a) FROM z").result_rows == [(5_000, 12_497_500)]
    assert len(connected.query("SELECT number FROM numbers(100000)").result_rows) == 100_000
    connected.command("DROP TABLE spyglass.z")
    connected.close()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("gzip", gzip.compress(b"SELECT 7", mtime=0)), ("deflate", zlib.compress(b"SELECT 7"))],
    ids=["gzip", "deflate"],
)
def test_content_encoding(server: Server, encoding: str, packed: bytes) -> None:
    """A compressed body is read; a broken one and an unknown encoding are errors."""
    assert server.post(packed, headers={"Content-Encoding": encoding}).text == "7\n"
    assert server.post(b"no", headers={"Content-Encoding": encoding}).headers["x-clickhouse-exception-code"] == "271"
    assert server.post(b"SELECT 1", headers={"Content-Encoding": "secret"}).status == 501


def test_our_client(server: Server) -> None:
    """Our client returns rows and text, and says what is wrong in one short sentence."""
    reader = server.client("reader")
    assert reader.rows("SELECT {n:UInt8} AS n, {s:String} AS s", n=1, s=NASTY) == [{"n": 1, "s": NASTY}]
    assert reader.text("SELECT 1 AS n", "JSONEachRow") == '{"n":1}\n'
    with pytest.raises(StatementError) as caught:
        reader.rows("SELECT * FROM nope")
    assert caught.value.code == 60
    assert str(caught.value).startswith("Unknown table expression identifier 'nope'")
    assert "version" not in str(caught.value)
    with pytest.raises(StatementError) as refused:
        Warehouse(f"http://127.0.0.1:{server.port}", "reader", "wrong").rows("SELECT 1")
    assert refused.value.code == 516
    with pytest.raises(WarehouseUnreachableError, match="does not answer"):
        Warehouse("http://127.0.0.1:1", "reader", "x").rows("SELECT 1")


def test_metrics_and_ping(server: Server) -> None:
    """/ping says Ok. and /metrics speaks Prometheus' format, both without a user."""
    assert server.get("/ping").body == b"Ok.\n"
    assert server.get("/").status == 403
    exposition = server.get("/metrics")
    assert exposition.headers["content-type"].startswith("text/plain; version=0.0.4")
    for name in (
        "spyglass_warehouse_ready 1.0",
        "process_resident_memory_bytes",
        "spyglass_warehouse_queue_limit_bytes",
    ):
        assert name in exposition.text
