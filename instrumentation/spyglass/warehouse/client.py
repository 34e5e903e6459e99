"""Talk to a warehouse over ClickHouse's HTTP protocol: the local one, or any ClickHouse server."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError

from spyglass.errors import StatementError, UsageError, WarehouseUnreachableError
from spyglass.settings import Settings
from spyglass.warehouse import codes, passwords

DATABASE = "spyglass"
# It logs what it raises; who catches that decides what is said.
logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())

_PIECE_BYTES = 1 << 16
# Only what fails or is slow is kept in the query log; and compiling costs more than it saves on so few rows.
MACHINERY = {
    "log_queries_min_query_duration_ms": 1_000,
    "compile_expressions": 0,
    "compile_aggregate_expressions": 0,
    "compile_sort_description": 0,
}
_CODE = re.compile(r"[Cc]ode:? (\d+)")


class Warehouse:
    """Run statements as one user, from any number of threads.

    Values travel as parameters of the server: ``{name:Type}`` in the SQL and ``name=value`` in the call.
    """

    def __init__(self, url: str, user: str, password: str, settings: Mapping[str, object] | None = None) -> None:
        """Connect at the first statement, not here; ``settings`` of the engine go with every statement."""
        self.url = url
        self._user = user
        self._password = password
        self._settings = dict(settings or {})
        self._connected: Any = None

    def rows(self, sql: str, **parameters: object) -> list[dict[str, Any]]:
        """Return the result of a query, one dictionary per row.

        Raises StatementError with the engine's sentence, or WarehouseUnreachableError.
        """
        return list(self._call("query", sql, parameters=parameters).named_results())

    def text(self, sql: str, output: str, **parameters: object) -> str:
        """Return the result of a query in a format of ClickHouse, such as JSONEachRow or CSVWithNames."""
        data: bytes = self._call("raw_query", sql, parameters=parameters, fmt=output)
        return data.decode("utf-8", "replace")

    def pieces(self, sql: str, output: str, **parameters: object) -> Iterator[bytes]:
        """Yield the result of a query in a format of ClickHouse, piece by piece, however large it is.

        Nothing comes before the server has all of it, so an error is an error and never half a result.
        """
        whole = {"wait_end_of_query": "1"}
        stream = self._call("raw_stream", sql, parameters=parameters, fmt=output, settings=whole)
        with contextlib.closing(stream):
            while piece := stream.read(_PIECE_BYTES):
                yield piece

    def execute(self, sql: str, **parameters: object) -> None:
        """Run a statement that returns nothing."""
        self._call("command", sql, parameters=parameters)

    def insert(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert rows that all have the columns of the first one; no rows is no insert."""
        if rows:
            columns = list(rows[0])
            data = [[row[column] for column in columns] for row in rows]
            self._call("insert", table, data, column_names=columns)

    def insert_data(self, table: str, columns: Sequence[str], data: bytes, data_format: str) -> None:
        """Insert data that is already in a format of ClickHouse, for any number of partitions."""
        settings = {"max_partitions_per_insert_block": "0"}
        self._call("raw_insert", table, column_names=columns, insert_block=data, fmt=data_format, settings=settings)

    def close(self) -> None:
        """Close the connections."""
        if self._connected is not None:
            self._connected.close()
            self._connected = None

    def _call(self, method: str, *arguments: Any, **options: Any) -> Any:
        try:
            return getattr(self._client(), method)(*arguments, **options)
        except ClickHouseError as error:
            raise self._explain(str(error)) from None

    def _client(self) -> Any:
        if self._connected is None:
            address = urlsplit(self.url)
            if address.hostname is None or address.scheme not in ("http", "https"):
                raise UsageError(f"{self.url!r} is no address of a warehouse.", "It looks like http://127.0.0.1:8123.")
            self._connected = clickhouse_connect.get_client(
                host=address.hostname,
                port=address.port or (8443 if address.scheme == "https" else 8123),
                interface=address.scheme,
                username=self._user,
                password=self._password,
                settings=self._settings,
                autogenerate_session_id=False,
                compress=False,
            )
        return self._connected

    def _explain(self, text: str) -> StatementError | WarehouseUnreachableError:
        found = _CODE.search(text)
        if found is None:
            cause = re.search(r"\] ([^\"']+)", text)
            return WarehouseUnreachableError(self.url, cause[1] if cause else text[:200])
        message = text.partition("DB::Exception: ")[2] or text
        return codes.from_engine(f"Code: {found[1]}. DB::Exception: {message.split(' (for url', maxsplit=1)[0]}")


def reader(settings: Settings) -> Warehouse:
    """Return a client of the local warehouse as the read-only user."""
    return Warehouse(local_url(settings), "reader", passwords.ensure(settings).reader)


def admin(settings: Settings) -> Warehouse:
    """Return a client of the local warehouse as the admin."""
    return Warehouse(local_url(settings), "admin", passwords.ensure(settings).admin)


def machinery(settings: Settings) -> Warehouse:
    """Return a client for work that is done every few seconds on few rows, with the settings MACHINERY."""
    return Warehouse(local_url(settings), "admin", passwords.ensure(settings).admin, MACHINERY)


def local_url(settings: Settings) -> str:
    """Return the address of the local warehouse."""
    return f"http://127.0.0.1:{settings.port('warehouse')}"
