"""Say what a statement of a migration costs, and find those that cost much and do not say so.

A statement that reads or writes what is stored, or takes it away, needs a line ``-- danger: why, and how long`` among
the comments right above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from spyglass.errors import MigrationError
from spyglass.warehouse.schema import actions
from spyglass.warehouse.schema.actions import INSTANT, REWRITE
from spyglass.warehouse.schema.reading import Statement, read

if TYPE_CHECKING:
    from spyglass.warehouse.migrations import Migration

INSERT = "insert"
_LOSES = frozenset({"DROP TABLE", "TRUNCATE TABLE", "DELETE FROM"})
_DANGER = re.compile(r"^-- danger: (\S.*)$", re.MULTILINE)


def effect(statement: Statement) -> str:
    """Return INSTANT, INSERT (rows are added) or REWRITE (what is stored is read, written or lost)."""
    if statement.kind in _LOSES:
        return REWRITE
    if statement.kind == "ALTER TABLE":
        return REWRITE if any(action.effect == REWRITE for action in actions.of(statement)) else INSTANT
    if statement.kind == "CREATE MATERIALIZED VIEW" and statement.find("POPULATE") is not None:
        return REWRITE
    return INSERT if statement.kind == "INSERT INTO" else INSTANT


def said(statement: Statement) -> str:
    """Return what the comments right above a statement say of its danger; "" where they say nothing."""
    above = statement.text[: statement.tokens[0].start]
    found = _DANGER.search(above[above.rfind("\n\n") + 1 :])
    return found[1].strip() if found else ""


def unsaid(migrations: Sequence[Migration]) -> Iterator[str]:
    """Yield a sentence for each statement that costs much and does not say so."""
    for migration in migrations:
        for line, text in zip(migration.lines, migration.statements, strict=True):
            statement = read(text)
            if effect(statement) == REWRITE and not said(statement):
                yield (
                    f"{migration.name}.sql line {line}: {statement.kind} {statement.name} reads, writes or loses what"
                    " is stored, and no comment '-- danger: …' above it says why and how long that takes."
                )


def check(migrations: Sequence[Migration]) -> None:
    """Raise MigrationError with all that unsaid() finds."""
    found = list(unsaid(migrations))
    if found:
        raise MigrationError("\n".join(found), "Say it there, or find a way that only changes metadata.")
