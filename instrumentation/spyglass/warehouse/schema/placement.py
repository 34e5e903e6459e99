"""Say where the rows of a table lie on a cluster: everywhere, or on the shard that a key of theirs chooses.

Exceptions stand in clickhouse/placement.toml. A table that is not there lies by organization and trace where these are
in its sorting key, so that all of a trace is in one place, else by the whole sorting key. What tells rows apart has to
choose the shard, because two versions of a row must meet on one to replace each other.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from spyglass.assets import folder
from spyglass.errors import MigrationError
from spyglass.warehouse.schema.reading import Statement, inside

_BY_TRACE = "cityHash64(organization, trace_id)"


@dataclass(frozen=True, slots=True)
class Placement:
    """Hold the exceptions: tables that are everywhere, and keys of tables."""

    everywhere: frozenset[str]
    keys: dict[str, str]

    def key(self, created: Statement) -> str | None:
        """Return the expression that chooses the shard for rows of a table, from its CREATE TABLE; None: everywhere."""
        table = created.name.rpartition(".")[2]
        if table in self.everywhere:
            return None
        if table in self.keys:
            return self.keys[table]
        return _by_sorting_key(created)


def load(path: Path | None = None) -> Placement:
    """Read the project's file, or another one."""
    path = path or folder("clickhouse") / "placement.toml"
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    return Placement(frozenset(found["everywhere"]), dict(found["keys"]))


def _by_sorting_key(created: Statement) -> str:
    order = created.clause("ORDER BY")
    if order and order[0].text == "(":
        order = inside(order)
    if not order or created.source(order).lower() == "tuple()":
        raise MigrationError(
            f"Table {created.name} has no sorting key, so nothing says on which shard a row of it belongs.",
            "Name it in clickhouse/placement.toml.",
        )
    by_trace = {"organization", "trace_id"} <= {token.text for token in order}
    return _BY_TRACE if by_trace else f"cityHash64({created.source(order)})"
