"""Say what migrations, retention and prices need of a warehouse: over the wire it is ``client.Warehouse``.

Inside the warehouse's own process it is ``inprocess.InProcess``. Values are text, numbers and lists of them; moments
are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Connection(Protocol):
    """Run statements as the admin; each method raises StatementError with the engine's sentence."""

    def rows(self, sql: str, **parameters: object) -> list[dict[str, Any]]:
        """Return the result of a query, one dictionary per row; ``{name:Type}`` in the SQL are parameters."""

    def execute(self, sql: str) -> None:
        """Run a statement that returns nothing."""

    def insert(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert rows that all have the columns of the first one; no rows is no insert."""
