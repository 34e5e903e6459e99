"""Use the whole public API as a typed program does; this file only has to pass a type checker."""

# ruff: noqa: D103 -- the functions are there for their types
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import assert_type

import spyglass
from spyglass.testing import Captured, capture

spyglass.init(service="shop", content="full", queue_size=100)


@spyglass.tool
def bare(number: int) -> str:
    return str(number)


@spyglass.agent("planner", id="urn:a", version="1", role="planner")
async def named(text: str) -> int:
    return len(text)


@spyglass.llm_call("gpt-5", provider="openai", stream=True, max_tokens=10, temperature=0.1)
def stream(prompt: str) -> Iterator[str]:
    yield prompt


@spyglass.workflow
async def flow() -> AsyncIterator[int]:
    yield await named("x")


@spyglass.session(organization="o", project="p", user="u", session="s", conversation="c")
def inside() -> None:
    assert_type(bare(1), str)
    assert_type(stream("x"), Iterator[str])


async def program() -> None:
    assert_type(await named("x"), int)
    with spyglass.llm_call("gpt-5") as call:
        assert_type(call, spyglass.LlmCall)
        call.usage(input_tokens=1, output_tokens=2, cache_read_tokens=3, cache_write_tokens=4, reasoning_tokens=5)
        call.response(model="m", id="r")
        call.finish("stop")
        call.first_token()
        call.input([{"role": "user", "content": "hi"}])
        call.output("hi")
        call.system("be nice")
    async with spyglass.agent("a") as agent:
        assert_type(agent, spyglass.AgentRun)
        agent.set("key", 1)
        agent.error("timeout", "too slow")
    with spyglass.tool("t", call_id="c", type="function") as tool:
        assert_type(tool, spyglass.ToolCall)
        tool.arguments({"a": 1})
        tool.result([1])
    with spyglass.retrieval("docs", query="q", top_k=3) as search:
        assert_type(search, spyglass.Retrieval)
        search.documents([{"id": 1}])
    with spyglass.handoff("writer") as handoff, spyglass.queue("jobs", enqueued_at=datetime.now(UTC)) as queue:
        assert_type(handoff, spyglass.Handle)
        assert_type(queue, spyglass.Handle)
    assert_type(spyglass.current(spyglass.LlmCall), spyglass.LlmCall)
    assert_type(spyglass.carry(bare)(1), str)
    assert_type(spyglass.inject(), dict[str, str])
    assert_type(spyglass.inject([("key", b"value")]), list[tuple[str, bytes]])
    with spyglass.extract({"traceparent": ""}), spyglass.extract([(b"baggage", b"")]), spyglass.extract(None):
        pass
    assert_type(spyglass.flush(1.0), bool)
    assert_type(spyglass.dropped(), dict[str, dict[str, int]])
    spyglass.feedback(agent, "thumb", 1, label="yes", explanation="", span=call, source="user")
    for row in spyglass.instrumented():
        assert_type(row.library, str)
    spyglass.shutdown(1.0)


def test() -> None:
    with capture(content="full") as captured:
        assert_type(captured, Captured)
        assert_type(captured.tree(), list[tuple[int, str]])
