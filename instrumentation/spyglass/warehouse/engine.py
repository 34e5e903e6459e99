"""Hold the one engine of this process: chDB. No other module touches it.

A process has one engine, an engine one data directory, and a data directory one process; after it is open, the process
must not fork. Connections are cheap and each has its own settings and role.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chdb.state.sqlitelike import Connection

from spyglass.errors import DataDirectoryError, StatementError
from spyglass.warehouse import codes, configuration
from spyglass.warehouse.statements import literal
from spyglass.warehouse.usage import Usage

DATABASE = "spyglass"
# An insert may bring points of any number of weeks, each its own partition.
_WRITE_SETTINGS = {"async_insert": 0, "max_partitions_per_insert_block": 0}


# A message that quotes data which is no text cannot even be raised as what it is.
_ENGINE_ERRORS = (RuntimeError, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class Result:
    """Hold what a statement returned, in its format; rows and bytes (in memory) are of that, or of an INSERT's data."""

    data: bytes
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Class:
    """Say what the engine's parser takes a text for."""

    read_only: bool
    statements: int
    name: str


class Session:
    """Run statements on one connection; one at a time, from one thread at a time."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def measure(self, usage: Usage) -> None:
        """Count what the next statements of this session read and write."""
        self._connection.set_progress_callback(usage.progressed)

    def run(self, sql: str, output: str = "Null", parameters: Mapping[str, str] | None = None) -> Result:
        """Run one statement and return all of its result; raises StatementError."""
        try:
            result = self._connection.query(_sent(sql), output, params=_checked(parameters))
        except _ENGINE_ERRORS as error:
            raise _explained(error) from None
        return Result(bytes(result.bytes() or b""), int(result.rows_read()), int(result.bytes_read()))

    def stream(
        self, sql: str, output: str, usage: Usage, parameters: Mapping[str, str] | None = None
    ) -> Iterator[bytes]:
        """Run one query and yield its result piece by piece, counted; closing the iterator cancels the query.

        Raises StatementError, also in the middle. Only for formats whose pieces can simply follow each other.
        """
        stream, rows, size = None, 0, 0
        try:
            stream = self._connection.send_query(_sent(sql), output, params=_checked(parameters))
            for piece in stream:
                usage.gave(int(piece.rows_read()), int(piece.bytes_read()))
                rows, size = rows + int(piece.storage_rows_read()), size + int(piece.storage_bytes_read())
                usage.has_read(rows, size)
                yield bytes(piece.bytes())
        except _ENGINE_ERRORS as error:
            raise _explained(error) from None
        finally:
            if stream is not None:
                with suppress(RuntimeError):
                    stream.cancel()

    def classify(self, sql: str) -> Class:
        """Ask the engine's parser what a text is."""
        found = self._connection._conn.classify_query(_sent(sql), DATABASE)  # noqa: SLF001 -- chDB offers it nowhere else
        name = found["query_class"].name
        return Class(read_only=name == "READ_ONLY", statements=found["statement_count"], name=name)

    def insert(self, target: str, pieces: Iterable[bytes], data_format: str, settings: str = "") -> int:
        """Insert data of this format and return how many rows it had; the pieces simply follow each other.

        ``target`` is a table and, in brackets, its columns. The data reaches the engine as a file in memory, never in
        the text of a statement: the engine would cut it at a blank line and run the rest. Raises StatementError.
        """
        with memory_file(pieces) as path:
            more = f" SETTINGS {settings}" if settings else ""
            return self.run(f"INSERT INTO {target} FROM INFILE {literal(path)}{more} FORMAT {data_format}").rows

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Engine:
    """Open, share and close the engine."""

    def __init__(self, folder: Path, durability: str) -> None:
        self._folder = folder
        self._durability = durability
        self._lock = threading.Lock()
        self._root: Session | None = None
        self._idle_writers: list[Session] = []
        self._lock_file = -1
        self._source = ""
        self.version = ""

    @property
    def spool(self) -> Path:
        """Return the folder for results that wait to be sent."""
        return self._folder / "spool"

    def open(self) -> None:
        """Open the engine on its folder; raises DataDirectoryError when another process has it or it cannot be used."""
        self._take_folder()
        main = configuration.write(self._folder, self._durability)
        self._source = f"{self._folder / 'engine'}?config-file={main}"
        try:
            self._root = Session(Connection(self._source))
        except RuntimeError as error:
            raise DataDirectoryError(
                str(self._folder), f"the engine cannot open it ({codes.from_engine(str(error)).problem})"
            ) from None
        self.version = self._root.run("SELECT version()", "TSVRaw").data.decode().strip()

    def close(self) -> None:
        """Close the engine: what was answered is on disk."""
        with self._lock:
            sessions, self._idle_writers = self._idle_writers, []
        for session in sessions:
            session.close()
        if self._root is not None:
            self._root.close()
            self._root = None
        if self._lock_file >= 0:
            os.close(self._lock_file)
            self._lock_file = -1

    @contextmanager
    def session(
        self, role: str, settings: Mapping[str, object] | None = None, *, readonly: bool = False
    ) -> Iterator[Session]:
        """Give a new connection narrowed to a role; ``readonly`` comes last and cannot be taken back."""
        session = self._connect(role, settings or {})
        try:
            if readonly:
                session.run("SET readonly = 1")
            yield session
        finally:
            session.close()

    @contextmanager
    def writer(self) -> Iterator[Session]:
        """Lend a connection that inserts; it is kept for the next insert."""
        with self._lock:
            session = self._idle_writers.pop() if self._idle_writers else None
        session = session or self._connect("admin", _WRITE_SETTINGS)
        try:
            yield session
        finally:
            with self._lock:
                self._idle_writers.append(session)

    def _connect(self, role: str, settings: Mapping[str, object]) -> Session:
        with self._lock:
            session = Session(Connection(self._source))
        try:
            session.run(f"SET ROLE {role}")
            with suppress(StatementError):  # before the first migration there is no database
                session.run(f"USE {DATABASE}")
            if settings:
                session.run("SET " + ", ".join(f"{name} = {_value(value)}" for name, value in settings.items()))
        except BaseException:
            session.close()
            raise
        return session

    def _take_folder(self) -> None:
        """Keep other engines out, with a sentence; the lock goes with the process, however it ends."""
        try:
            self.spool.mkdir(parents=True, exist_ok=True)
            for file in self.spool.iterdir():
                file.unlink()
            self._lock_file = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.truncate(self._lock_file, 0)
            os.write(self._lock_file, f"{os.getpid()}\n".encode())
        except BlockingIOError:
            holder = os.read(self._lock_file, 16).decode("ascii", "replace").strip()
            raise DataDirectoryError(
                str(self._folder),
                f"another warehouse (process {holder}) has it open.",
                "Stop that one with spyglass down, or start this one elsewhere with --data-dir.",
            ) from None
        except OSError as error:
            raise DataDirectoryError(str(self._folder), f"{error.strerror} ({error.filename}).") from None


@contextmanager
def memory_file(pieces: Iterable[bytes]) -> Iterator[str]:
    """Give the path of a file in memory that holds the pieces, for as long as the context lasts."""
    descriptor = os.memfd_create("insert")
    try:
        for piece in pieces:
            view = memoryview(piece)
            while view:
                view = view[os.write(descriptor, view) :]
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _sent(sql: str) -> str | bytes:
    """Return a statement as the engine takes it; bytes that are no text are allowed in its literals."""
    return sql if sql.isascii() else sql.encode("utf-8", "surrogateescape")


def _checked(parameters: Mapping[str, str] | None) -> dict[str, str]:
    """Return the parameters; raises StatementError for one that is no text: the engine takes none."""
    for name, value in (parameters or {}).items():
        try:
            (name + value).encode()
        except UnicodeEncodeError:
            shown = name.encode("ascii", "replace").decode()[:64]
            raise codes.refused(codes.SYNTAX_ERROR, f"The parameter {shown} is not UTF-8.") from None
    return dict(parameters or {})


def _explained(error: Exception) -> StatementError:
    if isinstance(error, UnicodeDecodeError):
        return codes.from_engine(bytes(error.object).decode("utf-8", "replace"))
    return codes.from_engine(str(error))


def _value(value: object) -> str:
    return str(int(value)) if isinstance(value, (bool, int)) else literal(str(value))
