"""Every model call counts once, with its own tokens, whoever reports it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from spyglass.warehouse import finaliser
from tests.warehouse.ownership import Node
from tests.warehouse.wire import Server, one

IN_OUT, LESS, SUM = (52, 17), (10, 5), (104, 34)
CALLS = "SELECT span_id, input_tokens, output_tokens, usage_source FROM llm_calls WHERE organization = {o:String}"
EXECUTIONS = """
SELECT execution_id, llm_calls, input_tokens, output_tokens FROM fact_agent_executions WHERE organization = {o:String}
"""
TOTALS = """
SELECT sum(calls), sum(input_tokens), sum(output_tokens), sum(calls_without_usage) FROM rollup_calls_minute
WHERE organization = {o:String} AND kind IN ('llm', 'embedding')
"""
TOOLS = "SELECT sum(calls) AS calls FROM rollup_tools_minute WHERE organization = {o:String}"
numbers = count(1)


class Counted:
    """Hold what the warehouse makes of one trace, by the numbers of its spans."""

    def __init__(self, server: Server, trace: tuple[Node, ...]) -> None:
        number = next(numbers)
        organization = f"own-{number}"
        begin = time.time_ns() // 10**9 * 10**9 - 600 * 10**9
        rows = [node.row(f"{number:08x}{begin:024x}", organization, begin) for node in trace]
        assert server.insert("otel_traces", rows).status == 200
        for _ in finaliser.catch_up(server.client("admin"), timedelta(0)):
            pass
        self.calls = self._by_number(server, CALLS, organization)
        self.executions = self._by_number(server, EXECUTIONS, organization)
        # calls, tokens in and out, and calls without usage
        self.totals = tuple(one(server, TOTALS, o=organization).values())
        self.tools = one(server, TOOLS, o=organization)["calls"]

    @staticmethod
    def _by_number(server: Server, sql: str, organization: str) -> dict[int, tuple[Any, ...]]:
        rows = [tuple(row.values()) for row in server.client("reader").rows(sql, o=organization)]
        return {int(name, 16): tuple(values) for name, *values in rows}


Count = Callable[..., Counted]


@pytest.fixture
def counted(server: Server) -> Count:
    """Give a function that counts a trace of these spans."""
    return lambda *trace: Counted(server, trace)


def test_the_sum_of_an_agent_is_not_added_to_its_calls(counted: Count) -> None:
    """Where calls report their tokens, the sum that their agent reports counts nowhere."""
    found = counted(Node(1, kind="agent", tokens=SUM), Node(2, 1, tokens=IN_OUT), Node(3, 1, tokens=IN_OUT))
    assert found.calls == {2: (52, 17, "reported"), 3: (52, 17, "reported")}
    assert found.executions == {1: (2, 104, 34)}
    assert found.totals == (2, 104, 34, 0)


def test_the_sum_of_an_agent_counts_for_calls_that_say_nothing(counted: Count) -> None:
    """Where no call reports tokens, the agent's sum counts, the calls are counted, and none is without usage."""
    found = counted(Node(1, kind="agent", tokens=SUM), Node(2, 1), Node(3, 1), Node(4, 1, kind="task"), Node(5, 4))
    unknown = (None, None, "aggregated")
    assert found.calls == {1: (104, 34, "aggregated"), 2: unknown, 3: unknown, 5: unknown}
    assert found.executions == {1: (3, 104, 34)}
    assert found.totals == (3, 104, 34, 0)


def test_the_sum_of_an_agent_reaches_below_tools_and_agents(counted: Count) -> None:
    """An agent's sum over silent calls is no call, also where a tool and another agent stand between."""
    found = counted(
        Node(1, kind="agent", tokens=SUM), Node(2, 1, kind="tool", tool="ask"), Node(3, 2, kind="agent"), Node(4, 3)
    )
    assert found.executions == {1: (0, 104, 34), 3: (1, None, None)}
    assert found.totals == (1, 104, 34, 0)


def test_an_agent_without_spans_of_its_calls_is_one_call(counted: Count) -> None:
    """Where nothing below it is a call, what an agent reports is all that is known of at least one call."""
    found = counted(Node(1, kind="agent", tokens=SUM), Node(2, 1, kind="tool", tool="search"))
    assert found.calls == {1: (104, 34, "aggregated")}
    assert found.totals == (1, 104, 34, 0)


@pytest.mark.parametrize(
    ("outer", "inner", "owner"), [(IN_OUT, (None, None), 1), ((None, None), IN_OUT, 2), (IN_OUT, IN_OUT, 2)]
)
def test_a_call_inside_a_call_is_the_same(counted: Count, outer: Any, inner: Any, owner: int) -> None:
    """Of a framework's call and the provider's call in it, the inner one counts, unless only the outer one reports."""
    found = counted(Node(1, scope="framework", tokens=outer), Node(2, 1, kind="task"), Node(3, 2, tokens=inner))
    assert found.calls == {1 if owner == 1 else 3: (52, 17, "reported")}
    assert found.totals == (1, 52, 17, 0)


def test_a_failed_attempt_inside_of_a_call_that_succeeds_is_a_call(counted: Count) -> None:
    """What a client repeated is counted as a call that failed, and not as one of which the usage is missing."""
    found = counted(Node(1, scope="framework", tokens=IN_OUT), Node(2, 1, failed=True), Node(3, 1))
    assert found.calls == {1: (52, 17, "reported"), 2: (None, None, "missing")}
    assert found.totals == (2, 52, 17, 0)


def test_a_failed_call_inside_of_a_failed_call_is_the_same(counted: Count) -> None:
    """Of two spans that failed, one inside of the other, the inner one counts."""
    found = counted(Node(1, scope="framework", failed=True), Node(2, 1, failed=True))
    assert found.calls == {2: (None, None, "missing")}
    assert found.totals == (1, None, None, 0)


def test_two_scopes_with_one_response_are_one_call(counted: Count) -> None:
    """Two libraries that name the same response saw one call, though they count its tokens differently."""
    found = counted(
        Node(1, kind="agent"),
        Node(2, 1, scope="a", response="r1", tokens=IN_OUT),
        Node(3, 1, scope="b", response="r1", tokens=LESS, start=10),
    )
    assert found.calls == {2: (52, 17, "reported")}
    assert found.totals == (1, 52, 17, 0)


def test_two_responses_are_two_calls(counted: Count) -> None:
    """Two libraries that name different responses saw two calls, though time and tokens are the same."""
    found = counted(
        Node(1, kind="agent"),
        Node(2, 1, scope="a", response="r1", tokens=IN_OUT),
        Node(3, 1, scope="b", response="r2", tokens=IN_OUT),
    )
    assert found.totals == (2, 104, 34, 0)


@pytest.mark.parametrize(("start", "calls"), [(50, 1), (101, 2)])
def test_two_scopes_without_ids_are_one_call_at_the_same_time(counted: Count, start: int, calls: int) -> None:
    """Without ids, two scopes saw one call where it has the same tokens at the same time, and two where it has not."""
    found = counted(
        Node(1, kind="agent"),
        Node(2, 1, scope="a", tokens=IN_OUT),
        Node(3, 1, scope="b", tokens=IN_OUT, start=start),
    )
    assert found.totals == (calls, calls * 52, calls * 17, 0)


def test_an_estimate_gives_way_to_a_report(counted: Count) -> None:
    """Of two scopes that saw one call, the one that was told its tokens counts, whatever the order of their names."""
    found = counted(
        Node(1, scope="a", response="r1", tokens=LESS, source="estimated"),
        Node(2, scope="b", response="r1", tokens=IN_OUT, source="reported"),
    )
    assert found.calls == {2: (52, 17, "reported")}


def test_one_scope_sees_no_call_twice(counted: Count) -> None:
    """Parallel calls with the same tokens in one scope are as many calls as there are spans."""
    found = counted(Node(1, kind="agent"), *(Node(2 + at, 1, tokens=IN_OUT) for at in range(3)))
    assert found.totals == (3, 156, 51, 0)


def test_parallel_calls_that_two_scopes_see_count_once_each(counted: Count) -> None:
    """Two parallel calls with the same tokens, both seen by two scopes, are two calls."""
    found = counted(
        Node(1, kind="agent"), *(Node(2 + at, 1, scope="ab"[at % 2], tokens=IN_OUT, start=at) for at in range(4))
    )
    assert found.totals == (2, 104, 34, 0)


def test_a_response_id_that_is_used_again_is_another_call(counted: Count) -> None:
    """Two spans of one scope that report tokens are two calls, though the provider gave both the same id."""
    found = counted(Node(1, response="r1", tokens=IN_OUT), Node(2, response="r1", tokens=LESS, start=200))
    assert found.totals == (2, 62, 22, 0)


def test_an_answer_that_is_fetched_later_is_the_same_call(counted: Count) -> None:
    """Of two spans of one scope with the same response, one without tokens is the fetching or the starting of it."""
    found = counted(Node(1, response="r1", start=0), Node(2, response="r1", tokens=IN_OUT, start=500))
    assert found.calls == {2: (52, 17, "reported")}
    assert found.totals == (1, 52, 17, 0)


def test_the_bookkeeping_of_a_framework_never_counts(counted: Count) -> None:
    """A task that repeats tokens as a sum is neither a call nor tokens, above a call, beside it, or alone."""
    book = Node(2, 1, kind="task", tokens=IN_OUT, source="aggregated")
    agent, call = Node(1, kind="agent"), Node(3, 2, tokens=IN_OUT)
    found = counted(agent, book, call, replace(book, number=4), replace(book, number=5, parent=3))
    assert found.calls == {3: (52, 17, "reported")}
    assert found.executions == {1: (1, 52, 17)}
    assert counted(agent, book).totals == (0, None, None, 0)


def test_a_tool_call_that_client_and_server_see_is_one(counted: Count) -> None:
    """A framework's tool call, MCP's client and MCP's server are one; another tool, or another agent's, is another."""
    found = counted(
        Node(1, kind="agent"),
        Node(2, 1, kind="tool", tool="search", tool_call="c1", scope="framework"),
        Node(3, 2, kind="tool", tool="Search", scope="mcp-client"),
        Node(4, 3, kind="tool", tool="search", scope="mcp-server"),
        Node(5, 1, kind="tool", tool="search", tool_call="c2", scope="framework"),
        Node(6, 5, kind="tool", tool="tools/call", tool_call="c2", scope="mcp-client"),
        Node(7, 6, kind="tool", tool="sum"),
        Node(8, 7, kind="agent"),
        Node(9, 8, kind="tool", tool="sum"),
    )
    assert found.tools == 4


def test_an_agent_inside_of_a_call_keeps_its_calls(counted: Count) -> None:
    """A call whose tool runs an agent counts, and so do the calls of that agent."""
    found = counted(
        Node(1, scope="framework", tokens=IN_OUT),
        Node(2, 1, kind="tool", tool="ask"),
        Node(3, 2, kind="agent"),
        Node(4, 3, tokens=LESS),
        Node(5, 3),
    )
    assert set(found.calls) == {1, 4, 5}
    assert found.executions == {3: (2, 10, 5)}
    assert found.totals == (3, 62, 22, 1)


def test_a_circle_of_calls_counts_each(counted: Count) -> None:
    """Calls that name each other as parent have no uppermost one, so each counts, and what hangs below them too."""
    found = counted(Node(1, 2, tokens=IN_OUT), Node(2, 1, tokens=LESS), Node(3, 2), Node(4, 4, tokens=LESS))
    assert set(found.calls) == {1, 2, 3, 4}
    assert found.totals == (4, 72, 27, 1)


def test_no_tokens_in_and_none_out_are_unknown(counted: Count) -> None:
    """A call that reports 0 and 0 says nothing: its tokens are unknown, also those of the cache."""
    found = counted(Node(1, kind="agent"), Node(2, 1, tokens=(0, 0), cached=3, source="reported"))
    assert found.calls == {2: (None, None, "missing")}
    assert found.totals == (1, None, None, 1)
