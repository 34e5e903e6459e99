"""Let the tools, hooks and permissions of claude-agent-sdk work for the agent that asked the question.

The SDK runs them in tasks that it starts when it connects to Claude Code, in the context of then: with one client for
several questions, of several agents perhaps, they would all hang under whoever connected.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from opentelemetry.context import Context, get_current

from spyglass.sdk.messages import inject
from spyglass.sdk.notices import warn_once
from spyglass.sdk.patching import Undo, replace_all
from spyglass.sdk.tracing import Entered

_ASKED_IN = "_spyglass_context"  # attribute of the SDK's query


def patch(module: ModuleType) -> Undo:
    """Remember where each question is asked, and answer Claude Code there; ``module`` is claude_agent_sdk.client."""
    query = import_module("claude_agent_sdk._internal.query").Query
    return replace_all(
        (module.ClaudeSDKClient, "query", _asking),
        (query, "_handle_control_request", _answering),
        (query, "_handle_sdk_mcp_request", _calling),
    )


def _asking(original: Callable[..., Any]) -> Callable[..., Any]:
    async def query(self: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(self, "_query", None) is not None:
            setattr(self._query, _ASKED_IN, get_current())
        return await original(self, *args, **kwargs)

    return query


def _answering(original: Callable[..., Any]) -> Callable[..., Any]:
    async def handle(self: Any, *args: Any, **kwargs: Any) -> Any:
        asked_in: Context | None = getattr(self, _ASKED_IN, None)
        if asked_in is None:
            return await original(self, *args, **kwargs)
        entered = Entered(asked_in)
        entered.attach()
        try:
            return await original(self, *args, **kwargs)
        finally:
            entered.leave()

    return handle


def _calling(original: Callable[..., Any]) -> Callable[..., Any]:
    async def handle(self: Any, server_name: str, message: Any, *args: Any, **kwargs: Any) -> Any:
        return await original(self, server_name, _with_context(message), *args, **kwargs)

    return handle


def _with_context(message: Any) -> Any:
    """Return the message of MCP with the context in its ``_meta``, for the tool's server runs in a task of its own."""
    try:
        params = message.get("params")
        if not isinstance(params, dict) or "id" not in message:
            return message
        return {**message, "params": {**params, "_meta": inject(dict(params.get("_meta") or {}))}}
    except Exception as error:  # noqa: BLE001 -- a tool is called whatever becomes of its trace
        warn_once("claude", "spyglass could not put the context into a call of a tool: %r.", error)
        return message
