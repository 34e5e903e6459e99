"""Bring the schema up to date: numbered files, forward only, each run once and never changed after.

State is in ``spyglass.schema_migrations``: a file is STARTED before its first statement and DONE after its last one. A
run that died half way is taken up again with that file, whose statements do nothing where they were done already.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spyglass.assets import folder
from spyglass.errors import MigrationError, StatementError
from spyglass.warehouse.connection import Connection
from spyglass.warehouse.statements import split, tokens

STARTED = "started"
DONE = "done"
_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
STATE_TABLE = (
    "CREATE DATABASE IF NOT EXISTS spyglass ENGINE = Atomic",
    """CREATE TABLE IF NOT EXISTS spyglass.schema_migrations
(
    number UInt32,
    name String,
    checksum String COMMENT 'SHA-256 of the file',
    state String COMMENT 'started or done',
    at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(at)
ORDER BY number""",
)
_STATE = "SELECT number, name, checksum, state FROM spyglass.schema_migrations FINAL ORDER BY number"
_STATE_EXISTS = "SELECT count() AS found FROM system.tables WHERE database = 'spyglass' AND name = 'schema_migrations'"


@dataclass(frozen=True, slots=True)
class Migration:
    """Hold one file; ``lines`` are those on which its statements begin, behind their comments."""

    number: int
    name: str
    checksum: str
    statements: tuple[str, ...]
    lines: tuple[int, ...] = ()


def load(directory: Path | None = None) -> list[Migration]:
    """Read the files of a directory (else the project's) in order; raises MigrationError for a gap or a wrong name."""
    directory = directory or folder("clickhouse") / "migrations"
    files = sorted(directory.glob("*.sql"))
    if not files:
        raise MigrationError(f"There is no migration in {directory}.")
    found = [_load(file) for file in files]
    for expected, migration in enumerate(found, start=1):
        if migration.number != expected:
            raise MigrationError(
                f"Migration {expected:04} is missing in {directory}: {migration.name} follows {expected - 1:04}.",
                "Numbers go up by one, each is used once.",
            )
    return found


def pending(connection: Connection, migrations: Sequence[Migration]) -> list[Migration]:
    """Return what has not run to its end; raises MigrationError when what ran differs from the files."""
    if not connection.rows(_STATE_EXISTS)[0]["found"]:
        return list(migrations)
    ran = {row["number"]: row for row in connection.rows(_STATE)}
    by_number = {migration.number: migration for migration in migrations}
    for number, row in ran.items():
        _check(row, by_number.get(number))
    return [migration for migration in migrations if ran.get(migration.number, {}).get("state") != DONE]


def apply(
    connection: Connection,
    migrations: Sequence[Migration],
    report: Callable[[str], None],
    state_table: Sequence[str] = STATE_TABLE,
) -> int:
    """Run what is pending and return how many files that were; raises MigrationError.

    ``state_table`` and the migrations are in the same form: as they are written, or for a cluster.
    """
    for statement in state_table:
        connection.execute(statement)
    todo = pending(connection, migrations)
    for migration in todo:
        _record(connection, migration, STARTED)
        _run(connection, migration)
        _record(connection, migration, DONE)
        report(f"migration {migration.name} done")
    return len(todo)


def _load(file: Path) -> Migration:
    found = _NAME.fullmatch(file.name)
    if not found:
        raise MigrationError(f"{file} is not named like 0001_what_it_does.sql.")
    text = file.read_text(encoding="utf-8")
    statements = tuple(split(text))
    if not statements:
        raise MigrationError(f"{file} has no statement.")
    checksum = hashlib.sha256(file.read_bytes()).hexdigest()
    return Migration(int(found[1]), file.stem, checksum, statements, tuple(_lines(text, statements)))


def _lines(text: str, statements: Sequence[str]) -> Iterator[int]:
    start = 0
    for statement in statements:
        start = text.index(statement, start)
        yield text.count("\n", 0, start + next(tokens(statement)).start) + 1
        start += len(statement)


def _check(row: dict[str, Any], migration: Migration | None) -> None:
    if migration is None:
        raise MigrationError(
            f"This warehouse has migration {row['name']}, which this version of spyglass does not know.",
            "It was written by a newer version: use that one.",
        )
    if row["state"] == DONE and row["checksum"] != migration.checksum:
        raise MigrationError(
            f"Migration {migration.name} was changed after it ran.",
            "Put the file back as it was, and write the change as a new migration.",
        )


def _run(connection: Connection, migration: Migration) -> None:
    for place, statement in enumerate(migration.statements, start=1):
        try:
            connection.execute(statement)
        except StatementError as error:
            where = f"statement {place} of {len(migration.statements)}"
            raise MigrationError(
                f"Migration {migration.name} failed at {where}: {error.problem}", "It goes on there at the next start."
            ) from None


def _record(connection: Connection, migration: Migration, state: str) -> None:
    row = {"number": migration.number, "name": migration.name, "checksum": migration.checksum, "state": state}
    connection.insert("spyglass.schema_migrations", [row])
