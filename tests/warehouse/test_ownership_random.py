"""Whatever spans a trace has, each number is that of the concept, and all totals are the sums of the calls."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from spyglass.warehouse import finaliser
from tests.warehouse.ownership import Node, execution, shares, tools, total
from tests.warehouse.wire import Server

# A closed hour, so that there are totals by minute and by hour.
AGO_NS = 3 * 3600 * 10**9
KINDS = ("llm", "llm", "llm", "embedding", "agent", "tool", "task", "workflow")
SCOPES = ("sdk", "sdk", "wrapper", "framework")
TOKENS = ((None, None), (None, None), (52, 17), (52, 17), (10, 5), (0, 0), (7, None), (None, 3))
SOURCES = ("", "", "reported", "estimated", "aggregated", "missing")
CALLS = """
SELECT
    trace_id, span_id, execution_id, input_tokens, output_tokens, cache_read_tokens, usage_source
FROM llm_calls WHERE organization = {o:String}
"""
EXECUTIONS = """
SELECT trace_id, execution_id, llm_calls, tool_calls, calls_without_usage, input_tokens, output_tokens
FROM fact_agent_executions WHERE organization = {o:String}
"""
TRACES = """
SELECT
    trace_id, sumIf(calls, kind IN ('llm', 'embedding')), sumIf(calls, kind = 'tool'), sum(calls_without_usage),
    sum(input_tokens), sum(output_tokens), sum(cache_read_tokens)
FROM trace_minutes WHERE organization = {o:String} GROUP BY trace_id
"""
ROLLUPS = """
SELECT
    sumIf(calls, kind IN ('llm', 'embedding')), sumIf(calls, kind = 'tool'), sum(calls_without_usage),
    sum(input_tokens), sum(output_tokens), sum(cache_read_tokens)
FROM {t:Identifier} WHERE organization = {o:String}
"""
batches = count(1)
Traces = dict[str, list[Node]]


def _grown(seed: int, spans: int) -> list[Node]:
    """Return a trace whose parents are earlier spans, no spans at all, or, rarely, later ones: then it has circles."""
    chance = random.Random(seed)  # noqa: S311 -- the same each time
    first = chance.randrange(1, 2**40) * 100
    return [
        Node(
            number=first + at,
            parent=_parent(chance, first, at, spans),
            kind=chance.choice(KINDS),
            scope=chance.choice(SCOPES),
            tokens=chance.choice(TOKENS),
            cached=chance.choice((None, 3)),
            source=chance.choice(SOURCES),
            response=chance.choice(("", "", "r1", "r2")),
            model=chance.choice(("gpt-4o", "GPT-4o", "gpt-4o-mini")),
            failed=chance.random() < 0.25,
            start=chance.choice((0, 0, 50, 200)),
            length=chance.choice((100, 100, 300)),
            tool=chance.choice(("search", "Search", "sum")),
            tool_call=chance.choice(("", "c1", "c2")),
        )
        for at in range(spans)
    ]


def _parent(chance: random.Random, first: int, at: int, spans: int) -> int | None:
    if at == 0 or chance.random() < 0.08:
        return chance.choice((None, first + 99))
    highest = spans if chance.random() < 0.03 else at
    return first + chance.randrange(max(0, at - 4) if highest == at else 0, highest)


def _expected(traces: Traces) -> dict[str, Any]:
    calls: dict[Any, Any] = {}
    executions: dict[Any, Any] = {}
    by_trace: dict[str, Any] = {}
    for trace_id, trace in traces.items():
        found = shares(trace)
        owners = {node.span_id: execution(node, trace, trace_id) for node in trace}
        cached = {node.span_id: node.cached for node in trace}
        for span, share in found.items():
            own = cached[span] if share.tokens != (None, None) else None
            calls[trace_id, span] = (owners[span], *share.tokens, own, share.source)
        members: dict[str, list[Node]] = defaultdict(list)
        for node in trace:
            members[owners[node.span_id]].append(node)
        for name in set(members) - {""}:
            executions[trace_id, name] = _sums(members[name], trace)
        by_trace[trace_id] = (*_sums(trace, trace), total(calls[trace_id, span][3] for span in found))
    return {"calls": calls, "executions": executions, "traces": by_trace}


def _sums(some: Sequence[Node], trace: Sequence[Node]) -> tuple[Any, ...]:
    """Return calls, tool calls, calls without usage, and tokens in and out, of some spans of a trace."""
    found = shares(trace)
    own = [(node, found[node.span_id]) for node in some if node.span_id in found]
    unknown = [share for node, share in own if share.counts and share.source == "missing" and not node.failed]
    return (
        sum(share.counts for _, share in own),
        tools(trace, some),
        len(unknown),
        total(share.tokens[0] for _, share in own),
        total(share.tokens[1] for _, share in own),
    )


def _stored(server: Server, organization: str) -> dict[str, Any]:
    def keyed(sql: str, key: int) -> dict[Any, Any]:
        rows = [tuple(row.values()) for row in server.client("reader").rows(sql, o=organization)]
        return {row[:key] if key > 1 else row[0]: row[key:] for row in rows}

    return {"calls": keyed(CALLS, 2), "executions": keyed(EXECUTIONS, 2), "traces": keyed(TRACES, 1)}


def _wrong(expected: dict[str, Any], stored: dict[str, Any], traces: Traces) -> list[Any]:
    """Return the smallest trace of which something differs: what, as expected and as stored, and its spans."""
    found = [
        (len(traces[key if isinstance(key, str) else key[0]]), table, key, of.get(key), stored[table].get(key))
        for table, of in expected.items()
        for key in set(of) | set(stored[table])
        if of.get(key) != stored[table].get(key)
    ]
    if not found:
        return []
    smallest = min(found, key=lambda item: item[0])
    key = smallest[2]
    return [*smallest[1:], *traces[key if isinstance(key, str) else key[0]]]


@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # a smaller batch is no clearer: the smallest trace that differs is shown
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seeds=st.lists(st.tuples(st.integers(0, 2**32), st.integers(1, 14)), min_size=150, max_size=150))
def test_any_trace_counts_as_the_concept_says(server: Server, seeds: list[tuple[int, int]]) -> None:
    """Rows of calls, sums of executions and of traces are those of the concept, and totals are their sums."""
    organization = f"any-{next(batches)}"
    begin = (time.time_ns() - AGO_NS) // 10**9 * 10**9
    traces = {f"{at:08x}{begin:024x}": _grown(*seed) for at, seed in enumerate(seeds)}
    rows = [node.row(trace, organization, begin) for trace, nodes in traces.items() for node in nodes]
    assert server.insert("otel_traces", rows).status == 200
    for _ in finaliser.catch_up(server.client("admin"), timedelta(0)):
        pass
    expected = _expected(traces)
    assert _wrong(expected, _stored(server, organization), traces) == []
    sums = tuple(total(column) for column in zip(*expected["traces"].values(), strict=True))
    for unit in ("minute", "hour"):
        (row,) = server.client("reader").rows(ROLLUPS, o=organization, t=f"rollup_calls_{unit}")
        assert tuple(row.values()) == sums
