"""Keep what can never be stored, with the reason, so that nothing acknowledged is lost in silence."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from spyglass.errors import StatementError
from spyglass.warehouse.engine import DATABASE, Engine
from spyglass.warehouse.native import rows_in_first_block, string

_COLUMNS = "source, table_name, column_names, reason, error_code, rows, bytes, body"
# Reasons without a code are of rows out of range and name the moment, so they are one kind; those of the engine end
# with the name of the error.
_COUNTS = r"""
SELECT source, table_name,
    coalesce(
        if(error_code = 0, 'out_of_range', nullIf(extract(reason, '\(([A-Z0-9_]+)\)\s*$'), '')),
        toString(error_code)) AS why,
    sum(greatest(rows, 1))
FROM spyglass.dead_letters FINAL
GROUP BY ALL
"""


def keep(engine: Engine, table: str, columns: Sequence[str], body: bytes, error: StatementError) -> None:
    """Write one request that the engine refused; returns when it is on disk. Raises StatementError."""
    row = b"".join(
        (
            string(b"insert"),
            string(table.encode()),
            string(", ".join(columns).encode()),
            string(error.problem.encode()),
            struct.pack("<i", error.code),
            struct.pack("<Q", rows_in_first_block(body)),
            struct.pack("<Q", len(body)),
            string(body),
        )
    )
    with engine.writer() as session:
        session.insert(f"{DATABASE}.dead_letters ({_COLUMNS})", [row], "RowBinary")


def counts(engine: Engine) -> list[tuple[str, str, str, int]]:
    """Return source, table, reason and rows of the dead letters; a body that cannot be read counts as one row."""
    with engine.session("admin") as session:
        lines = session.run(_COUNTS, "TSVRaw").data.decode().splitlines()
    return [(*labels, int(rows)) for *labels, rows in (line.split("\t") for line in lines)]  # type: ignore[misc] # three labels
