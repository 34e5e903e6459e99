"""Give a run of the finaliser tables of its own, and let one run at a time have them.

The lock is a table, because a client has nothing else that all clients of a warehouse share: making a table that exists
fails. The run that has it says now and then that it lives; it is taken from one that has long said nothing, or that
began before the engine did.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from spyglass.errors import FinaliserBusyError, StatementError
from spyglass.warehouse import codes
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.statements import split

# Longer than any statement may take.
DEAD_AFTER_SECONDS = 120
ALIVE_SECONDS = 10
# Longer than a run of the finaliser takes.
PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.1
_LOCK_TABLE = "spyglass.run_lock"
_LOCK = "CREATE TABLE spyglass.run_lock (at DateTime64(3, 'UTC')) ENGINE = Memory"
_ALIVE = "INSERT INTO spyglass.run_lock SELECT now64(3)"
_IS_DEAD = """
SELECT metadata_modification_time < now() - uptime()
    OR (SELECT max(at) FROM spyglass.run_lock) < now64(3) - {seconds:UInt32}
    AND metadata_modification_time < now() - {seconds:UInt32} AS dead
FROM system.tables WHERE database = 'spyglass' AND name = 'run_lock'
"""
_STATE = """
SELECT
    groupArray(name) AS tables,
    sum(total_rows) > 0 AS filled,
    (SELECT count() FROM spyglass.schema_migrations) AS migrations
FROM system.tables
WHERE database = 'spyglass_work'
"""
# A database in memory: nobody sees it among the warehouse's tables, and a restart leaves nothing of it.
_PLACE = "CREATE DATABASE IF NOT EXISTS spyglass_work ENGINE = Memory"
_EMPTY = "TRUNCATE ALL TABLES FROM spyglass_work"
_MAKES = re.compile(r"CREATE TABLE spyglass\.\$run_(\w+) (?:ENGINE = Memory AS\n)?")
_NAMED = re.compile(r"spyglass\.\$run_(\w+)")


class Work:
    """Run statements on work tables; ``spyglass.$run_NAME`` in a statement is one of them.

    A statement that makes one only fills it, where it was made with the same words, by this run or an earlier one, of
    work tables that were made with the same words, in the same schema: the engine plans CREATE TABLE … AS SELECT twice.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        (state,) = warehouse.rows(_STATE)
        self._there = set(state["tables"])
        if not self._there:
            warehouse.execute(_PLACE)
        self._migrations = state["migrations"]
        if state["filled"]:  # by a run that was killed
            warehouse.execute(_EMPTY)
        self._names: dict[str, str] = {}
        self._said_alive = 0.0

    def named(self, sql: str) -> str:
        """Return the SQL with the tables' names."""
        return _NAMED.sub(lambda found: f"spyglass_work.{self._names[found[1]]}", sql)

    def run(self, sql: str, values: Mapping[str, object]) -> None:
        """Run statements, one after the other."""
        if time.monotonic() - self._said_alive > ALIVE_SECONDS:
            self._warehouse.execute(_ALIVE)
            self._said_alive = time.monotonic()
        for statement in split(sql):
            made = _MAKES.search(statement)
            if made:
                self._make(made[1], statement[made.end() :], values)
            else:
                self._warehouse.execute(self.named(statement), **values)

    def clear(self) -> None:
        """Empty the tables of this run, and drop those of other words and older schemas."""
        if self._names:
            self._warehouse.execute(_EMPTY)
        old = self._there.difference(self._names.values())
        _drop(self._warehouse, sorted(f"spyglass_work.{table}" for table in old))

    def _make(self, name: str, rest: str, values: Mapping[str, object]) -> None:
        form = self.named(rest)
        words = hashlib.sha256(f"{self._migrations} {form}".encode()).hexdigest()
        self._names[name] = table = f"{name}_{words[:16]}"
        listed = form.startswith("(")
        if table not in self._there:
            made = form if listed else f"ENGINE = Memory EMPTY AS {form}"
            self._warehouse.execute(f"CREATE TABLE spyglass_work.{table} {made}", **values)
            self._there.add(table)
        if not listed:
            self._warehouse.execute(f"INSERT INTO spyglass_work.{table} {form}", **values)


@contextmanager
def opened(warehouse: Warehouse, patience_seconds: float = 0.0) -> Iterator[Work]:
    """Take the lock, and give a run its work tables, which are empty.

    Raises FinaliserBusyError where another run has the lock, and keeps it for longer than ``patience_seconds``.
    """
    _wait_for_lock(warehouse, patience_seconds)
    try:
        work = Work(warehouse)
        try:
            yield work
        finally:
            work.clear()
    finally:
        _drop(warehouse, [_LOCK_TABLE])


def _wait_for_lock(warehouse: Warehouse, patience_seconds: float) -> None:
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            _take(warehouse)
        except FinaliserBusyError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return


def _take(warehouse: Warehouse) -> None:
    try:
        warehouse.execute(_LOCK)
    except StatementError as error:
        if error.code != codes.TABLE_ALREADY_EXISTS:
            raise
        if not any(row["dead"] for row in warehouse.rows(_IS_DEAD, seconds=DEAD_AFTER_SECONDS)):
            raise FinaliserBusyError from None
        _drop(warehouse, [_LOCK_TABLE])
        _take(warehouse)


def _drop(warehouse: Warehouse, tables: Sequence[str]) -> None:
    if tables:
        warehouse.execute(f"DROP TABLE IF EXISTS {', '.join(tables)} SYNC")
