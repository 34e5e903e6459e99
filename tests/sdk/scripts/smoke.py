"""Exercise the whole SDK against a collector and say which OpenTelemetry it was: smoke.py ENDPOINT."""

# ruff: noqa: D103, T201, TRY301 -- a program, not a library
from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import spyglass

logging.basicConfig(level="INFO")
spyglass.init(service="smoke", endpoint=sys.argv[1], content="full", probes="none", instrument="none")


@spyglass.tool
def add(left: int, right: int) -> int:
    return left + right


@spyglass.llm_call("m")
def stream() -> Iterator[str]:
    yield "a"


@spyglass.tool
async def numbers() -> AsyncIterator[int]:
    yield 1


async def consume() -> None:
    async for _ in numbers():
        pass


with spyglass.session(user="u"), spyglass.agent("a") as agent, ThreadPoolExecutor(1) as pool:
    agent.input([{"role": "user", "content": "mail ann@example.org \ud800"}])
    agent.set("big", 2**80)
    logging.getLogger("app").warning("working")
    assert pool.submit(add, 1, 2).result() == 3
    assert list(stream()) == ["a"]
    asyncio.run(consume())
try:
    with spyglass.tool("broken"):
        raise ValueError("no")
except ValueError:
    pass
spyglass.feedback(agent, "thumb", 1)
assert spyglass.flush(20)
if os.fork() == 0:
    with spyglass.tool("child"):
        pass
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
assert spyglass.dropped() == {}, spyglass.dropped()
print(version("opentelemetry-sdk"))
