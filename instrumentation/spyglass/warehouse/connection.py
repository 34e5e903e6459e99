"""Say what migrations, retention and prices need of a warehouse: over the wire it is ``client.Warehouse``.

Inside the warehouse's own process it is ``inprocess.InProcess``. Values are text, numbers and lists of them; moments
are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

_COLUMNS = """
SELECT name, type FROM system.columns
WHERE database = 'spyglass' AND table = {table:String} AND default_kind IN ('', 'DEFAULT')
ORDER BY position
"""


class Connection(Protocol):
    """Run statements as the admin; each method raises StatementError with the engine's sentence."""

    def rows(self, sql: str, **parameters: object) -> list[dict[str, Any]]:
        """Return the result of a query, one dictionary per row; ``{name:Type}`` in the SQL are parameters."""

    def execute(self, sql: str) -> None:
        """Run a statement that returns nothing."""

    def insert(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert rows that all have the columns of the first one; no rows is no insert."""


def columns(connection: Connection, table: str) -> dict[str, str]:
    """Return the columns that an insert into a table may name, in their order, with their types."""
    return {row["name"]: row["type"] for row in connection.rows(_COLUMNS, table=table)}
