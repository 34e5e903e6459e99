"""Serve one tool over MCP on standard input and output: mcp_server.py ENDPOINT [fastmcp]."""

from __future__ import annotations

import contextlib
import importlib
import logging
import sys
from typing import Any

import spyglass

logging.getLogger("mcp").setLevel(logging.ERROR)
spyglass.init(service="server", endpoint=sys.argv[1], probes="none", instrument="none")
places = (
    ["fastmcp:FastMCP"] if "fastmcp" in sys.argv else ["mcp.server.mcpserver:MCPServer", "mcp.server.fastmcp:FastMCP"]
)


def server_class() -> Any:
    """Return the class of the server that there is."""
    for module, _, name in (place.partition(":") for place in places):
        with contextlib.suppress(ModuleNotFoundError):
            return getattr(importlib.import_module(module), name)
    raise SystemExit(1)


@spyglass.tool
def add(left: int, right: int) -> int:
    """Add."""
    return left + right


server = server_class()("adder")
server.tool()(add)
server.run()
