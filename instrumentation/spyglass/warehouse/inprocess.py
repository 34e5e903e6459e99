"""Run statements on the engine of this process, for what the warehouse does before it answers anybody."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from spyglass.warehouse.engine import Engine
from spyglass.warehouse.statements import quote

_JSON_SETTINGS = {"output_format_json_quote_64bit_integers": 0, "async_insert": 0}


class InProcess:
    """Run statements on the engine of this process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def rows(self, sql: str, **parameters: object) -> list[dict[str, Any]]:
        """Return the result of a query, one dictionary per row."""
        with self._engine.session("admin", _JSON_SETTINGS) as session:
            values = {name: _escaped(str(value)) for name, value in parameters.items()}
            lines = session.run(sql, "JSONEachRow", values).data.splitlines()
        return [json.loads(line) for line in lines]

    def execute(self, sql: str) -> None:
        """Run a statement that returns nothing."""
        with self._engine.session("admin", _JSON_SETTINGS) as session:
            session.run(sql)

    def insert(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert rows that all have the columns of the first one; no rows is no insert."""
        if rows:
            columns = ", ".join(quote(name) for name in rows[0])
            lines = (json.dumps(row).encode() + b"\n" for row in rows)
            with self._engine.session("admin", _JSON_SETTINGS) as session:
                session.insert(f"{table} ({columns})", lines, "JSONEachRow")


def _escaped(value: str) -> str:
    """Write a parameter as the protocol wants it: like a value of TabSeparated."""
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
