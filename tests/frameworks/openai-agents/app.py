"""Run an agent with a tool, stream another run of it, and run one whose model fails."""

import asyncio

from agents import Agent, ModelSettings, Runner, function_tool, set_default_openai_client
from openai import AsyncOpenAI, BadRequestError


@function_tool
def get_weather(city: str) -> str:
    """Say how the weather is in a city."""
    return f"sunny in {city}"


async def main() -> None:
    set_default_openai_client(AsyncOpenAI(max_retries=0), use_for_tracing=False)
    settings = ModelSettings(include_usage=True)
    guide = Agent(name="guide", instructions="Help.", model="gpt-4o-mini", tools=[get_weather], model_settings=settings)
    print((await Runner.run(guide, "How is the weather in Lisbon?")).final_output)

    streamed = Runner.run_streamed(guide, "How is the weather in Oslo?")
    async for _ in streamed.stream_events():
        pass
    print(streamed.final_output)

    try:
        await Runner.run(Agent(name="unlucky", model="gpt-4o-mini-fail400"), "How is the weather in Kyoto?")
    except BadRequestError as error:
        print(error)


asyncio.run(main())
