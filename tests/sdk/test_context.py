"""The context in threads, executors and other processes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

import spyglass
from spyglass.testing import capture
from tests.sdk.receiver import Receiver

SCRIPTS = Path(__file__).parent / "scripts"


@spyglass.tool
def square(number: int) -> int:
    """Square."""
    return number * number


def parents(names: list[tuple[int, str]]) -> list[int]:
    """Return how deep each tool hangs."""
    return [depth for depth, name in names if name == "execute_tool square"]


def test_threads_carry_the_context() -> None:
    """A thread, one of a class of its own and a timer work in the context that started them."""

    class Own(threading.Thread):
        def run(self) -> None:
            square(2)

    with capture() as captured, spyglass.agent("a"):
        threads = [threading.Thread(target=square, args=(1,)), Own(), threading.Timer(0, square, (3,))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert parents(captured.tree()) == [1, 1, 1]
    assert all("run" not in vars(thread) for thread in threads)


def test_thread_pools_carry_the_context_of_each_task() -> None:
    """submit() and map() carry the submitter's context; a worker keeps none for the next task."""
    with capture() as captured, ThreadPoolExecutor(1) as pool:
        with spyglass.agent("a"):
            assert pool.submit(square, 3).result() == 9
            assert list(pool.map(square, [1, 2])) == [1, 4]
        assert pool.submit(square, 4).result() == 16
    assert parents(captured.tree()) == [1, 1, 1, 0]


def test_propagation_can_be_switched_off_and_is_taken_back() -> None:
    """With propagate=False threads start roots; after shutdown the patched methods are the originals."""
    originals = (threading.Thread.start, ThreadPoolExecutor.submit, ProcessPoolExecutor.submit)
    with capture(propagate=False) as captured, spyglass.agent("a"):
        thread = threading.Thread(target=square, args=(1,))
        thread.start()
        thread.join()
    assert parents(captured.tree()) == [0]
    with capture():
        assert threading.Thread.start is not originals[0]
    assert (threading.Thread.start, ThreadPoolExecutor.submit, ProcessPoolExecutor.submit) == originals


def test_a_thread_that_cannot_be_carried_still_runs(said: pytest.LogCaptureFixture) -> None:
    """A thread class that refuses a run attribute runs without the context."""
    ran = []

    class Stubborn(threading.Thread):
        def __getattribute__(self, name: str) -> object:
            if name == "__dict__":
                raise RuntimeError("none of your business")
            return super().__getattribute__(name)

        def run(self) -> None:
            ran.append(1)

    with capture(), spyglass.agent("a"):
        thread = Stubborn()
        thread.start()
        thread.join()
    assert ran == [1]
    assert "could not carry the context into a thread" in said.text


def test_carry_takes_the_context_along_and_can_be_pickled() -> None:
    """A carried function runs where it was made, in this process and after pickling."""
    with capture() as captured:
        with spyglass.session(user="u"), spyglass.agent("a"):
            carried = spyglass.carry(square)
            again = pickle.loads(pickle.dumps(carried))  # noqa: S301 -- our own bytes
        assert (carried(2), again(3)) == (4, 9)
    tools = [span for span in captured.spans if span.name == "execute_tool square"]
    agent = captured.span("invoke_agent a")
    for tool in tools:
        assert tool.parent is not None
        assert agent.context is not None
        assert tool.parent.span_id == agent.context.span_id
        assert dict(tool.attributes or {})["gen_ai.agent.name"] == "a"
        assert dict(tool.attributes or {})["user.id"] == "u"
    assert len(tools) == 2


def test_carry_is_the_function_itself_without_init() -> None:
    """Without init() nothing is wrapped."""
    assert spyglass.carry(square) is square


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("kind", ["executor", "pool", "process"])
def test_worker_processes_export_their_spans_under_their_caller(receiver: Receiver, method: str, kind: str) -> None:
    """Spans of pool workers arrive before the workers end, under the agent that submitted them, each with its pid."""
    script = SCRIPTS / "pools.py"
    subprocess.run(
        [sys.executable, str(script), receiver.endpoint, method, kind], check=True, timeout=60, capture_output=True
    )
    spans = receiver.spans()
    agent = next(span for span in spans if span["name"] == "invoke_agent boss")
    tools = [span for span in spans if span["name"] == "execute_tool square"]
    assert len(tools) == 4
    for tool in tools:
        assert tool["parent_span_id"] == agent["span_id"]
        assert tool["attributes"]["gen_ai.agent.name"] == "boss"
        assert tool["attributes"]["spyglass.execution.id"] == agent["span_id"]
        assert tool["attributes"]["user.id"] == "u"
        assert tool["resource"]["service.name"] == "pools"
        assert tool["resource"]["process.pid"] != agent["resource"]["process.pid"]
        assert tool["resource"]["service.instance.id"] != agent["resource"]["service.instance.id"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_sends_its_own_spans_and_not_its_parents(receiver: Receiver) -> None:
    """After os.fork() the child has an empty queue, a new instance id and a thread of its own."""
    subprocess.run(
        [sys.executable, str(SCRIPTS / "forks.py"), receiver.endpoint], check=True, timeout=60, capture_output=True
    )
    found = [
        (span["name"], span["resource"]["process.pid"], span["resource"]["service.instance.id"])
        for span in receiver.spans()
    ]
    assert sorted(name for name, _, _ in found) == ["execute_tool child", "execute_tool late", "execute_tool waiting"]
    by_name = {name: (pid, instance) for name, pid, instance in found}
    assert by_name["execute_tool waiting"] == by_name["execute_tool late"]
    assert by_name["execute_tool child"][0] != by_name["execute_tool late"][0]
    assert by_name["execute_tool child"][1] != by_name["execute_tool late"][1]
    foreign = [log for log in receiver.logs() if log["body"] == "from the child"]
    assert len(foreign) == 1
