"""Ask Claude Code, connected in one agent, a question in another; it calls a tool of this process. Then ask in none.

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
    plain = {"model": "claude-fake", "tools": [], "setting_sources": [], "env": ENVIRONMENT, "cwd": HOME}
    server = sdk.create_sdk_mcp_server("t", tools=[tool])
    options = sdk.ClaudeAgentOptions(mcp_servers={"t": server}, allowed_tools=["mcp__t__add"], **plain)
    with spyglass.session(user="u"), spyglass.agent("starter"):
        async with sdk.ClaudeSDKClient(options) as client:
            with spyglass.agent("boss"):
                await client.query("Please add.")
                answers = [message async for message in client.receive_response()]
    answers += [message async for message in sdk.query(prompt="Hello.", options=sdk.ClaudeAgentOptions(**plain))]
    assert not [answer for answer in answers if getattr(answer, "is_error", False)], answers


spyglass.init(service="app", endpoint=ENDPOINT, probes="none", instrument="none")
asyncio.run(main())
