"""Say before migrations run what each of their statements does, and how much lies in the table that it touches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spyglass.warehouse.connection import Connection
from spyglass.warehouse.migrations import Migration
from spyglass.warehouse.schema import dangers
from spyglass.warehouse.schema.cluster import LOCAL_SUFFIX, ClusterForm
from spyglass.warehouse.schema.reading import read

_SIZES = """
SELECT concat(database, '.', table) AS name, sum(rows) AS rows, sum(bytes_on_disk) AS bytes
FROM $parts WHERE active GROUP BY name
"""
_ONE_REPLICA_OF_EACH_SHARD = "cluster({cluster:String}, system.parts)"


@dataclass(frozen=True, slots=True)
class Step:
    """Hold one statement of a file, as it is written there and as it would run.

    ``effect`` is instant, insert or rewrite; ``rows`` and ``bytes`` (on disk) are those of the table that it is about,
    on one replica of each shard, 0 where there is no such table; ``danger`` is what the file says of it.
    """

    migration: str
    line: int
    effect: str
    table: str
    rows: int
    bytes: int
    danger: str
    sql: tuple[str, ...]


def steps(
    connection: Connection, files: Sequence[Migration], todo: Sequence[Migration], form: ClusterForm | None
) -> Iterator[Step]:
    """Yield the statements of the files that are to do, in their order; ``form`` has to see those of all files.

    Raises MigrationError for a statement that it cannot judge.
    """
    sizes = _sizes(connection, form.cluster if form else "")
    waiting = {migration.number for migration in todo}
    for file in files:
        for line, text in zip(file.lines, file.statements, strict=True):
            sql = form.statements([text]) if form else (text,)
            if file.number in waiting:
                yield _step(file, line, text, sql, sizes)


def _step(file: Migration, line: int, text: str, sql: tuple[str, ...], sizes: dict[str, tuple[int, int]]) -> Step:
    statement = read(text)
    rows, size = sizes.get(statement.name, (0, 0))
    return Step(
        migration=file.name,
        line=line,
        effect=dangers.effect(statement),
        table=statement.name,
        rows=rows,
        bytes=size,
        danger=dangers.said(statement),
        sql=sql,
    )


def _sizes(connection: Connection, cluster: str) -> dict[str, tuple[int, int]]:
    parts = _ONE_REPLICA_OF_EACH_SHARD if cluster else "system.parts"
    rows = connection.rows(_SIZES.replace("$parts", parts), **({"cluster": cluster} if cluster else {}))
    return {str(row["name"]).removesuffix(LOCAL_SUFFIX): (int(row["rows"]), int(row["bytes"])) for row in rows}
