"""Send answers as a ClickHouse server does: headers, compression, errors before and in the middle of a result."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from spyglass.errors import StatementError
from spyglass.warehouse import codes, compression
from spyglass.warehouse.requests import Request
from spyglass.warehouse.usage import Usage

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Result = TypeVar("Result")

# A query can be cancelled only once the engine has begun it.
_CANCEL_AGAIN_SECONDS = 0.5
# A client that takes nothing for so long has gone away without saying so, and keeps a query from others.
_STALLED_SECONDS = 60.0

_CONTENT_TYPES = {
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TabSeparatedWithNames": "text/tab-separated-values; charset=UTF-8",
    "PrettyCompact": "text/plain; charset=UTF-8",
}


@dataclass(slots=True)
class Reply:
    """Send one answer to one request, and know afterwards what was sent."""

    request: Request
    send: Send
    version: str
    usage: Usage = field(default_factory=Usage)
    error_code: int = 0
    sent_bytes: int = 0  # of the answer, before compression
    query_id: str = field(init=False)
    tag: str = field(init=False)
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        """Choose the ids that the answer carries."""
        self.query_id = self.request.query_id
        self.tag = uuid.uuid4().hex[:16]
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Return the time since the request came."""
        return time.monotonic() - self._started

    async def whole(self, body: bytes, output: str = "") -> None:
        """Send a result that is complete, compressed as the client wishes."""
        name, encoder = self._encoder() if body else ("", compression.Plain())
        data = encoder.encode(body) + encoder.finish()
        self.sent_bytes = len(body)
        await self._start(200, [*_describe(output, name), (b"content-length", str(len(data)).encode())], whole=True)
        await self.send({"type": "http.response.body", "body": data})

    async def error(self, error: StatementError) -> None:
        """Send an error instead of a result."""
        self.error_code = error.code
        data = codes.wire_text(error, self.version).encode("utf-8", "surrogateescape")
        headers = [(b"x-clickhouse-exception-code", str(error.code).encode())]
        headers += [(b"content-type", b"text/plain; charset=UTF-8"), (b"content-length", str(len(data)).encode())]
        await self._start(codes.http_status(error), headers)
        await self.send({"type": "http.response.body", "body": data})

    async def stream(
        self,
        pieces: Iterator[bytes],
        output: str,
        gone: asyncio.Future[None],
        threads: Executor,
        cancel: Callable[[], None],
    ) -> None:
        """Send a result piece by piece; raises StatementError as long as nothing has been sent.

        Later errors go into the body, in a block that clients know by the tag of the headers. A client that goes away
        (``gone``) ends the query: between two pieces, or by ``cancel`` while the engine works on one.
        """
        loop = asyncio.get_running_loop()
        try:
            first = loop.run_in_executor(threads, lambda: list(islice(pieces, 2)))
            head = await _watched(first, gone, cancel)
            if len(head) < 2:  # noqa: PLR2004 -- a second piece means that more may come
                await self.whole(b"".join(head), output)
                return

            def following() -> Awaitable[bytes | None]:
                return _watched(loop.run_in_executor(threads, lambda: next(pieces, None)), gone, cancel)

            await self._stream(b"".join(head), following, output, gone)
        finally:
            await asyncio.shield(loop.run_in_executor(threads, pieces.close))  # type: ignore[attr-defined] # a generator

    async def _stream(
        self, head: bytes, following: Callable[[], Awaitable[bytes | None]], output: str, gone: asyncio.Future[None]
    ) -> None:
        name, encoder = self._encoder()
        await self._start(200, _describe(output, name))
        try:
            await self._pour(encoder, head, following, gone)
        except TimeoutError:
            self.error_code = codes.SOCKET_TIMEOUT
            return  # without an end, so that the server closes the connection
        await self.send({"type": "http.response.body", "body": encoder.finish()})

    async def _pour(
        self,
        encoder: compression.Encoder,
        head: bytes,
        following: Callable[[], Awaitable[bytes | None]],
        gone: asyncio.Future[None],
    ) -> None:
        piece: bytes | None = head
        try:
            while piece is not None and not gone.done():
                await self._more(encoder.encode(piece))
                self.sent_bytes += len(piece)
                piece = await following()
        except StatementError as error:
            self.error_code = error.code
            await self._more(encoder.encode(self._exception_block(error)))
            return
        if piece is not None:
            self.error_code = codes.QUERY_WAS_CANCELLED

    async def _more(self, data: bytes) -> None:
        if data:
            async with asyncio.timeout(_STALLED_SECONDS):
                await self.send({"type": "http.response.body", "body": data, "more_body": True})

    async def _start(self, status: int, headers: Headers, *, whole: bool = False) -> None:
        figures = self.usage.known(whole=whole) | {"elapsed_ns": int(self.seconds * 1e9)}
        summary = json.dumps({name: str(value) for name, value in figures.items()}, separators=(",", ":"))
        own = [
            (b"x-clickhouse-query-id", self.query_id.encode("latin-1", "replace")),
            (b"x-clickhouse-server-display-name", b"spyglass"),
            (b"x-clickhouse-timezone", b"UTC"),
            (b"x-clickhouse-summary", summary.encode()),
            (b"x-clickhouse-exception-tag", self.tag.encode()),
        ]
        await self.send({"type": "http.response.start", "status": status, "headers": own + headers})

    def _encoder(self) -> tuple[str, compression.Encoder]:
        if self.request.flag("compress"):
            return "", compression.Frames()
        if self.request.flag("enable_http_compression"):
            return compression.encoder_for(self.request.headers.get("accept-encoding", ""))
        return "", compression.Plain()

    def _exception_block(self, error: StatementError) -> bytes:
        text = codes.wire_text(error, self.version).rstrip("\n")
        size = len(text.encode("utf-8", "surrogateescape"))
        block = f"\r\n__exception__\r\n{self.tag}\r\n{text}\n{size} {self.tag}\r\n__exception__\r\n"
        return block.encode("utf-8", "surrogateescape")


async def _watched(work: asyncio.Future[Result], gone: asyncio.Future[None], cancel: Callable[[], None]) -> Result:
    """Wait for work, and cancel it when the client goes away meanwhile."""
    await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
    while not work.done():
        # not one of the threads for queries: they may all be waiting for such a query
        await asyncio.get_running_loop().run_in_executor(None, cancel)
        await asyncio.wait((work,), timeout=_CANCEL_AGAIN_SECONDS)
    return await work


async def disconnected(receive: Receive) -> None:
    """Return when the client has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _describe(output: str, encoding: str) -> Headers:
    headers: Headers = []
    if output:
        kind = _CONTENT_TYPES.get(output, "application/octet-stream")
        headers += [(b"x-clickhouse-format", output.encode()), (b"content-type", kind.encode())]
    if encoding:
        headers.append((b"content-encoding", encoding.encode()))
    return headers
