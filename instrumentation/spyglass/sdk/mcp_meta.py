"""Carry the context in the ``_meta`` of MCP requests: all of it for mcp 1, the session's baggage for mcp 2.

The keys are those that mcp 2 uses: traceparent, tracestate and baggage, beside the progress token. It sends and reads
all three by itself, but the baggage is not there any more when the tool runs.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from types import ModuleType
from typing import Any

from opentelemetry.context import get_current
from opentelemetry.trace import get_current_span

from spyglass.names import TOOL_CALL_ID
from spyglass.sdk.messages import extract
from spyglass.sdk.notices import warn_once
from spyglass.sdk.patching import Undo, replace
from spyglass.sdk.wire import to_fields

_NATIVE_SINCE = 2
_TOOL_CALL = "claudecode/toolUseId"  # in what Claude Code sends: the id that the model gave the call


def patch_client(module: ModuleType) -> Undo | None:
    """Make every request carry the context it is made in; ``module`` is mcp.shared.session."""
    return None if _native() else replace(module.BaseSession, "send_request", _sending)


def patch_server(module: ModuleType) -> Undo | None:
    """Make every request be handled in the context it brings; ``module`` is mcp.server.lowlevel.server."""
    return None if _native() else replace(module.Server, "_handle_request", _handling)


def patch_middleware(module: ModuleType) -> Undo:
    """Handle requests of mcp 2 in the session they bring, and name the call of a tool; ``module`` is mcp.server._otel.

    The span of a tool's server then has the id of the call, by which it is found where the trace is lost.
    """
    return replace(module.OpenTelemetryMiddleware, "__call__", _continuing)


def patch_fastmcp(module: ModuleType) -> Undo:
    """Do the same for fastmcp, which looks at no ``_meta`` in a process that was started in a trace.

    ``module`` is fastmcp.server.low_level. A span that is open here, such as an HTTP server's, stays the parent.
    """
    return replace(module.FastMCPServerMiddleware, "__call__", _continuing_unless_at_work)


def _native() -> bool:
    return int(version("mcp").partition(".")[0]) >= _NATIVE_SINCE


def _sending(original: Callable[..., Any]) -> Callable[..., Any]:
    async def send_request(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        return await original(self, _with_context(request), *args, **kwargs)

    return send_request


def _with_context(request: Any) -> Any:
    """Return a copy of the request with the context in its ``_meta``; requests without parameters stay as they are."""
    try:
        fields = to_fields(get_current())
        params = request.root.params
        if not fields or params is None:
            return request
        meta = params.meta or type(params).Meta()
        params = params.model_copy(update={"meta": meta.model_copy(update=fields)})
        return request.model_copy(update={"root": request.root.model_copy(update={"params": params})})
    except Exception as error:  # noqa: BLE001 -- a request is sent whatever becomes of its trace
        warn_once("mcp", "spyglass could not put the context into a request of MCP: %r.", error)
        return request


def _handling(original: Callable[..., Any]) -> Callable[..., Any]:
    async def handle_request(self: Any, message: Any, req: Any, *args: Any, **kwargs: Any) -> Any:
        meta = getattr(getattr(req, "params", None), "meta", None)
        with extract(getattr(meta, "model_extra", None)):
            return await original(self, message, req, *args, **kwargs)

    return handle_request


def _continuing(original: Callable[..., Any]) -> Callable[..., Any]:
    async def call(self: Any, ctx: Any, call_next: Callable[..., Any]) -> Any:
        meta = getattr(ctx, "meta", None) or {}

        async def inside(*args: Any, **kwargs: Any) -> Any:
            if meta.get(_TOOL_CALL):
                get_current_span().set_attribute(TOOL_CALL_ID, str(meta[_TOOL_CALL]))
            return await call_next(*args, **kwargs)

        with extract(meta):
            return await original(self, ctx, inside)

    return call


def _continuing_unless_at_work(original: Callable[..., Any]) -> Callable[..., Any]:
    continuing = _continuing(original)

    async def call(self: Any, ctx: Any, call_next: Callable[..., Any]) -> Any:
        here = get_current_span().get_span_context()
        at_work = here.is_valid and not here.is_remote
        return await (original if at_work else continuing)(self, ctx, call_next)

    return call
