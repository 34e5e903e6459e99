"""Repair contexts that libraries lose, each when the program imports it: queues, MCP, loops with ways of their own."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from types import ModuleType

from spyglass.sdk.on_import import when_imported
from spyglass.sdk.patching import Undo, together

# The module that is waited for, and the function that is then given it.
_REPAIRS = (
    ("celery.signals", "spyglass.sdk.celery_tasks:connect"),
    ("mcp.shared.session", "spyglass.sdk.mcp_meta:patch_client"),
    ("mcp.server.lowlevel.server", "spyglass.sdk.mcp_meta:patch_server"),
    ("mcp.server._otel", "spyglass.sdk.mcp_meta:patch_middleware"),
    ("fastmcp.server.low_level", "spyglass.sdk.mcp_meta:patch_fastmcp"),
    ("claude_agent_sdk.client", "spyglass.sdk.claude_sdk:patch"),
    ("uvloop", "spyglass.sdk.subprocesses:patch_uvloop"),
)


def start() -> Undo:
    """Repair what is imported already, and wait for the rest; return what takes all of it back."""
    return together([when_imported(module, partial(_repair, function)) for module, function in _REPAIRS])


def _repair(function: str, module: ModuleType) -> Undo | None:
    place, _, name = function.partition(":")
    undo: Undo | None = getattr(import_module(place), name)(module)
    return undo
