"""Ask Claude Code, connected in one agent, a question in another; it calls a tool of this process.

claude_client.py ENDPOINT BASE_URL HOME
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import spyglass

ENDPOINT, BASE_URL, HOME = sys.argv[1:]
ENVIRONMENT = {
    "ANTHROPIC_BASE_URL": BASE_URL,
    "ANTHROPIC_API_KEY": "fake",
    "HOME": HOME,
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "ENABLE_TOOL_SEARCH": "false",
}


async def add(numbers: dict[str, Any]) -> dict[str, Any]:
    """Add two numbers."""
    with spyglass.tool("inner"):
        return {"content": [{"type": "text", "text": str(numbers["left"] + numbers["right"])}]}


async def main() -> None:
    """Connect, ask, and read the answer."""
    import claude_agent_sdk as sdk  # type: ignore[import-not-found]  # noqa: PLC0415 -- in an environment of its own

    tool = sdk.tool("add", "Add two numbers", {"left": int, "right": int})(add)
    options = sdk.ClaudeAgentOptions(
        model="claude-fake",
        tools=[],
        mcp_servers={"t": sdk.create_sdk_mcp_server("t", tools=[tool])},
        allowed_tools=["mcp__t__add"],
        setting_sources=[],
        env=ENVIRONMENT,
        cwd=HOME,
    )
    with spyglass.session(user="u"), spyglass.agent("starter"):
        async with sdk.ClaudeSDKClient(options) as client:
            with spyglass.agent("boss"):
                await client.query("Please add.")
                answers = [message async for message in client.receive_response()]
    assert not answers[-1].is_error, answers


spyglass.init(service="app", endpoint=ENDPOINT, probes="none", instrument="none")
asyncio.run(main())
