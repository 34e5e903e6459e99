"""Give a run of the finaliser tables of its own, and let one run at a time have them.

The lock is a table, because a client has nothing else that all clients of a warehouse share: making a table that exists
fails. The run that has it says now and then that it lives; it is taken from one that has long said nothing, or that
began before the engine did.
"""

from __future__ import annotations

import secrets
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
_LOCK = "CREATE TABLE spyglass.run_lock (at DateTime64(3, 'UTC')) ENGINE = Memory"
_ALIVE = "INSERT INTO spyglass.run_lock SELECT now64(3)"
_IS_DEAD = """
SELECT metadata_modification_time < now() - uptime()
    OR (SELECT max(at) FROM spyglass.run_lock) < now64(3) - {seconds:UInt32}
    AND metadata_modification_time < now() - {seconds:UInt32} AS dead
FROM system.tables WHERE database = 'spyglass' AND name = 'run_lock'
"""
_TABLES = "SELECT name FROM system.tables WHERE database = 'spyglass' AND match(name, '^run_[0-9a-f]{12}_')"


class Work:
    """Run statements on the work tables of one run; ``$run`` in a statement is the prefix of their names."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._run = f"run_{secrets.token_hex(6)}"
        self._said_alive = 0.0

    def named(self, sql: str) -> str:
        """Return the SQL with this run's names."""
        return sql.replace("$run", self._run)

    def run(self, sql: str, values: Mapping[str, object]) -> None:
        """Run statements, one after the other."""
        if time.monotonic() - self._said_alive > ALIVE_SECONDS:
            self._warehouse.execute(_ALIVE)
            self._said_alive = time.monotonic()
        for statement in split(self.named(sql)):
            self._warehouse.execute(statement, **values)


@contextmanager
def opened(warehouse: Warehouse, tables: Sequence[str], patience_seconds: float = 0.0) -> Iterator[Work]:
    """Take the lock, give a run these tables' names, and drop them all at its end.

    Raises FinaliserBusyError where another run has the lock, and keeps it for longer than ``patience_seconds``.
    """
    _wait_for_lock(warehouse, patience_seconds)
    try:
        # What a killed run left; with the lock in our hands no other run has any.
        _drop(warehouse, [row["name"] for row in warehouse.rows(_TABLES)])
        work = Work(warehouse)
        try:
            yield work
        finally:
            _drop(warehouse, [work.named(f"$run_{table}") for table in tables])
    finally:
        _drop(warehouse, ["run_lock"])


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
        _drop(warehouse, ["run_lock"])
        _take(warehouse)


def _drop(warehouse: Warehouse, tables: Sequence[str]) -> None:
    if tables:
        warehouse.execute(f"DROP TABLE IF EXISTS {', '.join(f'spyglass.{name}' for name in tables)} SYNC")
