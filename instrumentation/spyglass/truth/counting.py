"""Ask the warehouse what it makes of the spans of a recording: calls, their tokens, and what it knows to be missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from spyglass.warehouse.client import Warehouse

_CALLS = """
SELECT
    s.scope AS scope, c.model AS model, s.kind IN ('llm', 'embedding') AS is_call, c.kind = 'embedding' AS is_embedding,
    c.status = 'error' AS failed, c.duration_ns < 1000000 AS is_instant, c.usage_source AS source, s.fault AS fault,
    c.input_tokens AS input, c.output_tokens AS output, c.cache_read_tokens AS cache_read,
    c.reasoning_tokens AS reasoning
FROM spyglass.llm_calls AS c FINAL
INNER JOIN
(
    SELECT trace_id, span_id, kind, scope_name AS scope, attributes['spyglass.usage.fault'] AS fault FROM spyglass.spans
    WHERE trace_id IN {traces:Array(String)}
    ORDER BY ingested_at DESC LIMIT 1 BY trace_id, span_id
) AS s ON s.trace_id = c.trace_id AND s.span_id = c.span_id
WHERE c.trace_id IN {traces:Array(String)}
ORDER BY c.started_at, c.span_id
"""
_TOTALS = """
SELECT
    sumIf(calls, kind IN ('llm', 'embedding')) AS total,
    sumIf(calls, kind = 'tool') AS tool_calls,
    sumIf(calls, kind = 'agent') AS agents
FROM spyglass.trace_minutes FINAL
WHERE trace_id IN {traces:Array(String)}
"""
# Each finds spans, by scope and by what there is to say of them.
_FINDINGS = {
    "faults": "attributes['spyglass.usage.fault'] AS what, true AS found",
    # A limit that was asked for is no count.
    "unread": """
        arrayJoin(mapKeys(mapFilter(
            (key, value) -> match(key, '(?i)(input|output|prompt|completion|total)_tokens|token_?count|usage_details')
                AND NOT match(key, '(?i)max') AND match(value, '[1-9]'),
            attributes
        ))) AS what,
        input_tokens IS NULL AND output_tokens IS NULL AS found
    """,
    "retrievals": """
        name AS what,
        kind = 'retrieval' AND trace_id NOT IN
            (SELECT trace_id FROM spyglass.llm_calls FINAL
            WHERE trace_id IN {traces:Array(String)} AND kind = 'embedding') AS found
    """,
    "unseen": """
        agent AS what,
        kind = 'agent' AND trace_id NOT IN
            (SELECT trace_id FROM spyglass.llm_calls FINAL WHERE trace_id IN {traces:Array(String)}) AS found
    """,
}
_FOUND = """
SELECT scope, what, uniqExact(trace_id, span_id) AS spans
FROM
(
    SELECT trace_id, span_id, scope_name AS scope, $finding FROM spyglass.spans WHERE trace_id IN {traces:Array(String)}
)
WHERE found AND what != ''
GROUP BY scope, what
ORDER BY scope, what
"""


class Call(NamedTuple):
    """Hold a row of llm_calls and its span's scope; ``fault`` names what its emitter is known to do wrong.

    ``is_call`` is false for a span that is no call of a model, but reports the tokens of some. ``is_instant`` says that
    it took less than a millisecond, in which no provider answers.
    """

    scope: str
    model: str
    is_call: bool
    is_embedding: bool
    failed: bool
    is_instant: bool
    source: str
    fault: str
    input: int | None
    output: int | None
    cache_read: int | None
    reasoning: int | None

    @property
    def has_usage(self) -> bool:
        """Say whether its span reports tokens."""
        return self.input is not None or self.output is not None

    @property
    def is_summed(self) -> bool:
        """Say whether its tokens are part of the sum that another span reports."""
        return self.is_call and self.source == "aggregated" and not self.has_usage


class Found(NamedTuple):
    """Hold how many spans of a scope there are of which the same can be said."""

    scope: str
    what: str
    spans: int


class Counted(NamedTuple):
    """Hold what the warehouse counts, and what it knows of spans.

    ``faults`` are marked with what their emitter is known to do wrong; ``unread`` report no usage, but have attributes
    that are named like counts of tokens; ``retrievals`` stand in traces without embeddings, and ``unseen`` are agents
    in traces without any call.
    """

    calls: tuple[Call, ...]
    total: int
    tool_calls: int
    agents: int
    faults: tuple[Found, ...]
    unread: tuple[Found, ...]
    retrievals: tuple[Found, ...]
    unseen: tuple[Found, ...]


def count(warehouse: Warehouse, traces: Sequence[str]) -> Counted:
    """Return what the warehouse counts in these traces, once the finaliser has seen them."""
    (totals,) = warehouse.rows(_TOTALS, traces=traces)
    calls = tuple(Call(**row) for row in warehouse.rows(_CALLS, traces=traces))
    found = {name: _find(warehouse, finding, traces) for name, finding in _FINDINGS.items()}
    return Counted(calls, totals["total"], totals["tool_calls"], totals["agents"], **found)


def _find(warehouse: Warehouse, finding: str, traces: Sequence[str]) -> tuple[Found, ...]:
    return tuple(Found(**row) for row in warehouse.rows(_FOUND.replace("$finding", finding), traces=traces))
