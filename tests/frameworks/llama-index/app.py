"""Run an agent with a tool, stream an answer, and run one whose model fails."""

import asyncio

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai import OpenAI
from openai import BadRequestError


def get_weather(city: str) -> str:
    """Say how the weather is in a city."""
    return f"sunny in {city}"


def model(**options: object) -> OpenAI:
    return OpenAI(model="gpt-4o-mini", max_retries=0, additional_kwargs=options)


def agent(name: str, llm: OpenAI) -> FunctionAgent:
    return FunctionAgent(name=name, tools=[get_weather], llm=llm, streaming=False)


async def main() -> None:
    print(await agent("guide", model()).run("How is the weather in Lisbon?"))
    for chunk in model(stream_options={"include_usage": True}).stream_chat([ChatMessage("What causes tides?")]):
        print(chunk.delta, end="")
    try:
        await agent("unlucky", model(model="gpt-4o-mini-fail400")).run("How is the weather in Kyoto?")
    except BadRequestError as error:
        print(error)


asyncio.run(main())
