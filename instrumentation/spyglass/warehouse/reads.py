"""Run statements that bring no data: queries of everybody, and whatever the admin says."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import SpooledTemporaryFile

from spyglass.errors import StatementError
from spyglass.warehouse import codes
from spyglass.warehouse.auth import User
from spyglass.warehouse.engine import Engine, Session
from spyglass.warehouse.gate import Gate
from spyglass.warehouse.limits import Limits
from spyglass.warehouse.statements import into_file, literal, names, output_format, settings_of, tokens
from spyglass.warehouse.usage import Usage

_PIECE_BYTES = 1 << 20
_WATCH_SECONDS = 0.2
# Results in these formats can be sent as they come: their pieces simply follow each other. Others go through a file.
_STREAMABLE = names(
    "Native TabSeparated TSV TabSeparatedRaw TSVRaw CSV RowBinary JSONEachRow JSONLines NDJSON JSONCompactEachRow"
)
_WITHOUT_ROWS = names(
    "ALTER ATTACH CREATE DELETE DETACH DROP EXCHANGE GRANT INSERT OPTIMIZE RENAME REVOKE SET SYSTEM TRUNCATE UNDROP "
    "UPDATE USE"
)
# What non-admins may set; everything else is refused, as ClickHouse does under readonly=1.
_HARMLESS_SETTINGS = names(
    "cancel_http_readonly_queries_on_client_close date_time_input_format date_time_output_format extremes "
    "join_use_nulls limit max_block_size max_execution_time max_result_bytes max_result_rows "
    "max_threads offset result_overflow_mode session_timezone"
)
# What they may set in the statement, too. None of these shortens what the engine explains to the gate.
_OWN_SETTINGS = names("join_use_nulls max_execution_time max_threads session_timezone")
_IGNORED_SETTINGS = names("async_insert wait_for_async_insert readonly")
# A row that came again replaces the earlier one; without FINAL both count until they are merged. A row's partition
# follows from its key, so its versions never lie in two partitions. What is asked of the key alone (a trace, a time)
# holds of all versions alike: it is looked at first, and texts are read of the rows that are left.
_FINAL = {"final": 1, "do_not_merge_across_partitions_select_final": 1, "optimize_move_to_prewhere_if_final": 1}


@dataclass(frozen=True, slots=True)
class Statement:
    """Hold a statement and what goes with it."""

    user: User
    sql: str
    settings: Mapping[str, str]
    parameters: Mapping[str, str]
    default_format: str
    only_reads: bool
    whole: bool = False  # the client wants an error instead of half a result
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)  # by which its query can be cancelled
    usage: Usage = field(default_factory=Usage)  # what it took, as far as it has run

    @property
    def output(self) -> str:
        """Return the format of the result."""
        found = output_format(self.sql)
        return found.text if found else self.default_format

    @property
    def answer_format(self) -> str:
        """Return the format that the answer names: none where a statement gives no rows, by which clients know it."""
        first = next(tokens(self.sql), None)
        return "" if first is not None and first.is_word(*_WITHOUT_ROWS) else self.output


class Reader:
    """Run statements under the limits of their users."""

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self._engine = engine
        self._gate = Gate(engine)
        self._limits = limits

    def run(self, statement: Statement) -> Iterator[bytes]:
        """Run a statement and yield its result; the caller closes the iterator. Raises StatementError."""
        admin = statement.user is User.ADMIN
        settings: dict[str, object] = dict(statement.settings) if admin else self._checked(statement)
        if is_query(statement.sql):  # what writes is never cancelled half way
            settings["log_comment"] = statement.mark
        readonly = statement.only_reads or not admin
        limits = Limits() if admin else self._limits
        with self._engine.session(statement.user, settings, readonly=readonly) as session:
            session.measure(statement.usage)
            try:
                yield from self._pieces(session, statement, limits)
            except StatementError as error:
                raise (error if admin else limits.explained(error, settings)) from None
        statement.usage.ended()

    def cancel(self, statement: Statement) -> None:
        """End a statement's query if it runs; whoever waits for it gets a StatementError."""
        with suppress(StatementError), self._engine.session("admin") as session:
            session.run(f"KILL QUERY WHERE Settings['log_comment'] = {literal(statement.mark)} ASYNC")

    def _pieces(self, session: Session, statement: Statement, limits: Limits) -> Iterator[bytes]:
        found = session.classify(statement.sql)
        if found.statements > 1:
            raise codes.refused(codes.SYNTAX_ERROR, "Syntax error (Multi-statements are not allowed).")
        output = statement.output
        if not (found.read_only and is_query(statement.sql)):
            result = session.run(statement.sql, output, statement.parameters)
            statement.usage.gave(result.rows, result.bytes)
            yield result.data
        elif output in _STREAMABLE:
            pieces = _streamed(session, statement, limits)
            yield from (self._held_back(pieces) if statement.whole else pieces)
        else:
            yield from self._through_file(session, statement, output, limits)

    def _held_back(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Give nothing before the last piece has come; what is large waits on disk."""
        with SpooledTemporaryFile(_PIECE_BYTES, dir=str(self._engine.spool)) as waiting:
            for piece in pieces:
                waiting.write(piece)
            waiting.seek(0)
            while piece := waiting.read(_PIECE_BYTES):
                yield piece

    def _through_file(self, session: Session, statement: Statement, output: str, limits: Limits) -> Iterator[bytes]:
        """Let the engine write the result into a file, so that however large it is, memory stays small."""
        path = self._engine.spool / uuid.uuid4().hex
        try:
            with self._watched(path, statement, limits):
                session.run(into_file(statement.sql, str(path), output), output, statement.parameters)
            with path.open("rb") as stream:
                while piece := stream.read(_PIECE_BYTES):
                    yield piece
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def _watched(self, path: Path, statement: Statement, limits: Limits) -> Iterator[None]:
        """End the query when its file grows too large, instead of filling the disk; raises StatementError."""
        done = threading.Event()

        def check() -> None:
            limits.check_size(path.stat().st_size if path.exists() else 0)

        def watch() -> None:
            while not done.wait(_WATCH_SECONDS):
                try:
                    check()
                except StatementError:
                    self.cancel(statement)

        watcher = threading.Thread(target=watch, name="watch")
        watcher.start()
        try:
            yield
        except StatementError:
            check()  # where it was ended for that, say so
            raise
        finally:
            done.set()
            watcher.join()
        check()

    def _checked(self, statement: Statement) -> dict[str, object]:
        """Return the settings of a question that passes the gate; raises StatementError for any other."""
        own = self._own_settings(statement.sql)
        settings = self._settings(statement) | own
        self._gate.check(statement.user, statement.sql, statement.parameters, own)
        return settings

    def _settings(self, statement: Statement) -> dict[str, object]:
        settings: dict[str, object] = {**self._limits.settings, **_FINAL}
        for name, value in statement.settings.items():
            if name in _IGNORED_SETTINGS:
                continue
            if name not in _HARMLESS_SETTINGS and not name.startswith("output_format_"):
                raise codes.refused(codes.READONLY, f"Cannot modify '{name[:64]}' setting in readonly mode.")
            settings[name] = self._limits.lowered(name, value)
        return settings

    def _own_settings(self, sql: str) -> dict[str, object]:
        """Return what a question's own SETTINGS clause may change: it can stand where the session has it already."""
        own = settings_of(sql)
        return {name: self._limits.lowered(name, own[name]) for name in _OWN_SETTINGS.intersection(own)}


def _streamed(session: Session, statement: Statement, limits: Limits) -> Iterator[bytes]:
    size = 0
    for piece in session.stream(statement.sql, statement.output, statement.usage, statement.parameters):
        size += len(piece)
        limits.check_size(size)
        yield piece


def is_query(sql: str) -> bool:
    """Say whether a statement is a question that gives rows of its own, not a SHOW or a command."""
    first = next(tokens(sql), None)
    return first is not None and (first.is_word("SELECT", "WITH", "FROM") or first.text == "(")
