"""Call a model through each instrumented library, and print what was recorded as JSON: frameworks.py CONTENT."""

# ruff: noqa: D103, PLC0415, T201 -- each function is one call; what is imported when is the point; the result is printed
from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

import spyglass
from spyglass.demo.provider import Provider
from spyglass.testing import Captured, capture

PROMPT = "what is the weather in Paris"


def model_calls(captured: Captured, since: int) -> list[dict[str, Any]]:
    """Return each span since then that says it is a model call."""
    found = []
    for span in captured.spans[since:]:
        attributes = dict(span.attributes or {})
        kind = attributes.get("openinference.span.kind") or attributes.get("gen_ai.operation.name")
        if kind in ("LLM", "chat"):
            tokens = attributes.get("llm.token_count.prompt", attributes.get("gen_ai.usage.input_tokens"))
            found.append(
                {
                    "scope": span.instrumentation_scope.name if span.instrumentation_scope else "",
                    "tokens": tokens,
                    "text": PROMPT in json.dumps(attributes, default=str),
                    "session": attributes.get("session.id"),
                }
            )
    return found


def openai() -> None:
    from openai import OpenAI

    OpenAI().chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": PROMPT}])


def openai_in_llm_call() -> None:
    with spyglass.llm_call("gpt-5") as call:
        openai()
        call.usage(input_tokens=7)


def langchain() -> None:
    from langchain_openai import ChatOpenAI

    ChatOpenAI(model="gpt-5").invoke(PROMPT)


def langchain_asynchronous() -> None:
    from langchain_openai import ChatOpenAI

    asyncio.run(ChatOpenAI(model="gpt-5").ainvoke(PROMPT))


def openai_agents() -> None:
    from agents import Agent, Runner

    Runner.run_sync(Agent(name="A", model="gpt-5"), PROMPT)


def anthropic() -> None:
    from anthropic import Anthropic

    Anthropic().messages.create(model="claude", max_tokens=9, messages=[{"role": "user", "content": PROMPT}])


def main(content: str) -> None:
    results: dict[str, Any] = {}
    with Provider() as provider, capture(instrument="auto", content=content) as captured:
        root = provider.url
        os.environ.update(
            OPENAI_BASE_URL=f"{root}/v1", OPENAI_API_KEY="x", ANTHROPIC_BASE_URL=root, ANTHROPIC_API_KEY="x"
        )
        results["before"] = {row.library: row.outcome for row in spyglass.instrumented()}
        results["imported"] = sorted({"openai", "langchain_core", "agents", "anthropic"} & set(sys.modules))
        calls = (openai, openai_in_llm_call, langchain, langchain_asynchronous, openai_agents, anthropic)
        for call in calls:
            since = len(captured.spans)
            with spyglass.session(session="s"):
                call()
            results[call.__name__] = model_calls(captured, since)
        results["after"] = {row.library: [row.outcome, row.by] for row in spyglass.instrumented()}
        results["events"] = [
            dict(log.log_record.attributes or {})["spyglass.instrumented.library"]
            for log in captured.logs
            if log.log_record.event_name == "spyglass.instrumented"
        ]
        results["points"] = sorted(
            (point["spyglass.instrumented.library"], point["spyglass.instrumented.outcome"], value)
            for point, value in captured.points("spyglass.sdk.instrumented")
        )
        from agents.tracing import get_trace_provider

        results["agents_processors"] = [
            type(processor).__name__
            for processor in get_trace_provider()._multi_processor._processors  # type: ignore[attr-defined]
        ]
    print(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
