"""Say whose tokens count, apart from the engine: who sees a call, who repeats it, who adds it up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

CALLS = ("llm", "embedding")
MILLISECOND = 1_000_000


@dataclass(frozen=True)
class Node:
    """Hold a span of a trace; times are milliseconds, and a parent that is no node of the trace never came."""

    number: int
    parent: int | None = None
    kind: str = "llm"
    scope: str = "sdk"
    tokens: tuple[int | None, int | None] = (None, None)
    cached: int | None = None
    source: str = ""
    fault: str = ""
    response: str = ""
    model: str = "gpt-4o"
    failed: bool = False
    start: int = 0
    length: int = 100
    tool: str = ""
    tool_call: str = ""

    @property
    def span_id(self) -> str:
        """Return the id as the warehouse has it."""
        return f"{self.number:016x}"

    @property
    def is_call(self) -> bool:
        """Say whether it is a call of a model."""
        return self.kind in CALLS

    @property
    def reports(self) -> bool:
        """Say whether it tells how many tokens were used: none at all are nothing that was told."""
        return any(self.tokens) and not (self.kind == "task" and self.source == "aggregated")

    def row(self, trace_id: str, organization: str, begin_ns: int) -> dict[str, Any]:
        """Return the row that the collector's exporter writes."""
        given = {
            "spyglass.kind": self.kind,
            "spyglass.organization": organization,
            "spyglass.usage.source": self.source,
            "spyglass.usage.fault": self.fault,
            "gen_ai.agent.name": "planner" if self.kind == "agent" else "",
            "gen_ai.tool.name": self.tool,
            "gen_ai.tool.call.id": self.tool_call,
            "gen_ai.request.model": self.model if self.is_call else "",
            "gen_ai.provider.name": "openai" if self.is_call else "",
            "gen_ai.response.id": self.response,
            "gen_ai.usage.input_tokens": self.tokens[0],
            "gen_ai.usage.output_tokens": self.tokens[1],
            "gen_ai.usage.cache_read.input_tokens": self.cached,
        }
        return {
            "Timestamp": f"{(begin_ns + self.start * MILLISECOND) / 1e9:.9f}",
            "TraceId": trace_id,
            "SpanId": self.span_id,
            "ParentSpanId": "" if self.parent is None else f"{self.parent:016x}",
            "SpanName": self.kind,
            "SpanKind": "Internal",
            "ServiceName": "shop",
            # A process of its own, so that no call is looked for in another trace.
            "ResourceAttributes": {"service.name": "shop", "service.instance.id": trace_id},
            "ScopeName": self.scope,
            "SpanAttributes": {name: str(value) for name, value in given.items() if value not in (None, "")},
            "Duration": self.length * MILLISECOND,
            "StatusCode": "Error" if self.failed else "Ok",
        }


class Share(NamedTuple):
    """Say of a span whether it is a call, the tokens that count here, and from where they are."""

    counts: bool
    tokens: tuple[int | None, int | None]
    source: str


def shares(trace: Sequence[Node]) -> dict[str, Share]:
    """Return what each span contributes, by its id, of those that contribute anything."""
    tree = _Tree(trace)
    found = {node: (tree.owns(node), tree.counts(node)) for node in trace}
    candidates = sorted((node for node in trace if any(found[node])), key=_rank)
    kept = [node for at, node in enumerate(candidates) if not any(_same(node, each) for each in candidates[:at])]
    return {
        node.span_id: Share(
            found[node][1], node.tokens if found[node][0] else (None, None), tree.source(node, owns=found[node][0])
        )
        for node in kept
    }


def tools(trace: Sequence[Node], some: Sequence[Node]) -> int:
    """Return how many calls of tools some spans of a trace are: what MCP's client and server see of one is one."""
    tree = _Tree(trace)
    return sum(node.kind == "tool" and not tree.repeats_tool(node) for node in some)


def execution(node: Node, trace: Sequence[Node], trace_id: str) -> str:
    """Return the execution that a span belongs to: of the agent at or above it, else of a trace without agents."""
    by_number = {each.number: each for each in trace}
    agent = next((each for each in (node, *_ancestors(node, by_number)) if each.kind == "agent"), None)
    if agent:
        return agent.span_id
    return "" if any(each.kind == "agent" for each in trace) else trace_id


def total(values: Iterable[int | None]) -> int | None:
    """Return the sum of what is known, or None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


class _Tree:
    """Know what stands above and below each span of a trace."""

    def __init__(self, trace: Sequence[Node]) -> None:
        self._trace = trace
        by_number = {node.number: node for node in trace}
        self._above = {node: list(_ancestors(node, by_number)) for node in trace}

    def owns(self, node: Node) -> bool:
        """Say whether its tokens are those that nobody else tells better: calls before sums, inner before outer."""
        if not node.reports:
            return False
        if node.is_call:
            return not any(below.is_call and below.reports for below in self._inside(node))
        return not any(below.reports for below in self._below(node)) and self._reporting_call(node) is None

    def counts(self, node: Node) -> bool:
        """Say whether it is a call: one that tells of its tokens, or of which another does not tell."""
        if not node.is_call:
            return self.owns(node) and not any(below.is_call for below in self._below(node))
        if node.reports:
            return self.owns(node)
        if any(below.is_call for below in self._inside(node)):
            return False
        outer = self._reporting_call(node)
        return outer is None or not self.owns(outer) or (node.failed and not outer.failed)

    def source(self, node: Node, *, owns: bool) -> str:
        """Return from where its tokens are known."""
        if owns:
            told = node.source if node.source != "missing" else ""
            return told or ("reported" if node.is_call else "aggregated")
        above = next((each for each in self._above[node] if each.reports), None)
        summed = above is not None and not any(below.reports for below in self._below(above))
        return "aggregated" if summed and not node.failed else "missing"

    def repeats_tool(self, node: Node) -> bool:
        """Say whether the tool call above it, of the same agent, is the same one."""
        for above in self._above[node]:
            if above.kind == "agent":
                return False
            if above.kind == "tool":
                same_call = node.tool_call != "" and node.tool_call == above.tool_call
                return same_call or node.tool.lower() == above.tool.lower()
        return False

    def _below(self, node: Node) -> Iterator[Node]:
        return (each for each in self._trace if node in self._above[each])

    def _inside(self, node: Node) -> Iterator[Node]:
        """Yield what is part of a span: what an agent or a tool below it does is not."""
        return (each for each in self._trace if node in self._unbroken(each))

    def _unbroken(self, node: Node) -> Iterator[Node]:
        for above in self._above[node]:
            if above.kind in ("agent", "tool"):
                return
            yield above

    def _reporting_call(self, node: Node) -> Node | None:
        return next((above for above in self._unbroken(node) if above.is_call and above.reports), None)


def _ancestors(node: Node, by_number: Mapping[int, Node]) -> Iterator[Node]:
    """Yield the spans above; none where they are a circle, which has no uppermost one."""
    found: list[Node] = []
    at = by_number.get(node.parent) if node.parent not in (None, node.number) else None
    while at:
        if at in found or at is node:
            return
        found.append(at)
        at = by_number.get(at.parent) if at.parent not in (None, at.number) else None
    yield from found


def _rank(node: Node) -> tuple[bool, bool, str, str]:
    """Return what sorts the spans of one call: the best witness first."""
    return (not node.reports, node.source != "reported", node.scope, node.span_id)


def _same(one: Node, other: Node) -> bool:
    """Say whether two spans are of one call."""
    both_report = one.reports and other.reports
    same_id = one.response != "" and one.response == other.response
    if one.scope == other.scope:
        return same_id and not both_report
    if one.start > other.start + other.length or other.start > one.start + one.length:
        return False
    if one.response and other.response:
        return same_id
    if both_report:
        return [value or 0 for value in one.tokens] == [value or 0 for value in other.tokens]
    alike = (one.parent, one.model.lower(), one.failed) == (other.parent, other.model.lower(), other.failed)
    return alike and one.is_call and other.is_call and one.model != ""
