"""Run statements that bring no data: queries of everybody, and whatever the admin says."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from spyglass.errors import StatementError
from spyglass.warehouse import codes
from spyglass.warehouse.auth import User
from spyglass.warehouse.engine import Engine, Session
from spyglass.warehouse.gate import Gate
from spyglass.warehouse.statements import into_file, literal, names, output_format, tokens

LONGEST_QUERY_SECONDS = 60
_PIECE_BYTES = 1 << 20
# Results in these formats can be sent as they come: their pieces simply follow each other. Others go through a file.
_STREAMABLE = names(
    "Native TabSeparated TSV TabSeparatedRaw TSVRaw CSV RowBinary JSONEachRow JSONLines NDJSON JSONCompactEachRow"
)
# What non-admins may set; everything else is refused, as ClickHouse does under readonly=1.
_HARMLESS_SETTINGS = names(
    "cancel_http_readonly_queries_on_client_close date_time_input_format date_time_output_format extremes "
    "join_use_nulls max_block_size max_execution_time max_result_bytes max_result_rows max_threads "
    "result_overflow_mode session_timezone"
)
_IGNORED_SETTINGS = names("async_insert wait_for_async_insert readonly")


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

    @property
    def output(self) -> str:
        """Return the format of the result."""
        found = output_format(self.sql)
        return found.text if found else self.default_format


class Reader:
    """Run statements under the limits of their users."""

    def __init__(self, engine: Engine, memory_bytes: int) -> None:
        self._engine = engine
        self._gate = Gate(engine)
        self._limits = {
            "max_execution_time": LONGEST_QUERY_SECONDS,
            "max_memory_usage": memory_bytes,
            # A row that came again replaces the earlier one; without FINAL both count until they are merged. A row's
            # partition follows from its key, so its versions never lie in two partitions.
            "final": 1,
            "do_not_merge_across_partitions_select_final": 1,
        }

    def run(self, statement: Statement) -> Iterator[bytes]:
        """Run a statement and yield its result; the caller closes the iterator. Raises StatementError."""
        admin = statement.user is User.ADMIN
        settings: dict[str, object] = dict(statement.settings) if admin else self._settings(statement.settings)
        if _is_query(statement.sql):  # what writes is never cancelled half way
            settings["log_comment"] = statement.mark
        readonly = statement.only_reads or not admin
        with self._engine.session(statement.user, settings, readonly=readonly) as session:
            if not admin:
                self._gate.check(session, statement.sql, statement.parameters)
            yield from self._pieces(session, statement)

    def cancel(self, statement: Statement) -> None:
        """End a statement's query if it runs; whoever waits for it gets a StatementError."""
        with suppress(StatementError), self._engine.session("admin") as session:
            session.run(f"KILL QUERY WHERE Settings['log_comment'] = {literal(statement.mark)} ASYNC")

    def _pieces(self, session: Session, statement: Statement) -> Iterator[bytes]:
        found = session.classify(statement.sql)
        if found.statements > 1:
            raise codes.refused(codes.SYNTAX_ERROR, "Syntax error (Multi-statements are not allowed).")
        output = statement.output
        if not (found.read_only and _is_query(statement.sql)):
            yield session.run(statement.sql, output, statement.parameters).data
        elif output in _STREAMABLE and not statement.whole:
            yield from session.stream(statement.sql, output, statement.parameters)
        else:
            yield from self._through_file(session, statement, output)

    def _through_file(self, session: Session, statement: Statement, output: str) -> Iterator[bytes]:
        """Let the engine write the result into a file, so that however large it is, memory stays small."""
        path = self._engine.spool / uuid.uuid4().hex
        try:
            session.run(into_file(statement.sql, str(path), output), output, statement.parameters)
            with path.open("rb") as stream:
                while piece := stream.read(_PIECE_BYTES):
                    yield piece
        finally:
            path.unlink(missing_ok=True)

    def _settings(self, wished: Mapping[str, str]) -> dict[str, object]:
        settings: dict[str, object] = dict(self._limits)
        for name, value in wished.items():
            if name in _IGNORED_SETTINGS:
                continue
            if name not in _HARMLESS_SETTINGS and not name.startswith("output_format_"):
                raise codes.refused(codes.READONLY, f"Cannot modify '{name[:64]}' setting in readonly mode.")
            settings[name] = _shorter(value) if name == "max_execution_time" else value
        return settings


def _is_query(sql: str) -> bool:
    first = next(tokens(sql), None)
    return first is not None and (first.is_word("SELECT", "WITH", "FROM") or first.text == "(")


def _shorter(seconds: str) -> int:
    """Return the time that a client wishes, within the limit; 0 means without one."""
    try:
        wished = int(float(seconds))
    except ValueError:
        raise StatementError(codes.UNKNOWN_SETTING, f"max_execution_time is no number: {seconds[:32]!r}.") from None
    return min(wished, LONGEST_QUERY_SECONDS) if wished > 0 else LONGEST_QUERY_SECONDS
