"""Call the tool of mcp_server.py three times at once inside an agent: mcp_client.py ENDPOINT [early] [fastmcp]."""

# ruff: noqa: T201 -- a program prints
from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from pathlib import Path

import spyglass

SERVER = Path(__file__).with_name("mcp_server.py")


async def main() -> None:
    """Start the server inside one agent, and call it inside another."""
    from mcp import ClientSession, StdioServerParameters  # noqa: PLC0415 -- before or after init(), as asked
    from mcp.client.stdio import stdio_client  # noqa: PLC0415 -- as above

    server = StdioServerParameters(command=sys.executable, args=[str(SERVER), *sys.argv[1:]])
    with spyglass.agent("starter"):
        async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            with spyglass.session(user="u"), spyglass.agent("boss"):
                await session.list_tools()
                calls = (session.call_tool("add", {"left": number, "right": 2}) for number in range(3))
                print([getattr(done.content[0], "text", "") for done in await asyncio.gather(*calls)])


if "early" in sys.argv:
    import_module("mcp.server.lowlevel.server")
spyglass.init(service="client", endpoint=sys.argv[1], probes="none", instrument="none")
asyncio.run(main())
