"""Let OpenAI use the tools of an MCP server, which runs in a process of its own."""

import asyncio
import json
import sys
from pathlib import Path

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from openai import AsyncOpenAI, BadRequestError

MODEL = "gpt-4o-mini"
SERVER = StdioServerParameters(command=sys.executable, args=[str(Path(__file__).with_name("server.py"))])


async def answer(client: AsyncOpenAI, session: ClientSession, question: str) -> str:
    offered = [
        {"type": "function", "function": {"name": tool.name, "parameters": tool.input_schema}}
        for tool in (await session.list_tools()).tools
    ]
    messages = [{"role": "user", "content": question}]
    while True:
        reply = await client.chat.completions.create(model=MODEL, messages=messages, tools=offered)
        said = reply.choices[0].message
        messages.append(said)
        if not said.tool_calls:
            return said.content
        for call in said.tool_calls:
            result = await session.call_tool(call.function.name, json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result.content[0].text})


async def main() -> None:
    client = AsyncOpenAI(max_retries=0)
    async with stdio_client(SERVER) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        print(await answer(client, session, "How is the weather in Lisbon?"))
        print(await answer(client, session, "How is the weather in Oslo?"))
    try:
        await client.chat.completions.create(model="gpt-4o-mini-fail400", messages=[{"role": "user", "content": "?"}])
    except BadRequestError as error:
        print(error)


asyncio.run(main())
