"""Read all that a warehouse stores, table by table and partition by partition, as text that can be cut at any line.

TabSeparated holds every value exactly (floats in their shortest form, any byte of a string) and can be cut without
being decoded, which Native blocks cannot: so a restore sends pieces that fit into the memory of any gateway. A
partition is one query, because the gateway holds back a result on disk until it is whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.connection import columns
from spyglass.warehouse.statements import quote

FORMAT = "TabSeparated"
# A table that a view fills from a table of the backup is filled again by it.
_TABLES = """
SELECT name, engine FROM system.tables
WHERE database = 'spyglass' AND engine LIKE '%MergeTree' AND name NOT IN ('schema_migrations', 'query_log')
    AND name NOT IN (
    SELECT extract(view.create_table_query, '^CREATE MATERIALIZED VIEW \\\\S+ TO spyglass\\\\.`?(\\\\w+)') AS target
    FROM system.tables AS view
    INNER JOIN (
        SELECT arrayJoin(dependencies_table) AS name FROM system.tables
        WHERE database = 'spyglass' AND engine LIKE '%MergeTree') AS source ON source.name = view.name
    WHERE view.database = 'spyglass')
ORDER BY name
"""
_PARTITIONS = """
SELECT DISTINCT partition_id AS id FROM system.parts
WHERE database = 'spyglass' AND table = {table:String} AND active AND rows > 0 ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Table:
    """Name a table, the columns that are stored, and whether rows replace each other (then only the last counts)."""

    name: str
    columns: list[str]
    replaces: bool


def tables(client: Warehouse) -> list[Table]:
    """Return the tables that store rows of their own, without the state of the migrations and the log of queries."""
    return [Table(row["name"], list(columns(client, row["name"])), _replaces(row)) for row in client.rows(_TABLES)]


def partitions(client: Warehouse, table: Table) -> list[str]:
    """Return the ids of the partitions that hold rows."""
    return [row["id"] for row in client.rows(_PARTITIONS, table=table.name)]


def text(client: Warehouse, table: Table, partition: str) -> Iterator[bytes]:
    """Yield the rows of a partition, one line each, in pieces; a row's versions lie in one partition."""
    columns = ", ".join(quote(name) for name in table.columns)
    final = " FINAL" if table.replaces else ""
    sql = f"SELECT {columns} FROM spyglass.{quote(table.name)}{final} WHERE _partition_id = {{partition:String}}"  # noqa: S608 -- quoted names
    return client.pieces(sql, FORMAT, partition=partition)


def rows(client: Warehouse, table: Table) -> int:
    """Return how many rows a table holds, replaced ones too."""
    return int(client.rows(f"SELECT count() AS rows FROM spyglass.{quote(table.name)}")[0]["rows"])  # noqa: S608 -- quoted name


def _replaces(row: dict[str, str]) -> bool:
    return row["engine"] not in ("MergeTree", "ReplicatedMergeTree", "SharedMergeTree")
