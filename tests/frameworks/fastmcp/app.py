"""Let OpenAI use the tools of a FastMCP server, which runs in this process."""

import asyncio
import json

from fastmcp import Client, FastMCP
from openai import AsyncOpenAI, BadRequestError

MODEL = "gpt-4o-mini"
server = FastMCP("weather")


@server.tool
def get_weather(city: str) -> str:
    """Say how the weather is in a city."""
    return f"sunny in {city}"


async def answer(client: AsyncOpenAI, tools: Client, question: str) -> str:
    offered = [
        {"type": "function", "function": {"name": tool.name, "parameters": tool.input_schema}}
        for tool in await tools.list_tools()
    ]
    messages = [{"role": "user", "content": question}]
    while True:
        reply = await client.chat.completions.create(model=MODEL, messages=messages, tools=offered)
        said = reply.choices[0].message
        messages.append(said)
        if not said.tool_calls:
            return said.content
        for call in said.tool_calls:
            result = await tools.call_tool(call.function.name, json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result.content[0].text})


async def main() -> None:
    client = AsyncOpenAI(max_retries=0)
    async with Client(server) as tools:
        print(await answer(client, tools, "How is the weather in Lisbon?"))
        print(await answer(client, tools, "How is the weather in Oslo?"))
    try:
        await client.chat.completions.create(model="gpt-4o-mini-fail400", messages=[{"role": "user", "content": "?"}])
    except BadRequestError as error:
        print(error)


asyncio.run(main())
