"""Work on HTTP requests in the context of whoever sent them, in any ASGI or WSGI application.

    app = spyglass.web.asgi(app)    # FastAPI, Starlette, Litestar, Quart, Django's asgi.py
    app = spyglass.web.wsgi(app)    # Flask (app.wsgi_app), Django's wsgi.py, Bottle

An instrumentor of a web framework does this too and spans the request besides; with one, these are not needed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import Any

from spyglass.sdk.messages import extract

__all__ = ["asgi", "wsgi"]

Scope = MutableMapping[str, Any]
AsgiApp = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def asgi(app: AsgiApp) -> AsgiApp:
    """Return the application, continuing the trace and the session that each request's headers name."""

    async def application(scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
        with extract(scope.get("headers")):
            await app(scope, receive, send)

    return application


def wsgi(app: WsgiApp) -> WsgiApp:
    """Return the application, continuing the trace and the session that each request's headers name.

    The application is called when its answer is first asked for, as one that is a generator.
    """

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        @extract(environ)
        def answer() -> Iterator[bytes]:
            body = app(environ, start_response)
            try:
                yield from body
            finally:
                close = getattr(body, "close", None)
                if close is not None:
                    close()

        return answer()

    return application
