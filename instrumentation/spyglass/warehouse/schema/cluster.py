"""Write the statements of migrations for a cluster of ClickHouse servers.

Plain names stay what everything reads and writes, so views, the finaliser and questions are the same as on one node:

- A sharded table ``t`` becomes ``t_local``, replicated within its shard, and ``t``, engine Distributed, over it.
- A table that is everywhere (see ``placement``) keeps its name; one replicated table spans all nodes.
- A landing table (engine Null) and its views are on every node: whichever node takes an insert, its views write to the
  distributed tables, which send each row to its shard.

What a statement is about has to be known: tables are followed from the migration that creates them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from spyglass.errors import MigrationError
from spyglass.warehouse.schema import actions
from spyglass.warehouse.schema.actions import LOCAL, LOCAL_LAST
from spyglass.warehouse.schema.placement import Placement
from spyglass.warehouse.schema.reading import Statement, edited, inside, read
from spyglass.warehouse.statements import Token, literal

if TYPE_CHECKING:
    from spyglass.warehouse.migrations import Migration

LOCAL_SUFFIX = "_local"
_ON_SHARD = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
_EVERYWHERE = "'/clickhouse/tables/everywhere/{database}/{table}', '{shard}_{replica}'"
_REPLICATED = frozenset(
    f"{kind}MergeTree" for kind in ("", "Aggregating", "Coalescing", "Collapsing", "Replacing", "Summing")
)


class ClusterForm:
    """Translate statements in the order of the migrations."""

    def __init__(self, cluster: str, placement: Placement) -> None:
        """Know no table yet."""
        self.cluster = cluster
        self._on_cluster = f" ON CLUSTER {literal(cluster)}"
        self._cluster = literal(cluster)
        self._placement = placement
        self._keys: dict[str, str] = {}  # of sharded tables
        self._others: set[str] = set()  # tables and views under one name
        self._kinds: dict[str, Callable[[Statement], list[str]]] = {
            "CREATE TABLE": self._create_table,
            "CREATE MATERIALIZED VIEW": self._create_view,
            "CREATE VIEW": self._create_view,
            "ALTER TABLE": self._alter,
            "RENAME TABLE": self._rename,
            "DROP TABLE": self._drop,
            "TRUNCATE TABLE": self._change_rows,
            "DELETE FROM": self._change_rows,
            "INSERT INTO": lambda statement: [statement.text],  # on the node that is asked: it reaches all shards
        }

    def statements(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return the statements that do on a cluster what these do on one node; raises MigrationError."""
        found = map(read, texts)
        return tuple(text for each in found for text in self._kinds.get(each.kind, self._everywhere)(each))

    def migrations(self, files: Sequence[Migration]) -> list[Migration]:
        """Return the migrations with their statements for the cluster; they keep the checksums of their files."""
        return [replace(file, statements=self.statements(file.statements), lines=()) for file in files]

    def _create_table(self, statement: Statement) -> list[str]:
        place = statement.find("ENGINE")
        engine = statement.rest[place + 1 + (statement.rest[place + 1].text == "=")] if place is not None else None
        if engine is not None and engine.text == "Null":
            self._others.add(statement.name)
            return self._everywhere(statement)
        if engine is None or engine.text not in _REPLICATED:
            raise MigrationError(
                f"Table {statement.name} has the engine {engine.text if engine else '?'}, which is not replicated.",
                "Stored tables are MergeTrees, landing tables have the engine Null.",
            )
        if statement.find("SELECT") is not None:
            raise MigrationError(
                f"CREATE TABLE {statement.name} fills it too, which each node would do.", "Write an INSERT behind it."
            )
        return self._create_stored(statement, engine)

    def _create_stored(self, statement: Statement, engine: Token) -> list[str]:
        key, like = self._placement.key(statement), self._like(statement)
        if key is None:
            self._others.add(statement.name)
            return [self._renamed(statement, "", _replicated(statement, engine, _EVERYWHERE), *like)]
        self._keys[statement.name] = key
        local = self._renamed(statement, LOCAL_SUFFIX, _replicated(statement, engine, _ON_SHARD), *like)
        return [local, self._distributed(statement.name)]

    def _like(self, statement: Statement) -> list[tuple[int, int, str]]:
        """Return the edit that makes CREATE TABLE … AS another take its columns and indexes from the local table."""
        name = statement.rest[1:4]
        if not statement.rest[0].is_word("AS") or statement.source(name) not in self._keys:
            return []
        return [(name[-1].end, name[-1].end, LOCAL_SUFFIX)]

    def _distributed(self, name: str) -> str:
        database, _, table = name.partition(".")
        return (
            f"CREATE TABLE IF NOT EXISTS {name}{self._on_cluster} AS {name}{LOCAL_SUFFIX}\n"
            f"ENGINE = Distributed({self._cluster}, {literal(database)}, {literal(table + LOCAL_SUFFIX)},"
            f" {self._keys[name]})"
        )

    def _create_view(self, statement: Statement) -> list[str]:
        if statement.kind == "CREATE MATERIALIZED VIEW" and not (statement.rest and statement.rest[0].is_word("TO")):
            raise MigrationError(
                f"View {statement.name} does not write TO a table: its rows would lie apart on each node.",
                "Create the table, and let the view write to it.",
            )
        self._others.add(statement.name)
        return self._everywhere(statement)

    def _alter(self, statement: Statement) -> list[str]:
        todo = actions.of(statement)
        if not self._sharded(statement):
            return self._everywhere(statement)
        local = self._renamed(statement, LOCAL_SUFFIX)
        both = [action for action in todo if action.order != LOCAL]
        if not both:
            return [local]
        distributed = f"ALTER TABLE {statement.name}{self._on_cluster} {', '.join(action.text for action in both)}"
        last = {action.order == LOCAL_LAST for action in both}
        if len(last) > 1:
            raise MigrationError(
                f"ALTER TABLE {statement.name} adds and drops columns, which take another order on a cluster.",
                "Write them as two statements.",
            )
        return [distributed, local] if last == {True} else [local, distributed]

    def _rename(self, statement: Statement) -> list[str]:
        if not statement.rest or not statement.rest[0].is_word("TO") or any(t.text == "," for t in statement.rest):
            raise MigrationError(f"RENAME TABLE {statement.name} does not name one table and its new name.")
        new = statement.source(statement.rest[1:])
        if not self._sharded(statement):
            self._others.add(new)
            return [statement.text + self._on_cluster]
        self._keys[new] = self._keys.pop(statement.name)
        return [
            f"DROP TABLE IF EXISTS {statement.name}{self._on_cluster} SYNC",
            f"RENAME TABLE IF EXISTS {statement.name}{LOCAL_SUFFIX} TO {new}{LOCAL_SUFFIX}{self._on_cluster}",
            self._distributed(new),
        ]

    def _drop(self, statement: Statement) -> list[str]:
        if any(token.text == "," for token in statement.rest):
            raise MigrationError(
                f"DROP TABLE {statement.name} names more than one table.", "Write a statement for each."
            )
        plain = self._everywhere(statement)
        if not self._sharded(statement):
            return plain
        del self._keys[statement.name]
        self._others.add(statement.name)  # so that it may be dropped again
        return [*plain, self._renamed(statement, LOCAL_SUFFIX)]

    def _change_rows(self, statement: Statement) -> list[str]:
        return [self._renamed(statement, LOCAL_SUFFIX if self._sharded(statement) else "")]

    def _sharded(self, statement: Statement) -> bool:
        if statement.name not in self._keys and statement.name not in self._others:
            raise MigrationError(
                f"{statement.kind} {statement.name}: no migration before it creates that.",
                "Names are written with their database.",
            )
        return statement.name in self._keys

    def _everywhere(self, statement: Statement) -> list[str]:
        return [self._renamed(statement, "")]

    def _renamed(self, statement: Statement, suffix: str, *edits: tuple[int, int, str]) -> str:
        _, end = statement.name_span
        return edited(statement.text, [(end, end, f"{suffix}{self._on_cluster}"), *edits])


def _replicated(statement: Statement, engine: Token, path: str) -> tuple[int, int, str]:
    """Return the edit that makes an engine replicate under a path; its own arguments follow."""
    given = statement.rest[statement.rest.index(engine) + 1 :]
    if not given or given[0].text != "(":
        return engine.start, engine.end, f"Replicated{engine.text}({path})"
    return engine.start, given[0].end, f"Replicated{engine.text}({path}{', ' if inside(given) else ''}"
