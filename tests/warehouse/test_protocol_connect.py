"""clickhouse-connect beyond single statements: frames, Arrow, streams, what a statement took, errors of inserts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import clickhouse_connect
import pandas as pd  # type: ignore[import-untyped] # has none
import pyarrow as pa  # type: ignore[import-untyped] # has none
import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from tests.warehouse.wire import PASSWORDS, Server, span

_ROWS = 150_000


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Any]:
    """Provide clickhouse-connect's client and a table."""
    connected = clickhouse_connect.get_client(
        host="127.0.0.1", port=server.port, username="admin", password=PASSWORDS["admin"], database="spyglass"
    )
    connected.command(
        "CREATE TABLE spyglass.f (id UInt64, at DateTime64(3, 'UTC'), name LowCardinality(Nullable(String)), "
        "cost Nullable(Int64)) ENGINE = MergeTree ORDER BY id"
    )
    yield connected
    connected.command("DROP TABLE spyglass.f SYNC")
    connected.close()


@pytest.fixture
def table(client: Any) -> str:
    """Provide the table, empty."""
    client.command("TRUNCATE TABLE spyglass.f")
    return "f"


def _frame() -> pd.DataFrame:
    at = pd.Timestamp("2026-01-01", tz="UTC")
    return pd.DataFrame(
        {
            "id": pd.Series(range(4), dtype="uint64"),
            "at": [at + pd.Timedelta(milliseconds=number) for number in range(4)],
            "name": ["a", None, "ü\n\n;", ""],
            "cost": pd.Series([1, None, 3, 2**62], dtype="Int64"),
        }
    )


def test_a_frame_comes_back_as_it_went(client: Any, table: str) -> None:
    """A DataFrame with NULL, times and large numbers is inserted and read without a change."""
    summary = client.insert_df(table, _frame())
    assert summary.written_rows == 4
    read = client.query_df("SELECT * FROM f ORDER BY id")
    assert list(read["id"]) == [0, 1, 2, 3]
    assert list(read["at"]) == list(_frame()["at"].dt.tz_localize(None))  # the client's way to say UTC
    assert [None if pd.isna(value) else value for value in read["name"]] == ["a", None, "ü\n\n;", ""]
    assert [None if pd.isna(value) else int(value) for value in read["cost"]] == [1, None, 3, 2**62]


def test_arrow_goes_both_ways(client: Any, table: str) -> None:
    """An Arrow table is inserted and read without a change."""
    made = pa.table({"id": pa.array([1, 2], pa.uint64()), "cost": pa.array([None, 7], pa.int64())})
    client.insert_arrow(table, made)
    read = client.query_arrow("SELECT id, cost FROM f ORDER BY id")
    assert read.to_pydict() == made.to_pydict()


@pytest.mark.parametrize(
    ("method", "sql"),
    [
        ("query_rows_stream", "SELECT number FROM numbers(150000)"),
        ("query_column_block_stream", "SELECT number FROM numbers(150000)"),
        ("query_df_stream", "SELECT number FROM numbers(150000)"),
        ("query_arrow_stream", "SELECT number FROM numbers(150000)"),
    ],
)
def test_streams(client: Any, method: str, sql: str) -> None:
    """Each way to stream gives every row, in order."""
    seen: list[int] = []
    with getattr(client, method)(sql) as stream:
        for block in stream:
            if method == "query_rows_stream":
                seen.append(block[0])
            elif method == "query_column_block_stream":
                seen += list(block[0])
            else:
                column = block["number"]
                seen += column.to_pylist() if hasattr(column, "to_pylist") else list(column)
    assert seen == list(range(_ROWS))


def test_the_summary_says_what_a_question_took(client: Any, table: str) -> None:
    """clickhouse-connect's summary has what was read, written and given, as texts of numbers."""
    rows = [[number, dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "x", number] for number in range(1000)]
    inserted = client.insert(table, rows, column_names=["id", "at", "name", "cost"])
    assert inserted.written_rows == 1000
    assert inserted.written_bytes() > 0
    asked = client.query("SELECT name, sum(cost) FROM f GROUP BY name").summary
    assert (asked["read_rows"], asked["result_rows"], asked["written_rows"]) == ("1000", "1", "0")
    assert int(asked["read_bytes"]) > 0
    assert int(asked["elapsed_ns"]) > 0
    copied = client.command("INSERT INTO f SELECT id + 1000, at, name, cost FROM f")
    assert copied.written_rows == 1000


def test_what_is_unknown_is_left_out(server: Server) -> None:
    """Every answer has a summary; a figure that the engine has not told is not in it, rather than 0."""

    def summary(sql: str, **parameters: str) -> dict[str, str]:
        found: dict[str, str] = json.loads(
            server.post(sql, "reader", None, **parameters).headers["x-clickhouse-summary"]
        )
        assert all(value.isdecimal() for value in found.values())
        return found

    assert summary("SELECT 1 WHERE 0")["read_rows"] in ("0", "1")
    framed = summary("SELECT number FROM numbers(1000) FORMAT JSON")
    assert framed["read_rows"] == "1000"
    assert "result_rows" not in framed
    streamed = summary("SELECT number FROM numbers(3000000)")
    assert 0 < int(streamed["read_rows"]) <= 3_000_000
    assert "result_rows" not in streamed
    assert set(summary("SELECT nope")) == {"elapsed_ns"}
    assert set(json.loads(server.insert("otel_traces", [span(71_000)]).headers["x-clickhouse-summary"])) == {
        "elapsed_ns"
    }


@pytest.mark.parametrize(
    ("columns", "row", "match"),
    [
        (["id", "nope"], [1, 2], "nope"),
        (["id"], ["not a number"], "not a number|int"),
        (["at"], [dt.datetime(2026, 1, 1, tzinfo=dt.UTC), 3], "column|shape|length"),
    ],
)
def test_errors_of_inserts(client: Any, table: str, columns: list[str], row: list[Any], match: str) -> None:
    """An insert that cannot be stored is an error, and stores nothing."""
    with pytest.raises((ClickHouseError, ValueError, TypeError), match=match):
        client.insert(table, [row], column_names=columns)
    assert client.query("SELECT count() FROM f").first_row == (0,)


def test_an_insert_into_nothing(client: Any) -> None:
    """A table that does not exist is named in the error, which has ClickHouse's code."""
    with pytest.raises(ClickHouseError, match=r"code: 60,"):
        client.raw_insert("nope_table", ["a"], b"1\n", fmt="CSV")
