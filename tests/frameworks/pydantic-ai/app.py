"""Run an agent with a tool on OpenAI, stream one on Claude, and run one whose model fails."""

import asyncio

from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

OPENAI = OpenAIProvider(openai_client=AsyncOpenAI(max_retries=0))


def get_weather(city: str) -> str:
    """Say how the weather is in a city."""
    return f"sunny in {city}"


async def main() -> None:
    guide = Agent(OpenAIChatModel("gpt-4o-mini", provider=OPENAI), name="guide", tools=[get_weather])
    print((await guide.run("How is the weather in Lisbon?")).output)

    poet = Agent("anthropic:claude-haiku-4-5", name="poet", tools=[get_weather])
    async with poet.run_stream("How is the weather in Oslo?") as streamed:
        print(await streamed.get_output())

    unlucky = Agent(OpenAIChatModel("gpt-4o-mini-fail400", provider=OPENAI), name="unlucky")
    try:
        await unlucky.run("How is the weather in Kyoto?")
    except ModelHTTPError as error:
        print(error)


asyncio.run(main())
