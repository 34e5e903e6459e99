"""What each operation puts on its span."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

import spyglass
from spyglass.names import DEFAULT_TENANT
from spyglass.testing import capture


def test_agent_span_has_the_name_and_attributes_of_the_conventions() -> None:
    """An agent's span is named invoke_agent and says kind, operation, name and its own execution id."""
    with capture() as captured, spyglass.agent("planner", id="urn:a", version="2", role="planner"):
        pass
    span = captured.span("invoke_agent planner")
    assert span.kind.name == "INTERNAL"
    assert dict(captured.attributes("invoke_agent planner")) == {
        "spyglass.kind": "agent",
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "planner",
        "gen_ai.agent.id": "urn:a",
        "gen_ai.agent.version": "2",
        "spyglass.agent.role": "planner",
        "spyglass.execution.id": f"{span.context.span_id:016x}" if span.context else "",
    }


def test_llm_span_records_what_its_handle_is_told() -> None:
    """A model call records request, tokens with the cache inside, finish reasons, response and first token."""
    with (
        capture(content="off") as captured,
        spyglass.llm_call("gpt-5", provider="openai", stream=True, max_tokens=9, temperature=0.5) as call,
    ):
        captured.clock.advance(0.25)
        call.first_token()
        call.first_token()
        call.usage(input_tokens=100, output_tokens=20, cache_read_tokens=60, cache_write_tokens=30, reasoning_tokens=5)
        call.response(model="gpt-5-2026", id="r1")
        call.finish("stop", "length")
    assert captured.span("chat gpt-5").kind.name == "CLIENT"
    found = dict(captured.attributes("chat gpt-5"))
    assert found.pop("gen_ai.response.time_to_first_chunk") == pytest.approx(0.251)
    assert found == {
        "spyglass.kind": "llm",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.cache_write.input_tokens": 30,
        "gen_ai.usage.reasoning.output_tokens": 5,
        "gen_ai.response.model": "gpt-5-2026",
        "gen_ai.response.id": "r1",
        "gen_ai.response.finish_reasons": ("stop", "length"),
    }


def test_what_is_not_given_stays_absent() -> None:
    """No default is invented for anything that the program did not say."""
    with capture() as captured:
        with spyglass.llm_call() as call:
            call.usage(output_tokens=1)
            call.finish()
        with spyglass.tool("t"), spyglass.retrieval("r"), spyglass.queue("q"), spyglass.workflow("w"):
            pass
    assert dict(captured.attributes("chat")) == {
        "spyglass.kind": "llm",
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.output_tokens": 1,
    }
    for span in captured.spans:
        assert DEFAULT_TENANT not in str(span.attributes)
        assert "spyglass.queue.wait" not in (span.attributes or {})


def test_tokens_that_contradict_each_other_are_kept_with_one_warning(said: pytest.LogCaptureFixture) -> None:
    """More cached tokens than input tokens are kept as given, and said once."""
    with capture() as captured:
        for _ in range(2):
            with spyglass.llm_call("m") as call:
                call.usage(input_tokens=10, cache_read_tokens=8, cache_write_tokens=3)
    assert [dict(span.attributes or {})["gen_ai.usage.cache_read.input_tokens"] for span in captured.spans] == [8, 8]
    assert [r.getMessage() for r in said.records if "whole includes" in r.getMessage()] == [
        (
            "spyglass: gen_ai.usage.input_tokens is 10 but its parts (gen_ai.usage.cache_read.input_tokens, "
            "gen_ai.usage.cache_write.input_tokens) are 11: the whole includes its parts; kept as given."
        )
    ]


@pytest.mark.parametrize("value", [True, "12", object(), 2**70, float("nan"), float("inf")])
def test_what_is_no_token_count_is_left_out(value: Any) -> None:
    """A value that is no number of tokens is absent, never 0 and never an exception."""
    with capture() as captured, spyglass.llm_call("m") as call:
        call.usage(input_tokens=value, output_tokens=3)
    assert "gen_ai.usage.input_tokens" not in captured.attributes("chat m")
    assert captured.attributes("chat m")["gen_ai.usage.output_tokens"] == 3


def test_inner_spans_know_their_agent_and_its_execution() -> None:
    """Spans inside an agent carry its name and the id of its nearest run; nested agents know their parent."""
    with capture() as captured, spyglass.workflow("w"), spyglass.agent("boss"):
        with spyglass.tool("outer"):
            pass
        with spyglass.agent("worker"), spyglass.llm_call("m"), spyglass.retrieval("docs"):
            pass
    boss = captured.attributes("invoke_agent boss")["spyglass.execution.id"]
    worker = captured.attributes("invoke_agent worker")
    assert worker["spyglass.agent.parent.name"] == "boss"
    assert worker["spyglass.execution.id"] != boss
    assert captured.attributes("execute_tool outer")["spyglass.execution.id"] == boss
    for name in ("chat m", "retrieval docs"):
        assert captured.attributes(name)["gen_ai.agent.name"] == "worker"
        assert captured.attributes(name)["spyglass.execution.id"] == worker["spyglass.execution.id"]
    assert "spyglass.execution.id" not in captured.attributes("invoke_workflow w")
    assert captured.tree() == [
        (0, "invoke_workflow w"),
        (1, "invoke_agent boss"),
        (2, "execute_tool outer"),
        (2, "invoke_agent worker"),
        (3, "chat m"),
        (4, "retrieval docs"),
    ]


def test_a_handoff_makes_the_source_the_parent_of_the_next_run_of_its_target() -> None:
    """The first run of the target after a hand-off names the source as its parent, once, though it is a sibling."""
    with capture() as captured, spyglass.workflow("w"):
        with spyglass.agent("planner"), spyglass.handoff("writer"):
            pass
        for name in ("critic", "writer", "writer"):
            with spyglass.agent(name):
                pass
    handoff = dict(captured.attributes("handoff writer"))
    assert handoff["spyglass.kind"] == "task"
    assert (handoff["spyglass.agent.source.name"], handoff["spyglass.agent.target.name"]) == ("planner", "writer")
    parents = [
        (span.attributes or {}).get("spyglass.agent.parent.name")
        for span in captured.spans
        if span.name in ("invoke_agent critic", "invoke_agent writer")
    ]
    assert parents == [None, "planner", None]


def test_queue_span_says_how_long_the_task_waited() -> None:
    """A task taken from a queue is a CONSUMER span with the messaging attributes and its wait in seconds."""
    with capture() as captured:
        with spyglass.queue("jobs", wait_seconds=1.5, system="rabbitmq"):
            pass
        since = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=60)
        with spyglass.queue("mail", enqueued_at=since):
            pass
    assert captured.span("process jobs").kind.name == "CONSUMER"
    assert dict(captured.attributes("process jobs")) == {
        "spyglass.kind": "queue",
        "spyglass.queue.name": "jobs",
        "spyglass.queue.wait": 1.5,
        "messaging.system": "rabbitmq",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "jobs",
    }
    assert captured.attributes("process mail")["spyglass.queue.wait"] == pytest.approx(60, abs=30)


@pytest.mark.parametrize("wait", [-1, float("nan"), float("inf"), "soon"])
def test_a_wait_that_is_no_time_is_left_out(wait: Any) -> None:
    """A negative or unreadable wait is absent."""
    with capture() as captured, spyglass.queue("jobs", wait_seconds=wait):
        pass
    assert "spyglass.queue.wait" not in captured.attributes("process jobs")


def test_embeddings_are_a_kind_of_their_own(said: pytest.LogCaptureFixture) -> None:
    """llm_call with operation=embeddings makes an embedding span; an unknown operation is chat, with a warning."""
    with (
        capture() as captured,
        spyglass.llm_call("e", operation="embeddings"),
        spyglass.llm_call("m", operation="sing"),
    ):
        pass
    assert captured.attributes("embeddings e")["spyglass.kind"] == "embedding"
    assert captured.attributes("chat m")["spyglass.kind"] == "llm"
    assert "no operation 'sing'" in said.text


def test_retrieval_records_query_and_documents() -> None:
    """A search records its source, its query and what was found, as far as content is captured."""
    with capture(content="full") as captured, spyglass.retrieval("docs", query="why", top_k=2) as search:
        search.documents([{"id": "d1", "score": 0.5, "content": "because", "embedding": [1, 2]}, "plain"])
    found = captured.attributes("retrieval docs")
    assert found["gen_ai.retrieval.query.text"] == "why"
    assert found["gen_ai.retrieval.top_k"] == 2
    assert found["gen_ai.retrieval.documents"] == ('[{"id":"d1","score":0.5,"content":"because"},{"content":"plain"}]')
