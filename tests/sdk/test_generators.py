"""Operations around generators and asynchronous generators."""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator

import pytest
from opentelemetry import trace

import spyglass
from spyglass.testing import capture


def current_name() -> str:
    """Return the name of the current span."""
    return str(getattr(trace.get_current_span(), "name", ""))


def test_a_generator_is_current_only_while_its_own_body_runs() -> None:
    """Between two items the consumer's context is current; a nested with in the body is current again afterwards."""
    inside: list[str] = []

    @spyglass.tool
    def numbers() -> Iterator[int]:
        inside.append(current_name())
        yield 1
        with spyglass.tool("nested"):
            yield 2
            inside.append(current_name())
        inside.append(current_name())
        yield 3

    with capture() as captured, spyglass.agent("consumer"):
        seen = []
        for number in numbers():
            seen.append((number, current_name()))
            with spyglass.tool(f"use{number}"):
                pass
    assert seen == [(number, "invoke_agent consumer") for number in (1, 2, 3)]
    assert inside == ["execute_tool numbers", "execute_tool nested", "execute_tool numbers"]
    assert captured.tree() == [
        (0, "invoke_agent consumer"),
        (1, "execute_tool numbers"),
        (2, "execute_tool nested"),
        (1, "execute_tool use1"),
        (1, "execute_tool use2"),
        (1, "execute_tool use3"),
    ]


def test_a_generator_keeps_send_throw_close_and_its_return_value() -> None:
    """The wrapped generator behaves as the original does."""
    closed: list[str] = []

    @spyglass.tool
    def echo() -> Generator[str, str, str]:
        got = "start"
        try:
            while got != "stop":
                try:
                    got = yield got
                except KeyError as error:
                    got = f"caught {error}"
        finally:
            closed.append("closed")
        return "done"

    with capture() as captured:
        generator = echo()
        assert next(generator) == "start"
        assert generator.send("a") == "a"
        assert generator.throw(KeyError("k")) == "caught 'k'"
        with pytest.raises(StopIteration) as stop:
            generator.send("stop")
        assert stop.value.value == "done"
        second = echo()
        next(second)
        second.close()
    assert closed == ["closed", "closed"]
    assert [span.status.status_code.name for span in captured.spans] == ["UNSET", "UNSET"]


def test_a_generators_span_ends_when_it_is_forgotten() -> None:
    """An abandoned generator's span ends with the garbage collection of the generator, without an error."""

    @spyglass.tool
    def numbers() -> Iterator[int]:
        yield 1
        yield 2

    with capture() as captured:
        generator = numbers()
        next(generator)
        assert captured.spans == []
        del generator
        gc.collect()
        assert [(span.name, span.status.status_code.name) for span in captured.spans] == [
            ("execute_tool numbers", "UNSET")
        ]


def test_a_generator_that_is_never_read_has_no_span() -> None:
    """The span starts with the first item that is asked for."""

    @spyglass.tool
    def numbers() -> Iterator[int]:
        yield 1

    with capture() as captured:
        numbers()
    assert captured.spans == []


def test_an_exception_in_a_generator_is_recorded_and_raised() -> None:
    """A generator that fails half way fails its span."""

    @spyglass.tool
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("half way")

    with capture() as captured, pytest.raises(ValueError, match="half way"):
        list(broken())
    assert captured.attributes("execute_tool broken")["error.type"] == "ValueError"


def test_a_streamed_model_call_records_its_first_token_by_itself() -> None:
    """A generator decorated with llm_call is a streamed call whose first item is its first token."""

    @spyglass.llm_call("m")
    def stream() -> Iterator[str]:
        yield "a"
        yield "b"

    with capture() as captured:
        assert list(stream()) == ["a", "b"]
    found = captured.attributes("chat m")
    assert found["gen_ai.request.stream"] is True
    assert found["gen_ai.response.time_to_first_chunk"] == pytest.approx(0.001)


def test_an_asynchronous_generator_is_current_only_in_its_body() -> None:
    """The same holds for asynchronous generators, which stay asynchronous generator functions."""
    inside: list[str] = []

    @spyglass.llm_call("m")
    async def stream() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(0)
            inside.append(current_name())
            yield number

    async def consume() -> list[str]:
        with spyglass.agent("c"):
            return [current_name() async for _ in stream()]

    assert inspect.isasyncgenfunction(stream)
    with capture() as captured:
        assert asyncio.run(consume()) == ["invoke_agent c"] * 3
    assert inside == ["chat m"] * 3
    assert captured.tree() == [(0, "invoke_agent c"), (1, "chat m")]


def test_an_asynchronous_generator_keeps_asend_athrow_and_aclose() -> None:
    """The wrapped asynchronous generator behaves as the original does."""
    closed: list[str] = []

    @spyglass.tool
    async def echo() -> AsyncGenerator[str, str]:
        got = "start"
        try:
            while True:
                try:
                    got = yield got
                except KeyError:
                    got = "caught"
        finally:
            await asyncio.sleep(0)
            closed.append(current_name())

    async def use() -> None:
        generator = echo()
        assert await anext(generator) == "start"
        assert await generator.asend("a") == "a"
        assert await generator.athrow(KeyError("k")) == "caught"
        await generator.aclose()
        assert current_name() == ""

    with capture() as captured:
        asyncio.run(use())
    assert closed == ["execute_tool echo"]
    assert captured.span("execute_tool echo").status.status_code.name == "UNSET"


def test_an_abandoned_asynchronous_generator_ends_its_span() -> None:
    """Breaking out of async for ends the span when the loop closes the generator, in another context."""

    @spyglass.tool
    async def numbers() -> AsyncIterator[int]:
        with spyglass.tool("nested"):
            yield 1
            yield 2

    async def use() -> None:
        async for _ in numbers():
            break
        gc.collect()
        await asyncio.sleep(0.01)

    with capture() as captured:
        asyncio.run(use())
    assert captured.tree() == [(0, "execute_tool numbers"), (1, "execute_tool nested")]
