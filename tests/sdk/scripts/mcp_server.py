"""Serve one tool over MCP on standard input and output, with mcp 1.x or 2.x: mcp_server.py ENDPOINT."""

from __future__ import annotations

import importlib
import logging
import sys

import spyglass

logging.getLogger("mcp").setLevel(logging.ERROR)
spyglass.init(service="server", endpoint=sys.argv[1], probes="none", instrument="none")
try:
    Server = importlib.import_module("mcp.server.mcpserver").MCPServer
except ModuleNotFoundError:
    Server = importlib.import_module("mcp.server.fastmcp").FastMCP
server = Server("adder", log_level="ERROR")


@spyglass.tool
def add(left: int, right: int) -> int:
    """Add."""
    return left + right


server.tool()(add)
server.run()
