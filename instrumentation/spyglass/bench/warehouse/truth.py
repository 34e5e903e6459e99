"""Say in plain Python what the warehouse must hold of some spans; nothing here asks the engine to count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spyglass import names
from spyglass.names import Kind

# What of a table tells its rows apart → the rest.
Table = dict[tuple[Any, ...], tuple[Any, ...]]
Price = tuple[int, int, int]
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """Hold a span as it was sent at last; times in nanoseconds, tokens and cost None where unknown."""

    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    duration_ns: int
    failed: bool
    attributes: Mapping[str, str]
    cost: int | None

    @property
    def kind(self) -> str:
        """Return what it is."""
        return self.attributes[names.KIND]

    @property
    def is_call(self) -> bool:
        """Say whether it is a model call."""
        return self.kind == Kind.LLM

    @property
    def minute(self) -> int:
        """Return the minute in which it began, as seconds since 1970."""
        return self.start_ns // 10**9 // 60 * 60

    @property
    def status(self) -> str:
        """Return its outcome as the warehouse has it."""
        return "error" if self.failed else "unset"

    def tokens(self, name: str) -> int | None:
        """Return a count of tokens."""
        found = self.attributes.get(name)
        return None if found is None else int(found)

    def name(self, name: str) -> str:
        """Return an attribute, empty where there is none."""
        return self.attributes.get(name, "")


def span(row: Mapping[str, Any], prices: Mapping[tuple[str, str], Price]) -> Span:
    """Return a row of the exporter as a span, its cost by the prices (nano-USD for a million tokens)."""
    attributes = row["SpanAttributes"]
    return Span(
        trace_id=row["TraceId"],
        span_id=row["SpanId"],
        parent_id=row["ParentSpanId"],
        start_ns=row["start_ns"],
        duration_ns=row["Duration"],
        failed=row["StatusCode"] == "Error",
        attributes=attributes,
        cost=_cost(attributes, prices),
    )


def _cost(attributes: Mapping[str, str], prices: Mapping[tuple[str, str], Price]) -> int | None:
    price = prices.get((attributes.get(names.PROVIDER_NAME, ""), attributes.get(names.RESPONSE_MODEL, "")))
    if attributes[names.KIND] != Kind.LLM or price is None:
        return None
    read = int(attributes.get(names.CACHE_READ_TOKENS, "0"))
    fresh = int(attributes[names.INPUT_TOKENS]) - read
    nano = fresh * price[0] + read * price[1] + int(attributes[names.OUTPUT_TOKENS]) * price[2]
    return (nano + _MILLION // 2) // _MILLION


class Truth:
    """Work out what agents did from all spans of some traces."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans = {(each.trace_id, each.span_id): each for each in spans}
        self._owner = {key: self._agent_at_or_above(each) for key, each in self._spans.items()}

    def _agent_at_or_above(self, found: Span | None) -> Span | None:
        while found is not None and found.kind != Kind.AGENT:
            found = self._parent(found)
        return found

    def _parent(self, child: Span) -> Span | None:
        return self._spans.get((child.trace_id, child.parent_id))

    def _caller(self, agent: Span) -> str:
        return _agent(self._agent_at_or_above(self._parent(agent)))

    def tables(self) -> dict[str, Table]:
        """Return each table's rows, as sql/facts/<table>.sql gives them."""
        return {
            "executions": self._executions(),
            "calls": self._calls(),
            "edges": self._edges(lambda each: each.trace_id),
            "rollup_calls": self._rollup_calls(),
            "rollup_tools": self._rollup_tools(),
            "rollup_users": self._rollup_users(),
            "rollup_edges": self._edges(lambda each: each.minute),
        }

    def _executions(self) -> Table:
        own: dict[tuple[str, str], list[Span]] = defaultdict(list)
        for key, each in self._spans.items():
            if (owner := self._owner[key]) is not None:
                own[owner.trace_id, owner.span_id].append(each)
        return {key: self._execution(self._spans[key], each) for key, each in own.items()}

    def _execution(self, agent: Span, own: Sequence[Span]) -> tuple[Any, ...]:
        calls = [each for each in own if each.is_call]
        return (
            *(_agent(agent), self._caller(agent), agent.status, len(own)),
            *(len(calls), sum(each.failed for each in calls), sum(each.kind == Kind.TOOL for each in own)),
            *_sums(calls),
        )

    def _calls(self) -> Table:
        return {
            key: (_agent(self._owner[key]), each.name(names.RESPONSE_MODEL), *_sums([each]))
            for key, each in self._spans.items()
            if each.is_call
        }

    def _edges(self, of: Any) -> Table:
        found: dict[tuple[Any, ...], list[Span]] = defaultdict(list)
        for key, each in self._spans.items():
            kind = {Kind.AGENT: "agent", Kind.TOOL: "tool", Kind.LLM: "model"}.get(Kind(each.kind))
            caller = self._caller(each) if each.kind == Kind.AGENT else _agent(self._owner[key])
            if kind and caller:
                found[of(each), caller, kind, each.name(_CALLEE[kind])].append(each)
        return {key: (*_counts(each), *_sums(each)) for key, each in found.items()}

    def _rollup_calls(self) -> Table:
        found: dict[tuple[Any, ...], list[Span]] = defaultdict(list)
        for key, each in self._spans.items():
            model = each.name(names.RESPONSE_MODEL) if each.is_call else ""
            place = (each.minute, _agent(self._owner[key]), each.kind, model, each.status, each.name(names.ERROR_TYPE))
            found[place].append(each)
        return {place: (*_counts(each), *_sums(each)) for place, each in found.items()}

    def _rollup_tools(self) -> Table:
        found: dict[tuple[Any, ...], list[Span]] = defaultdict(list)
        for each in self._spans.values():
            if each.kind == Kind.TOOL:
                found[each.minute, each.name(names.TOOL_NAME), each.status, each.name(names.ERROR_TYPE)].append(each)
        return {place: _counts(each) for place, each in found.items()}

    def _rollup_users(self) -> Table:
        found: dict[tuple[Any, ...], list[Span]] = defaultdict(list)
        for each in self._spans.values():
            if each.kind in (Kind.AGENT, Kind.LLM):
                model = each.name(names.RESPONSE_MODEL) if each.is_call else ""
                found[each.minute, each.name(names.USER_ID), model].append(each)
        return {
            place: (sum(span.kind == Kind.AGENT for span in each), sum(span.is_call for span in each), *_sums(each))
            for place, each in found.items()
        }


_CALLEE = {"agent": names.AGENT_NAME, "tool": names.TOOL_NAME, "model": names.RESPONSE_MODEL}


def _agent(found: Span | None) -> str:
    return "" if found is None else found.name(names.AGENT_NAME)


def _counts(spans: Sequence[Span]) -> tuple[int, int, int]:
    return len(spans), sum(each.failed for each in spans), sum(each.duration_ns for each in spans)


def _sums(spans: Iterable[Span]) -> tuple[int | None, int | None, int | None]:
    """Return input and output tokens and cost; None where no span knows any."""
    found = [(each.tokens(names.INPUT_TOKENS), each.tokens(names.OUTPUT_TOKENS), each.cost) for each in spans]
    added = [_sum(each) for each in zip(*found, strict=True)] if found else [None] * 3
    return added[0], added[1], added[2]


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
