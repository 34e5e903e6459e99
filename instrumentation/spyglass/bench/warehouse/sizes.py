"""Say what a span takes on the disk, text included, over all tables."""

from __future__ import annotations

from spyglass.bench.figures import Figure
from spyglass.bench.warehouse.load import Loaded
from spyglass.bench.warehouse.servers import Server

_RATIO = 0.95
_BYTES = """
SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts
WHERE active AND database = 'spyglass' AND match(table, {tables:String})
GROUP BY table ORDER BY bytes DESC
"""
_STOCK = "^otel_traces"


def measure(ours: Server, stock: Server, loaded: Loaded) -> list[Figure]:
    """Return bytes per span of all our tables, of the stock schema's, and of each table of ours."""
    tables = {row["table"]: row["bytes"] / loaded.spans for row in ours.admin.rows(_BYTES, tables="")}
    theirs = sum(row["bytes"] for row in stock.admin.rows(_BYTES, tables=_STOCK)) / loaded.spans
    total = sum(tables.values())
    return [
        Figure("disk, all tables", total, "B/span"),
        Figure("disk, stock schema", theirs, "B/span"),
        Figure("disk, ours to stock", total / theirs, "x", _RATIO),
        *(Figure(f"disk, {table}", each, "B/span") for table, each in tables.items()),
    ]
