"""Operations around functions and coroutines."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator

from opentelemetry import trace

import spyglass
from spyglass.testing import capture


def current_name() -> str:
    """Return the name of the current span."""
    return str(getattr(trace.get_current_span(), "name", ""))


def test_a_bare_decorator_takes_the_name_of_its_function() -> None:
    """@tool names the span after the function, @tool("x") after x; the function keeps its own name and signature."""

    @spyglass.tool
    def search(query: str, top: int = 3) -> str:
        """Search."""
        return f"{query}{top}"

    @spyglass.agent("planner")
    def plan() -> str:
        return search("q")

    with capture() as captured:
        assert plan() == "q3"
    assert captured.tree() == [(0, "invoke_agent planner"), (1, "execute_tool search")]
    assert search.__name__ == "search"
    assert search.__doc__ == "Search."
    assert list(inspect.signature(search).parameters) == ["query", "top"]
    assert captured.attributes("execute_tool search")["gen_ai.tool.type"] == "function"


def test_a_model_is_never_named_after_a_function() -> None:
    """@llm_call without a model has no model."""

    @spyglass.llm_call
    def ask() -> None:
        """Ask."""

    with capture() as captured:
        ask()
    assert captured.tree() == [(0, "chat")]


def test_a_decorated_tool_records_arguments_and_result() -> None:
    """Arguments are recorded by name without self, with what *args and **kwargs took, and the result too."""

    class Box:
        @spyglass.tool
        def put(self, item: str, *more: int, **options: bool) -> dict[str, int]:
            return {"items": 1 + len(more) + len(options) + len(item)}

    with capture(content="full") as captured:
        assert Box().put("a", 1, 2, fast=True) == {"items": 5}
    found = captured.attributes("execute_tool put")
    assert found["gen_ai.tool.call.arguments"] == '{"item":"a","more":[1,2],"fast":true}'
    assert found["gen_ai.tool.call.result"] == '{"items":5}'


def test_coroutines_are_spanned_until_they_return() -> None:
    """A decorated coroutine function stays one, and its span covers what it awaits."""

    @spyglass.agent("a")
    async def run() -> str:
        await asyncio.sleep(0)
        async with spyglass.tool("t"):
            await asyncio.sleep(0)
        return current_name()

    assert inspect.iscoroutinefunction(run)
    with capture() as captured:
        assert asyncio.run(run()) == "invoke_agent a"
    assert captured.tree() == [(0, "invoke_agent a"), (1, "execute_tool t")]


def test_concurrent_tasks_keep_their_own_context() -> None:
    """Tools of 20 agents that run at once in one event loop hang under their own agents."""

    @spyglass.tool
    async def work(number: int) -> None:
        await asyncio.sleep(0.001 * (number % 3))

    async def agent(number: int) -> None:
        with spyglass.agent(f"a{number}"):
            await asyncio.gather(work(number), work(number + 1))

    async def fleet() -> None:
        await asyncio.gather(*(agent(number) for number in range(20)))

    with capture() as captured:
        asyncio.run(fleet())
    agents = {span.context.span_id: span.name for span in captured.spans if span.parent is None and span.context}
    assert len(agents) == 20
    for span in captured.spans:
        if span.parent is not None:
            assert (span.attributes or {})["gen_ai.agent.name"] == agents[span.parent.span_id].removeprefix(
                "invoke_agent "
            )


def test_one_operation_object_can_be_used_again_and_inside_itself() -> None:
    """An operation made once can be entered many times; recursion of a decorated function nests."""
    step = spyglass.tool("step")

    @spyglass.tool
    def factorial(number: int) -> int:
        return number * factorial(number - 1) if number else 1

    with capture() as captured:
        with step, step:
            pass
        with step:
            pass
        assert factorial(2) == 2
    assert [depth for depth, _ in captured.tree()] == [0, 1, 0, 0, 1, 2]


def test_code_decorated_before_init_is_traced_after_it() -> None:
    """Decorators ask at each call whether spyglass is on."""

    @spyglass.tool
    def work() -> None:
        """Work."""

    work()
    with capture() as captured:
        work()
    work()
    assert captured.tree() == [(0, "execute_tool work")]


def test_a_session_decorates_functions_of_any_kind() -> None:
    """session() is a decorator too, for coroutines and generators as well."""

    @spyglass.session(user="u")
    def numbers() -> Iterator[int]:
        with spyglass.tool("in"):
            yield 1

    @spyglass.session(user="v")
    async def run() -> None:
        with spyglass.tool("async"):
            await asyncio.sleep(0)

    with capture() as captured:
        for _ in numbers():
            with spyglass.tool("consumer"):
                pass
        asyncio.run(run())
    assert captured.attributes("execute_tool in")["user.id"] == "u"
    assert captured.attributes("execute_tool async")["user.id"] == "v"
    assert "user.id" not in captured.attributes("execute_tool consumer")
