"""Speak ClickHouse's HTTP protocol: take a request, find out what it is, and hand it to who does it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from spyglass.errors import StatementError
from spyglass.warehouse import codes, compression, dead_letters, metrics, native, query_log, requests
from spyglass.warehouse.accounts import Asked, account
from spyglass.warehouse.auth import User, user_of
from spyglass.warehouse.bodies import Body, Budget
from spyglass.warehouse.engine import DATABASE, Engine
from spyglass.warehouse.inserts import STORED, GroupCommit, Target
from spyglass.warehouse.limits import Limits, Line
from spyglass.warehouse.passwords import Passwords
from spyglass.warehouse.query_log import QueryLog
from spyglass.warehouse.reads import Reader, Statement
from spyglass.warehouse.replies import Receive, Reply, Send, disconnected
from spyglass.warehouse.requests import Request
from spyglass.warehouse.statements import Insert, names, parse_insert, parse_insert_again, tokens
from spyglass.warehouse.usage import Usage

log = logging.getLogger("spyglass.warehouse")

LANDING_TABLES = names(
    "otel_traces otel_logs otel_metrics_gauge otel_metrics_sum otel_metrics_histogram "
    "otel_metrics_exponential_histogram otel_metrics_summary"
)
_THREADS = 8
_LONGEST_KNOWN = 1 << 13  # bytes of a statement that is worth remembering
_DECODE_IN_THREAD_BYTES = 1 << 16
_NOT_READY = "The warehouse is not ready yet; try again later."


@dataclass(slots=True)
class State:
    """Hold what changes while the process lives."""

    engine: Engine
    inserts: GroupCommit
    log: QueryLog
    reader: Reader | None = None
    ready: bool = False
    stopping: bool = False
    descriptions: dict[tuple[str, str], bytes] = field(default_factory=dict)
    changes: int = 0  # statements that may have changed what the descriptions say


class Gateway:
    """Answer the requests to /."""

    def __init__(self, state: State, passwords: Passwords, queue_bytes: int, limits: Limits) -> None:
        self._state = state
        self._passwords = passwords
        self._budget = Budget(queue_bytes)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="query")
        # The reader's questions have threads of their own: however many there are, the others' go on.
        self._reading = ThreadPoolExecutor(limits.queries, thread_name_prefix="reader")
        self._line = Line(User.READER, limits.queries)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request, with an error in ClickHouse's form where something fails."""
        request = requests.read(scope)
        reply = Reply(request, send, self._state.engine.version)
        body, asked = Body(self._budget), Asked()
        try:
            await self._answer(request, reply, asked, body, receive)
        except StatementError as error:
            await reply.error(error)
        except Exception as error:
            log.exception("a request failed")
            await reply.error(StatementError(codes.UNKNOWN_EXCEPTION, f"{type(error).__name__}: {error}"))
        finally:
            body.close()
            account(self._state.log, request, reply, asked)

    async def _answer(self, request: Request, reply: Reply, asked: Asked, body: Body, receive: Receive) -> None:
        user = asked.user = self._authenticate(request)
        data = await body.receive(receive)
        if data is None:
            return
        data = await self._decode(request, data)
        query = request.parameters.get("query", "").encode("utf-8", "surrogateescape")
        if not query and not data:
            await reply.whole(b"Ok.\n")
            return
        self._check_ready(user)
        insert = parse_insert(query or data) if len(query) > _LONGEST_KNOWN or not query else parse_insert_again(query)
        if insert is None:
            sql = query + (b"\n" if query and data else b"") + data
            await self._run(request, reply, asked, sql.decode("utf-8", "surrogateescape"), receive)
        else:
            if user is not User.COLLECTOR:
                head = (query or data)[: insert.data]
                asked.statement, asked.kind, asked.brings_data = head.decode("utf-8", "replace"), "INSERT", True
            await self._insert(user, request, reply, insert, _data_of(insert, query, data))

    def _authenticate(self, request: Request) -> User:
        try:
            return user_of(request.headers, request.parameters, self._passwords)
        except StatementError:
            metrics.AUTHENTICATION_FAILURES.inc()
            raise

    def _check_ready(self, user: User) -> None:
        if self._state.stopping:
            raise codes.refused(codes.ABORTED, "The warehouse is stopping; try again later.")
        if not (self._state.ready or user is User.ADMIN):
            raise codes.refused(codes.ABORTED, _NOT_READY)

    async def _decode(self, request: Request, data: bytes) -> bytes:
        encoding = request.headers.get("content-encoding", "")
        framed = request.flag("decompress") and bool(data)
        if not (encoding or framed):
            return data
        if len(data) < _DECODE_IN_THREAD_BYTES:
            return _decode(encoding, data, framed=framed)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: _decode(encoding, data, framed=framed))

    async def _insert(self, user: User, request: Request, reply: Reply, insert: Insert, data: bytes) -> None:
        try:
            if user is User.READER or request.method == "GET":
                raise codes.refused(codes.READONLY, "Cannot execute query in readonly mode.")
            outcome = await self._store(user, request, reply, insert, data)
        except StatementError as error:
            outcome = "refused" if codes.http_status(error) == 503 else "failed"  # noqa: PLR2004 -- Service Unavailable
            raise
        finally:
            metrics.INSERTS.labels(insert.table, outcome).inc()
        await reply.whole(b"")

    async def _store(self, user: User, request: Request, reply: Reply, insert: Insert, data: bytes) -> str:
        if user is User.COLLECTOR:
            return await self._store_in_group(insert, data)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, self._insert_alone, request, reply.usage, insert, data)
        return STORED

    async def _store_in_group(self, insert: Insert, data: bytes) -> str:
        table = insert.table if insert.database in ("", DATABASE) else insert.target
        if table not in LANDING_TABLES or not insert.columns or insert.format != "Native":
            raise codes.refused(
                codes.ACCESS_DENIED, f"Not enough privileges to insert {insert.format} into {table[:99]}."
            )
        try:
            return await self._state.inserts.insert(Target(table, insert.columns), data)
        except StatementError as error:  # whatever it is, the collector shall keep the data and come again
            raise StatementError(codes.SERVER_OVERLOADED, f"Not stored, try again later: {error.problem}") from None

    def _insert_alone(self, request: Request, usage: Usage, insert: Insert, data: bytes) -> None:
        with self._state.engine.session(User.ADMIN, request.settings) as session:
            session.measure(usage)
            rows = session.insert(insert.target, [data], insert.format, insert.settings)
        usage.ended()
        metrics.INSERT_ROWS.labels(insert.table).inc(rows)
        metrics.INSERT_BYTES.labels(insert.table).inc(len(data))

    async def _run(self, request: Request, reply: Reply, asked: Asked, text: str, receive: Receive) -> None:
        user = asked.user
        known = self._state.descriptions.get((text, request.default_format)) if user is User.COLLECTOR else None
        if known is not None:
            await reply.whole(known, request.default_format)
            return
        sql = text.strip().rstrip(";")
        if sql == native.HELLO_QUERY and "client_protocol_version" in request.parameters:
            await reply.whole(native.hello(self._state.engine.version), "Native")
            return
        if user is User.ADMIN and sql == query_log.FLUSH:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._state.log.flush)
            await reply.whole(b"")
            return
        asked.statement, asked.kind = sql, query_log.kind_of(sql)
        statement = Statement(
            user=user,
            sql=sql,
            settings=request.settings,
            parameters=request.query_parameters,
            default_format=request.default_format,
            only_reads=request.method == "GET",
            whole=request.flag("wait_end_of_query"),
            usage=reply.usage,
        )
        gone = asyncio.ensure_future(disconnected(receive))
        try:
            await self._read(statement, reply, gone)
        finally:
            gone.cancel()

    async def _read(self, statement: Statement, reply: Reply, gone: asyncio.Future[None]) -> None:
        reader = self._state.reader
        if reader is None:
            raise codes.refused(codes.ABORTED, _NOT_READY)
        if statement.user is User.COLLECTOR and _is_description(statement.sql):
            await reply.whole(await self._describe(statement, reader), statement.output)
            return
        pieces = reader.run(statement)
        if statement.user is User.ADMIN:
            pieces = self._forgetting(pieces)
        async with self._place(statement.user, gone) as threads:
            await reply.stream(pieces, statement.answer_format, gone, threads, lambda: reader.cancel(statement))

    @asynccontextmanager
    async def _place(self, user: User, gone: asyncio.Future[None]) -> AsyncIterator[Executor]:
        """Give the threads that work for a user, to the reader when its turn has come."""
        if user is User.READER:
            async with self._line.place(gone):
                yield self._reading
        else:
            with metrics.QUERIES_RUNNING.labels(user).track_inprogress():
                yield self._threads

    def _forgetting(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Pass the result of an admin's statement on; whatever it was, a table may look different now."""
        try:
            yield from pieces
        finally:
            self._state.changes += 1
            self._state.descriptions.clear()

    async def _describe(self, statement: Statement, reader: Reader) -> bytes:
        """Answer what the exporter asks before every batch, and remember it."""
        loop, changes = asyncio.get_running_loop(), self._state.changes
        answer = await loop.run_in_executor(self._threads, lambda: b"".join(reader.run(statement)))
        if changes == self._state.changes:
            self._state.descriptions[statement.sql, statement.output] = answer
        return answer


def application(gateway: Gateway, state: State, lifespan: Any) -> Starlette:
    """Build the application: the gateway, /ping and /metrics."""

    async def ping(_: HttpRequest) -> Response:
        if state.ready and not state.stopping:
            return PlainTextResponse("Ok.\n")
        return PlainTextResponse("Not ready.\n", 503)

    async def exposition(_: HttpRequest) -> Response:
        await asyncio.get_running_loop().run_in_executor(None, _count_dead_letters, state)
        return Response(metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    routes = [Route("/", gateway), Route("/ping", ping), Route("/metrics", exposition)]
    return Starlette(routes=routes, lifespan=lifespan)


def _count_dead_letters(state: State) -> None:
    if not state.ready:
        return
    found = dead_letters.counts(state.engine)
    metrics.DEAD_LETTER_ROWS.clear()  # those that were tried again with success are there no more
    for source, table, reason, rows in found:
        metrics.DEAD_LETTER_ROWS.labels(source, table, reason).set(rows)


def _is_description(sql: str) -> bool:
    first = next(tokens(sql), None)
    return first is not None and first.is_word("DESC", "DESCRIBE")


def _decode(encoding: str, data: bytes, *, framed: bool) -> bytes:
    plain = compression.decode(encoding, data)
    return compression.unframe(plain) if framed else plain


def _data_of(insert: Insert, query: bytes, body: bytes) -> bytes:
    if not query:
        return body[insert.data :]
    inline = query[insert.data :]
    return inline + body if inline else body
