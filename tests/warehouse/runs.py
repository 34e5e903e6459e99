"""Invent runs of agents, and say what the finaliser must make of them, computed apart from the engine."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.warehouse.wire import usage

PRICED, CHEAP, UNPRICED = "gpt-4o", "gpt-4o-mini", "nobody-7b"
# What genai-prices says: nano-USD for a token that came in, that came from the cache, and that went out.
PRICES = {PRICED: (2_500, 1_250, 10_000), CHEAP: (150, 75, 600)}
AGENTS = ("planner", "writer", "critic")
TOOLS = ("search", "sum")
KINDS = ("agent", "llm", "llm", "tool", "retrieval", "task", "embedding")
# A call below a call, and a tool below a tool, may be the same one again: test_ownership has them.
PARENTS = ("agent", "retrieval", "task")
MILLISECOND = 1_000_000
FRAMEWORK, VERSION, DIALECT = "langgraph", "1.2", "openinference"


@dataclass(frozen=True)
class Span:
    """Hold a span; parent None is a root."""

    trace: int
    number: int
    parent: int | None
    kind: str
    name: str
    start_ns: int
    duration_ns: int
    failed: bool = False
    tokens: tuple[int, int] | None = None
    named_execution: int | None = None
    organization: str = "acme"
    project: str = ""
    user: str = ""
    session: str = ""
    error_type: str = ""
    cached: int | None = None
    queue_wait_seconds: float | None = None
    first_token_seconds: float | None = None
    used: tuple[float, float, float] | None = None  # CPU core seconds, GB seconds, GPU seconds
    texts: tuple[str, str] | None = None

    @property
    def trace_id(self) -> str:
        """Return the id as the warehouse has it."""
        return f"{self.trace:032x}"

    @property
    def span_id(self) -> str:
        """Return the id as the warehouse has it."""
        return f"{self.number:016x}"

    @property
    def cost(self) -> int | None:
        """Return nano-USD, or None without tokens or price."""
        if self.tokens is None or self.name not in PRICES:
            return None
        each, each_cached, each_out = PRICES[self.name]
        return self.tokens[0] * each + (self.cached or 0) * (each_cached - each) + self.tokens[1] * each_out

    @property
    def is_call(self) -> bool:
        """Say whether it is a call of a model."""
        return self.kind in ("llm", "embedding")

    @property
    def framework(self) -> str:
        """Return which framework made it; calls of one model, and one agent, say it."""
        return FRAMEWORK if (self.is_call and self.name == CHEAP) or self.name.startswith(AGENTS[0]) else ""

    @property
    def end_ns(self) -> int:
        """Return the moment at which it ended."""
        return self.start_ns + self.duration_ns

    def row(self) -> dict[str, Any]:
        """Return the row that the collector's exporter writes."""
        attributes = {"spyglass.kind": self.kind, "spyglass.organization": self.organization} | self._extras()
        if self.kind == "agent":
            attributes["gen_ai.agent.name"] = self.name
        elif self.kind == "tool":
            attributes["gen_ai.tool.name"] = self.name
        elif self.kind in ("llm", "embedding"):
            attributes |= (
                usage(self.name, input=self.tokens[0], output=self.tokens[1]) if self.tokens else usage(self.name)
            )
        if self.named_execution is not None:
            attributes["spyglass.execution.id"] = f"{self.named_execution:016x}"
        return {
            "Timestamp": f"{self.start_ns / 1e9:.9f}",
            "TraceId": self.trace_id,
            "SpanId": self.span_id,
            "ParentSpanId": "" if self.parent is None else f"{self.parent:016x}",
            "SpanName": f"{self.kind} {self.name}",
            "SpanKind": "Internal",
            "ServiceName": "shop",
            "ResourceAttributes": {"service.name": "shop"}
            | ({"spyglass.demo.run": "r1"} if self.organization == "demo" else {}),
            "SpanAttributes": attributes,
            "Duration": self.duration_ns,
            "StatusCode": "Error" if self.failed else "Ok",
        }

    def _extras(self) -> dict[str, str]:
        """Return the attributes of what it has beyond a kind, a name and tokens."""
        values = {
            "spyglass.project": self.project,
            "user.id": self.user,
            "session.id": self.session,
            "error.type": self.error_type,
            "gen_ai.usage.cache_read.input_tokens": self.cached,
            "spyglass.queue.wait": self.queue_wait_seconds,
            "gen_ai.response.time_to_first_chunk": self.first_token_seconds,
            "spyglass.framework": self.framework,
            "spyglass.framework.version": VERSION if self.framework else "",
            "spyglass.dialect": DIALECT if self.framework else "",
        }
        resources = (
            "spyglass.usage.cpu.core_seconds",
            "spyglass.usage.memory.gb_seconds",
            "spyglass.usage.gpu.seconds",
        )
        values |= dict(zip(resources, self.used, strict=True)) if self.used else {}
        texts = ("gen_ai.input.messages", "gen_ai.output.messages")
        values |= dict(zip(texts, self.texts, strict=True)) if self.texts else {}
        values |= {"spyglass.demo": "true"} if self.organization == "demo" else {}
        return {name: str(value) for name, value in values.items() if value not in (None, "")}


def invent(first_trace: int, traces: int, seed: int) -> list[Span]:
    """Return the spans of some traces, each a tree with an agent at its root."""
    chance = random.Random(seed)  # noqa: S311 -- the same each time
    return [span for at in range(traces) for span in _trace(first_trace + at, chance)]


def _trace(trace: int, chance: random.Random) -> Iterable[Span]:
    begin = time.time_ns() // 10**9 * 10**9 - 600 * 10**9
    made: list[Span] = []
    for at in range(chance.randint(3, 40)):
        kind = "agent" if at == 0 else chance.choice(KINDS)
        name = {"agent": chance.choice(AGENTS), "tool": chance.choice(TOOLS)}.get(
            kind, chance.choice((PRICED, UNPRICED))
        )
        counted = (chance.randint(1, 5000), chance.randint(0, 900)) if kind in ("llm", "embedding") else None
        parent = chance.choice([span for span in made if span.kind in PARENTS]).number if made else None
        made.append(
            Span(
                trace=trace,
                number=trace * 1000 + at,
                parent=parent,
                kind=kind,
                name=name,
                start_ns=begin + at * MILLISECOND,
                duration_ns=chance.randint(1, 10**9),
                failed=chance.random() < 0.15,
                tokens=None if chance.random() < 0.2 else counted,
            )
        )
    return made


def renamed(spans: Sequence[Span]) -> list[Span]:
    """Return the agents' spans as they come again under another name, as after a change of the normalising rules."""
    return [replace(span, name=f"{span.name} 2") for span in spans if span.kind == "agent"]


def truth(spans: Iterable[Span]) -> dict[str, dict[Any, Any]]:
    """Return what must be in the three tables, by what tells their rows apart."""
    by_number = {span.number: span for span in spans}
    owner = {span.number: agent_at_or_above(span, by_number) for span in by_number.values()}
    executions: dict[Any, Any] = {}
    for span in by_number.values():
        if span.kind == "agent":
            own = [other for other in by_number.values() if owner[other.number] == span.number]
            above = by_number[span.parent] if span.parent is not None else None
            caller = agent_at_or_above(above, by_number) if above else None
            executions[span.trace_id, span.span_id] = _execution(span, own, by_number[caller].name if caller else "")
    calls = {
        (span.trace_id, span.span_id): (
            by_number[owner[span.number] or 0].name,
            span.name,
            span.tokens[0] if span.tokens else None,
            span.tokens[1] if span.tokens else None,
            span.cost,
        )
        for span in by_number.values()
        if span.is_call
    }
    return {"executions": executions, "calls": calls, "edges": _edges(by_number)}


def agent_at_or_above(span: Span | None, by_number: Mapping[int, Span]) -> int | None:
    """Return the number of the nearest agent at a span or above it."""
    while span is not None:
        if span.kind == "agent":
            return span.number
        span = by_number.get(span.parent) if span.parent is not None else None
    return None


def _execution(span: Span, own: Sequence[Span], caller: str) -> tuple[Any, ...]:
    calls = [other for other in own if other.is_call]
    return (
        span.name,
        caller,
        "error" if span.failed else "ok",
        len(own),
        len(calls),
        sum(call.failed for call in calls),
        sum(other.kind == "tool" for other in own),
        _sum(call.tokens and call.tokens[0] for call in calls),
        _sum(call.tokens and call.tokens[1] for call in calls),
        _sum(call.cost for call in calls),
        sum(call.tokens is not None and call.cost is None for call in calls),
    )


def _edges(by_number: dict[int, Span]) -> dict[Any, Any]:
    edges: dict[Any, list[Any]] = defaultdict(lambda: [0, 0, 0])
    for span in by_number.values():
        kind = {"agent": "agent", "tool": "tool"}.get(span.kind, "model" if span.is_call else "")
        start = span if kind != "agent" else by_number.get(span.parent or -1)
        caller = agent_at_or_above(start, by_number)
        if kind and caller is not None:
            edge = edges[span.trace_id, by_number[caller].name, kind, span.name]
            edge[0] += 1
            edge[1] += span.failed
            edge[2] += span.duration_ns
    return {key: tuple(values) for key, values in edges.items()}


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
