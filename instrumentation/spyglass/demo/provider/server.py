"""Serve the fake provider over HTTP/1.1 on loopback, one thread per connection."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

from spyglass.demo.provider import anthropic_messages, gemini, openai_chat, openai_embeddings, openai_responses
from spyglass.demo.provider.exchange import Exchange
from spyglass.demo.provider.model import Prompt, answer
from spyglass.demo.provider.shape import JSON, Api, Event, Served
from spyglass.demo.provider.timing import Timing
from spyglass.demo.provider.truth import Truth, rows
from spyglass.errors import UsageError

LOOPBACK = "127.0.0.1"
ROUTES: Mapping[str, Api] = {
    "/v1/chat/completions": openai_chat.API,
    "/v1/responses": openai_responses.API,
    "/v1/embeddings": openai_embeddings.API,
    "/v1/messages": anthropic_messages.API,
}
TRUTH_PATH = "/_truth"
TRACEPARENT = "traceparent"
POLL_SECONDS = 0.02  # how long stop() may wait


class Failure(NamedTuple):
    """Describe the error that a model answers with."""

    status: HTTPStatus
    kind: str
    message: str


# Part of a model's name, and the error that every call of it gets.
FAILURES = {
    "fail429": Failure(HTTPStatus.TOO_MANY_REQUESTS, "rate_limit_error", "Rate limit reached for requests."),
    "fail500": Failure(HTTPStatus.INTERNAL_SERVER_ERROR, "api_error", "The server had an error."),
    "fail400": Failure(HTTPStatus.BAD_REQUEST, "invalid_request_error", "Invalid request: bad parameter."),
}


class Provider:
    """Run the fake provider in a thread of this process, as a context manager.

    ``port`` 0 takes any free one. Response ids are made from ``seed`` and the number of the request, so that one
    sequence of requests gives the same ids again and two demos do not share them. Raises OSError for a taken port.
    """

    def __init__(self, *, port: int = 0, timing: Timing | None = None, seed: str = "spyglass") -> None:
        self.truth = Truth()
        self.timing = timing or Timing()
        self.seed = seed
        self._server = _Server(self, port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="fake-provider", daemon=True
        )
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"

    def environment(self) -> dict[str, str]:
        """Return the variables that point the client libraries of OpenAI, Anthropic and Google here."""
        return {
            "OPENAI_BASE_URL": f"{self.url}/v1",
            "OPENAI_API_BASE": f"{self.url}/v1",  # its older name, which some frameworks read instead
            "OPENAI_API_KEY": "demo",
            "ANTHROPIC_BASE_URL": self.url,
            "ANTHROPIC_API_KEY": "demo",
            "GOOGLE_GEMINI_BASE_URL": self.url,
            "GEMINI_API_KEY": "demo",
        }

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # idle keep-alive connections of clients would hold it up

    def __init__(self, provider: Provider, port: int) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.provider = provider


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes; Nagle would hold the second for 40 ms
    server: _Server

    def do_GET(self) -> None:
        if self.path == TRUTH_PATH:
            self._json(HTTPStatus.OK, {"calls": rows(self.server.provider.truth.calls())})
        else:
            self._json(HTTPStatus.NOT_FOUND, openai_chat.error("not_found_error", f"No such page: {self.path}."))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        route = _route(self.path.partition("?")[0])
        if route is None:
            self._json(HTTPStatus.NOT_FOUND, openai_chat.error("not_found_error", f"No such API: {self.path}."))
            return
        api, in_path = route
        try:
            document, prompt = _read(api, body, in_path)
        except UsageError as error:
            self._json(HTTPStatus.BAD_REQUEST, api.error("invalid_request_error", str(error)))
            return
        traced = TRACEPARENT in self.headers
        self._answer(Exchange(self.server.provider.truth, api, prompt, traced=traced), document)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it
        """Stay silent: the truth is the log."""

    def _answer(self, exchange: Exchange, document: JSON) -> None:
        provider, api, prompt = self.server.provider, exchange.api, exchange.prompt
        provider.timing.first_token(prompt.model)
        failure = next((failure for part, failure in FAILURES.items() if part in prompt.model), None)
        try:
            if failure:
                exchange.failed(failure.status)
                self._json(failure.status, api.error(failure.kind, failure.message))
                return
            token = hashlib.sha256(f"{provider.seed}:{exchange.number}".encode()).hexdigest()[:24]
            served = Served(document, prompt, answer(prompt), api.id_prefix + token, token, int(time.time()))
            if prompt.stream and api.stream:
                self._events(exchange, served, api.stream(served))
            else:
                provider.timing.tokens(prompt.model, served.answer.usage.output_tokens)
                exchange.served(served)
                self._json(HTTPStatus.OK, api.write(served))
        except ConnectionError:  # the client went away; what it never read was not reported to it
            exchange.abandoned()

    def _events(self, exchange: Exchange, served: Served, events: Iterable[Event]) -> None:
        *first, last = events
        self._head(HTTPStatus.OK, "text/event-stream", "transfer-encoding", "chunked")
        for event in first:
            self.server.provider.timing.tokens(served.prompt.model, event.weight)
            self._chunk(_wire(event))
        exchange.served(served)
        self._chunk(_wire(last))
        self._chunk(b"")

    def _json(self, status: HTTPStatus, document: JSON) -> None:
        body = json.dumps(document).encode()
        self._head(status, "application/json", "content-length", str(len(body)))
        self.wfile.write(body)

    def _head(self, status: HTTPStatus, content_type: str, name: str, value: str) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header(name, value)
        self.end_headers()

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))


def _route(path: str) -> tuple[Api, JSON] | None:
    """Return the API of a path, and what the path itself says of the request."""
    if path in ROUTES:
        return ROUTES[path], {}
    in_path = gemini.in_path(path)
    return None if in_path is None else (gemini.API, in_path)


def _read(api: Api, body: bytes, in_path: JSON) -> tuple[JSON, Prompt]:
    try:
        document = json.loads(body)
    except ValueError:
        raise UsageError("The body is not JSON.") from None
    if isinstance(document, dict):
        document |= in_path
    if not isinstance(document, dict) or not isinstance(document.get("model"), str):
        raise UsageError("The body is no object with a model.")
    try:
        return document, api.read(document)
    except (AttributeError, KeyError, TypeError) as error:
        raise UsageError(f"The body is not what {api.name} takes ({error!r}).") from None


def _wire(event: Event) -> bytes:
    data = event.data if isinstance(event.data, str) else json.dumps(event.data)
    name = f"event: {event.name}\n" if event.name else ""
    return f"{name}data: {data}\n\n".encode()
