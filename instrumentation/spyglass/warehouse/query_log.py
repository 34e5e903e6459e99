"""Keep who asked what in the table query_log, without delaying an answer.

Which statements are kept:

- all of the reader and the admin, inserts with their head only;
- of the admin, not those that ended well sooner than their client asked for by ClickHouse's own setting
  ``log_queries_min_query_duration_ms``: what the server does every few seconds is kept only when it fails or is slow;
- of the collector, only questions that failed: its inserts are counted by metrics and dead letters.

Entries wait in memory and are written together by a thread of their own. Where too many wait, or the table cannot be
written, they are dropped and counted.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from spyglass.errors import StatementError
from spyglass.warehouse import metrics
from spyglass.warehouse.auth import User
from spyglass.warehouse.engine import DATABASE, Engine
from spyglass.warehouse.statements import names, tokens
from spyglass.warehouse.usage import Usage

log = logging.getLogger("spyglass.warehouse")

# What an admin says so that everything until now is in the table, as on a ClickHouse server.
FLUSH = "SYSTEM FLUSH LOGS"
MIN_DURATION_SETTING = "log_queries_min_query_duration_ms"
STATEMENT_CHARACTERS = 1_000
CLIENT_CHARACTERS = 200
_EVERY_SECONDS = 2.0
_AT_ONCE = 1_000  # that many entries are written without waiting for the interval
MOST_WAITING = 10_000
_KINDS = names(
    "ALTER ATTACH BACKUP CHECK CREATE DELETE DESC DESCRIBE DETACH DROP EXCHANGE EXISTS EXPLAIN GRANT INSERT KILL "
    "OPTIMIZE RENAME RESTORE REVOKE SELECT SET SHOW SYSTEM TRUNCATE UNDROP UPDATE USE WATCH"
)
_QUESTIONS = names("FROM ( WITH")


@dataclass(slots=True)
class Entry:
    """Hold what is known of a statement that ended; names and units are those of the table."""

    at: str
    query_id: str
    user: str
    kind: str
    duration_ms: float
    answer_bytes: int
    error_code: int
    statement: str
    client: str
    usage: Usage = field(default_factory=Usage)

    def line(self) -> bytes:
        """Return the row as JSON; what is unknown is null."""
        row = asdict(self)
        used = row.pop("usage")
        del used["result_bytes"]
        return json.dumps(row | used).encode() + b"\n"


def now() -> str:
    """Return this moment as the table wants it."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def shown(text: str, characters: int) -> str:
    """Return the beginning of a text that may not even be text."""
    return text[:characters].encode("utf-8", "replace").decode()


def kind_of(sql: str) -> str:
    """Return the word that a statement begins with; SELECT for every way to begin a question."""
    first = next(tokens(sql), None)
    word = first.text.upper() if first else ""
    if word in _QUESTIONS:
        return "SELECT"
    return word if word in _KINDS else "OTHER"


def without_data(sql: str) -> str:
    """Return an INSERT up to where its data may begin."""
    for token in tokens(sql):
        if token.is_word("VALUES", "FORMAT"):
            return sql[: token.end]
    return sql


def is_kept(user: User, kind: str, duration_ms: float, error_code: int, shortest_ms: str) -> bool:
    """Say whether a statement belongs into the log (see above); ``shortest_ms`` is the client's setting."""
    if user is User.COLLECTOR:
        return bool(error_code) and kind != "INSERT"
    routine = user is User.ADMIN and shortest_ms.isdecimal() and duration_ms < int(shortest_ms)
    return bool(error_code) or not routine


class QueryLog:
    """Take entries from the event loop and write them from a thread."""

    def __init__(self, engine: Engine, every_seconds: float = _EVERY_SECONDS) -> None:
        self._engine = engine
        self._every_seconds = every_seconds
        self._waiting: deque[Entry] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._writer: threading.Thread | None = None
        self._writing = threading.Lock()

    def start(self) -> None:
        """Begin to write; until now entries only waited, because there was no table."""
        self._writer = threading.Thread(target=self._write_for_ever, name="query-log", daemon=True)
        self._writer.start()

    def add(self, entry: Entry) -> None:
        """Take an entry, or drop and count it where too many wait; never blocks."""
        if len(self._waiting) >= MOST_WAITING:
            metrics.QUERY_LOG_ROWS.labels("dropped").inc()
            return
        self._waiting.append(entry)
        if len(self._waiting) >= _AT_ONCE:
            self._wake.set()

    def close(self) -> None:
        """Write what waits and stop."""
        self._closing = True
        self._wake.set()
        if self._writer is not None:
            self._writer.join()

    def _write_for_ever(self) -> None:
        while not self._closing:
            self._wake.wait(self._every_seconds)
            self._wake.clear()
            self.flush()
        self.flush()

    def flush(self) -> None:
        """Write what waits, now, in the caller's thread."""
        with self._writing:
            self._write()

    def _write(self) -> None:
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not batch:
            return
        try:
            self._insert(batch)
        except StatementError as error:
            metrics.QUERY_LOG_ROWS.labels("dropped").inc(len(batch))
            log.warning("%d rows of the query log are lost: %s", len(batch), error)
        else:
            metrics.QUERY_LOG_ROWS.labels("stored").inc(len(batch))

    def _insert(self, batch: Sequence[Entry]) -> None:
        columns = ", ".join(json.loads(batch[0].line()))
        with self._engine.writer() as session:
            session.insert(f"{DATABASE}.query_log ({columns})", (entry.line() for entry in batch), "JSONEachRow")
