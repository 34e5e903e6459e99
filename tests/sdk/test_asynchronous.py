"""The context in everything that runs beside or after the code that asked for it."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

import spyglass
from spyglass.testing import capture
from tests.sdk.environments import environment


@spyglass.tool
def work() -> None:
    """Do nothing."""


async def awaited() -> None:
    """Do nothing, after the loop has had its turn."""
    await asyncio.sleep(0)
    work()


async def by_create_task() -> None:
    """Run as a task."""
    await asyncio.create_task(awaited())


async def by_gather() -> None:
    """Run together with others."""
    await asyncio.gather(awaited())


async def by_task_group() -> None:
    """Run in a group."""
    async with asyncio.TaskGroup() as group:
        group.create_task(awaited())


async def by_wait_for() -> None:
    """Run with a timeout."""
    await asyncio.wait_for(awaited(), 10)


async def by_executor() -> None:
    """Run in the loop's own threads."""
    await asyncio.get_running_loop().run_in_executor(None, work)


async def by_own_executor() -> None:
    """Run in threads of the program."""
    with ThreadPoolExecutor(1) as pool:
        await asyncio.get_running_loop().run_in_executor(pool, work)


async def by_to_thread() -> None:
    """Run in a thread that keeps the context."""
    await asyncio.to_thread(work)


async def by_call_soon() -> None:
    """Run in the loop's next turn."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    loop.call_soon(work)
    loop.call_later(0, done.set)
    await done.wait()


async def by_call_soon_threadsafe() -> None:
    """Run in the loop on behalf of a thread."""
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(loop.call_soon_threadsafe, work)
    await asyncio.sleep(0)


async def by_done_callback() -> None:
    """Run when a task has ended."""
    task = asyncio.create_task(asyncio.sleep(0))
    task.add_done_callback(lambda _: work())
    await task
    await asyncio.sleep(0)


async def by_anyio_task_group() -> None:
    """Run in a group of anyio."""
    async with anyio.create_task_group() as group:
        group.start_soon(awaited)


async def by_anyio_thread() -> None:
    """Run in a thread of anyio."""
    await anyio.to_thread.run_sync(work)


async def by_run_coroutine_threadsafe() -> None:
    """Run in the loop, asked for from a thread."""
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(awaited(), loop).result())


WAYS = [value for name, value in list(globals().items()) if name.startswith("by_")]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_asynchronous_work_hangs_under_who_asked_for_it(way: Callable[[], Awaitable[None]]) -> None:
    """What is started inside an agent is below it; what is started after it, from the same task, is not."""

    async def main() -> None:
        with spyglass.agent("a"):
            await way()
        await way()

    with capture() as captured:
        asyncio.run(main())
    assert captured.tree() == [(0, "invoke_agent a"), (1, "execute_tool work"), (0, "execute_tool work")]


def test_two_tasks_at_once_do_not_mix() -> None:
    """Agents that run at the same time in one loop have each their own work below them."""

    async def run(name: str) -> None:
        async with spyglass.agent(name):
            await asyncio.gather(by_create_task(), by_to_thread(), by_anyio_task_group())

    async def main() -> None:
        await asyncio.gather(*(run(f"agent {number}") for number in range(10)))

    with capture() as captured:
        asyncio.run(main())
        names = [captured.attributes(f"invoke_agent agent {number}")["gen_ai.agent.name"] for number in range(10)]
        tools = [span for span in captured.spans if span.name == "execute_tool work"]
    agents = {span.context.span_id: span for span in captured.spans if span.context and span.parent is None}
    assert len(names) == 10
    for tool in tools:
        assert tool.parent is not None
        above = agents[tool.parent.span_id].attributes or {}
        assert (tool.attributes or {})["gen_ai.agent.name"] == above["gen_ai.agent.name"]
    assert len(tools) == 30


def test_a_program_that_asks_for_an_empty_context_gets_it() -> None:
    """A task with a context of its own stays a root: that is what the program said."""

    async def main() -> None:
        with spyglass.agent("a"):
            await asyncio.get_running_loop().create_task(awaited(), context=contextvars.Context())

    with capture() as captured:
        asyncio.run(main())
    assert sorted(captured.tree()) == [(0, "execute_tool work"), (0, "invoke_agent a")]


LOOP = """
import asyncio, importlib, spyglass
from spyglass.testing import capture
early = importlib.import_module("uvloop") if {early} else None
async def main():
    by_exec = await asyncio.create_subprocess_exec("/bin/sh", "-c", "echo $TRACEPARENT", stdout=-1)
    by_shell = await asyncio.create_subprocess_shell("echo $TRACEPARENT", stdout=-1, env={{"A": "b"}})
    return [(await started.communicate())[0].decode().split("-")[2] for started in (by_exec, by_shell)]
with capture(), spyglass.agent("a") as agent:
    uvloop = importlib.import_module("uvloop")
    assert uvloop.run(main()) == [agent.span_id] * 2
    patched = uvloop.Loop.subprocess_exec
assert uvloop.Loop.subprocess_exec is not patched
"""


def test_uvloop_hands_the_context_to_programs(tmp_path: Path) -> None:
    """Uvloop starts programs by its own means, which get the trace too, whenever it is imported."""
    python = environment(tmp_path, "uvloop==0.23.0")
    for early in (True, False):
        subprocess.run([str(python), "-c", LOOP.format(early=early)], check=True, timeout=60)
