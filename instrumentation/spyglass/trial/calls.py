"""Make one call through each library, as its users would; the fake provider stands in the environment.

Each function imports what it needs: a library whose companion is missing raises ImportError and could not be tried.
"""

# ruff: noqa: PLC0415 -- each function imports the one library that it is for
from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

PROMPT = "What causes tides?"
_OPENAI, _ANTHROPIC, _GEMINI = "gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash"
_MESSAGES = [{"role": "user", "content": PROMPT}]
_MOST_TOKENS = 200


def _openai() -> None:
    from openai import OpenAI

    OpenAI(max_retries=0).chat.completions.create(model=_OPENAI, messages=_MESSAGES)


def _anthropic() -> None:
    from anthropic import Anthropic

    Anthropic(max_retries=0).messages.create(model=_ANTHROPIC, max_tokens=_MOST_TOKENS, messages=_MESSAGES)


def _openai_agents() -> None:
    from agents import Agent, Runner

    Runner.run_sync(Agent(name="trial", model=_OPENAI), PROMPT)


def _langchain() -> None:
    from langchain_openai import ChatOpenAI

    ChatOpenAI(model=_OPENAI, max_retries=0).invoke(PROMPT)


def _pydantic_ai() -> None:
    from pydantic_ai import Agent

    Agent(f"openai-chat:{_OPENAI}", name="trial").run_sync(PROMPT)


def _litellm() -> None:
    import litellm

    litellm.completion(model=f"openai/{_OPENAI}", messages=_MESSAGES, max_retries=0)


def _google_genai() -> None:
    from google import genai

    client = genai.Client()  # it closes when nobody holds it any more
    client.models.generate_content(model=_GEMINI, contents=PROMPT)


def _crewai() -> None:
    from crewai import LLM, Agent, Crew, Task

    worker = Agent(role="trial", goal="Answer.", backstory="None.", llm=LLM(model=f"openai/{_OPENAI}", max_retries=0))
    Crew(agents=[worker], tasks=[Task(description=PROMPT, expected_output="a sentence", agent=worker)]).kickoff()


def _llama_index() -> None:
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai import OpenAI

    OpenAI(model=_OPENAI, max_retries=0).chat([ChatMessage(PROMPT)])


def _strands() -> None:
    from strands import Agent
    from strands.models.openai import OpenAIModel

    Agent(name="trial", model=OpenAIModel(model_id=_OPENAI), callback_handler=None)(PROMPT)


def _smolagents() -> None:
    from smolagents import OpenAIServerModel

    OpenAIServerModel(model_id=_OPENAI).generate([{"role": "user", "content": [{"type": "text", "text": PROMPT}]}])


def _agno() -> None:
    from agno.agent import Agent
    from agno.models.openai import OpenAIChat

    Agent(name="trial", model=OpenAIChat(id=_OPENAI, max_retries=0), telemetry=False).run(PROMPT)


def _dspy() -> None:
    import dspy

    with dspy.context(lm=dspy.LM(f"openai/{_OPENAI}", cache=False, num_retries=0), adapter=dspy.JSONAdapter()):
        dspy.Predict("question -> answer")(question=PROMPT)


def _mcp() -> None:
    from mcp.client import Client
    from mcp.server import MCPServer

    server = MCPServer("trial")
    server.tool()(_tool)

    async def call() -> None:
        async with Client(server) as client:
            await client.call_tool("_tool", {"question": PROMPT})

    asyncio.run(call())


def _fastmcp() -> None:
    from fastmcp import Client, FastMCP

    server = FastMCP("trial")
    server.tool(_tool)

    async def call() -> None:
        async with Client(server) as client:
            await client.call_tool("_tool", {"question": PROMPT})

    asyncio.run(call())


def _tool(question: str) -> str:
    """Answer a question."""
    return f"{question} The moon."


CALLS: Mapping[str, Callable[[], None]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "openai-agents": _openai_agents,
    "langchain": _langchain,
    "pydantic-ai": _pydantic_ai,
    "litellm": _litellm,
    "mcp": _mcp,
    "fastmcp": _fastmcp,
    "google-genai": _google_genai,
    "crewai": _crewai,
    "llama-index": _llama_index,
    "strands": _strands,
    "smolagents": _smolagents,
    "agno": _agno,
    "dspy": _dspy,
}
