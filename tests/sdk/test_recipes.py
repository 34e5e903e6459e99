"""The recipes of docs/context.md, and the two wrappers of web applications."""

from __future__ import annotations

import asyncio
import re
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import requests

import spyglass
from spyglass import web
from spyglass.testing import capture
from tests.sdk.test_messages import REMOTE, SPAN, TRACE, parent

RECIPES = re.findall(r"```python\n(.*?)```", (Path(__file__).parents[2] / "docs" / "context.md").read_text(), re.DOTALL)


@spyglass.tool
def inner() -> None:
    """Do nothing."""


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve a WSGI application on loopback."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            """Be silent."""

    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def recipe(word: str, **around: Any) -> dict[str, Any]:
    """Run the recipe of the documentation that holds this word, and return its functions."""
    (text,) = [text for text in RECIPES if word in text]
    found: dict[str, Any] = {"spyglass": spyglass, **around}
    exec(text, found)  # noqa: S102 -- our own documentation
    return found


def test_http_recipes_reach_a_wsgi_application() -> None:
    """Both clients as documented hand the trace to an application behind web.wsgi(), its streamed body included."""
    closed = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            inner()
            yield b"done"

        def close(self) -> None:
            closed.append(True)

    def app(_: Any, start_response: Any) -> Body:
        start_response("200 OK", [("Content-Length", "4")])
        return Body()

    with capture() as captured, serving(web.wsgi(app)) as url:
        with spyglass.agent("boss") as boss:
            assert recipe("requests.get")["ask"](url) == 200
            assert recipe("httpx.get")["ask_httpx"](url) == 200
        assert requests.get(url, timeout=10).text == "done"
        spans = [span for span in captured.spans if span.name == "execute_tool inner"]
    assert [f"{span.parent.span_id:016x}" if span.parent else "" for span in spans] == [boss.span_id] * 2 + [""]
    assert closed == [True] * 3


def test_an_asgi_application_works_in_the_callers_context() -> None:
    """web.asgi() enters the context of each request, and leaves it; a lifespan without headers passes."""

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        inner()

    async def ask(scope: dict[str, Any]) -> None:
        await web.asgi(app)(scope, None, None)  # type: ignore[arg-type]

    with capture() as captured:
        asyncio.run(ask({"type": "http", "headers": [(b"traceparent", REMOTE.encode())]}))
        assert parent(captured, "execute_tool inner") == (TRACE, SPAN)
    with capture() as captured:
        asyncio.run(ask({"type": "lifespan"}))
        assert parent(captured, "execute_tool inner")[1] == ""


class Stream:
    """Hold messages as Redis gives them back: all bytes."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, dict[bytes, bytes]]] = []

    def xadd(self, _: str, fields: dict[str, str]) -> None:
        """Keep a message."""
        self.messages.append((b"1-0", {key.encode(): value.encode() for key, value in fields.items()}))

    def xreadgroup(self, *_: object) -> list[Any]:
        """Return all messages."""
        return [[b"jobs", self.messages]]


def test_the_recipe_for_redis_streams_works() -> None:
    """Fields come back as bytes; the work hangs under the sender, with the time that it waited."""
    with capture() as captured:
        functions, redis = recipe("xadd", handle=lambda _: inner()), Stream()
        with spyglass.agent("boss") as boss:
            functions["put"](redis, "text")
        functions["work"](redis)
        assert parent(captured, "process jobs") == (boss.trace_id, boss.span_id)
        assert captured.attributes("process jobs")["spyglass.queue.wait"] >= 0


def test_the_recipe_for_kafka_works() -> None:
    """Headers are pairs of text and bytes; the work hangs under the sender, with the time that it waited."""
    sent: list[Any] = []

    class Producer:
        def send(self, _: str, value: bytes, headers: list[tuple[Any, Any]]) -> None:
            assert all(isinstance(name, str) and isinstance(text, bytes) for name, text in headers)
            sent.append(types.SimpleNamespace(value=value, headers=headers, timestamp=1_700_000_000_000))

    with capture() as captured:
        functions = recipe("producer.send", handle=lambda _: inner())
        with spyglass.agent("boss") as boss:
            functions["produce"](Producer(), b"text")
        functions["consume"](sent)
        assert parent(captured, "process jobs") == (boss.trace_id, boss.span_id)
        assert captured.attributes("process jobs")["spyglass.queue.wait"] > 1e6
