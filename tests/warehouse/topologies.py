"""Invent what agents of a fleet do together, break the links between their spans, and know who called whom."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

MILLISECOND = 1_000_000
# By what a broken link can still be known, and how the attribute is called.
IDS = {
    "tool_call": "gen_ai.tool.call.id",
    "response": "gen_ai.response.id",
    "message": "messaging.message.id",
    "conversation": "gen_ai.conversation.id",
}
MODELS = ("gpt-4o", "gpt-4o-mini")
CALLEES = {"agent": "agent", "tool": "tool", "llm": "model"}
Edge = tuple[str, str, str]
# Begins below a span at a time, and returns when it has ended.
Work = Callable[[int, int], int]


@dataclass(frozen=True)
class Part:
    """Hold a span of a run; times are milliseconds, ``link`` is the span that it links to."""

    number: int
    trace: int
    parent: int | None
    kind: str
    name: str
    start: int
    end: int
    span_kind: str = "Internal"
    scope: str = "framework"
    tokens: tuple[int, int] | None = None
    ids: Mapping[str, str] = field(default_factory=dict, hash=False)
    link: tuple[int, int] | None = None

    def row(self, organization: str, begin_ns: int) -> dict[str, Any]:
        """Return the row that the collector's exporter writes."""
        names = {"agent": "gen_ai.agent.name", "tool": "gen_ai.tool.name", "llm": "gen_ai.request.model"}
        given = {"spyglass.kind": self.kind, "spyglass.organization": organization}
        given |= {names[self.kind]: self.name} if self.kind in names else {}
        given |= {IDS[rule]: value for rule, value in self.ids.items()}
        if self.tokens:
            used = dict(zip(("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"), self.tokens, strict=True))
            given |= {name: str(value) for name, value in used.items()}
        at = begin_ns + self.start * MILLISECOND
        links = [self.link] if self.link else []
        return {
            "Links.TraceId": [f"{trace:032x}" for trace, _ in links],
            "Links.SpanId": [f"{number:016x}" for _, number in links],
            "Links.TraceState": [""] * len(links),
            "Links.Attributes": [{}] * len(links),
            "Timestamp": f"{at // 10**9}.{at % 10**9:09d}",
            "TraceId": f"{self.trace:032x}",
            "SpanId": f"{self.number:016x}",
            "ParentSpanId": "" if self.parent is None else f"{self.parent:016x}",
            "SpanName": f"{self.kind} {self.name}",
            "SpanKind": self.span_kind,
            "ServiceName": "fleet",
            "ResourceAttributes": {"service.name": "fleet", "service.instance.id": str(self.trace)},
            "ScopeName": self.scope,
            "SpanAttributes": given,
            "Duration": (self.end - self.start) * MILLISECOND,
            "StatusCode": "Ok",
        }


class Stage:
    """Let agents work, each asking a model before and after what it lets others do."""

    def __init__(self, chance: random.Random, first: int, conversation: str) -> None:
        self.chance = chance
        self.parts: list[Part] = []
        self.trace = first
        self._first = first
        self._names = conversation
        self._conversation = {"conversation": conversation}

    def add(self, kind: str, name: str, parent: int | None, start: int, **more: Any) -> int:
        """Add a span that is still open and return its number."""
        number = self._first + len(self.parts)
        ids = self._conversation | more.pop("ids", {})
        self.parts.append(Part(number, self.trace, parent, kind, name, start, start, ids=ids, **more))
        return number

    def close(self, number: int, end: int) -> int:
        """End a span and return when."""
        at = number - self._first
        self.parts[at] = replace(self.parts[at], end=end)
        return end

    def think(self, agent: int, start: int) -> int:
        """Ask a model, which two libraries see now and then, and return when it has answered."""
        name, tokens = self.chance.choice(MODELS), (self.chance.randint(50, 900), self.chance.randint(5, 90))
        ids = {"response": f"resp-{self._first}-{len(self.parts)}"}
        end = start + self.chance.randint(30, 400)
        outer = self.close(self.add("llm", name, agent, start, tokens=tokens, ids=ids), end)
        if self.chance.random() < 0.2:
            inner = self.add("llm", name, self.parts[-1].number, start + 1, tokens=tokens, ids=ids, scope="sdk")
            self.close(inner, end - 1)
        return outer + self.chance.randint(1, 3)

    def agent(self, letter: str, parent: int | None, start: int, work: Sequence[Work] = (), **how: Any) -> int:
        """Let an agent do its work, one piece after the other or all ``at_once``, and return when it is done."""
        number = self.add("agent", f"{letter} {self._names}", parent, start, **how.pop("more", {}))
        at = self.think(number, start + self.chance.randint(1, 5))
        ends = [at]
        for piece in work:
            ends.append(piece(number, at if how.get("at_once") else self.think(number, ends[-1])))
        return self.close(number, self.think(number, max(ends) + 1))

    def tool(self, letter: str, parent: int, start: int, inside: Work | None = None) -> int:
        """Use a tool, whose server sees the same call now and then; an agent may be inside."""
        ids = {"tool_call": f"call-{self._first}-{len(self.parts)}"}
        number = self.add("tool", f"{letter} {self._names}", parent, start, ids=ids)
        end = inside(number, start + 2) if inside else start + self.chance.randint(5, 300)
        if inside is None and self.chance.random() < 0.3:
            seen = {"ids": ids, "scope": "mcp", "span_kind": "Server"}
            server = self.add("tool", f"{letter} {self._names}", number, start + 1, **seen)
            self.close(server, end - 1)
        return self.close(number, end + 1) + 1

    def by_tool(self, letter: str, *work: Work, **how: Any) -> Work:
        """Return a piece of work: an agent that is called as a tool."""

        def inside(tool: int, start: int) -> int:
            call = {"tool_call": self.parts[tool - self._first].ids["tool_call"]}
            return self.agent(letter, tool, start, work, more={"ids": call}, **how)

        return lambda parent, start: self.tool(f"ask {letter}", parent, start, inside)

    def by_name(self, letter: str, *work: Work, **how: Any) -> Work:
        """Return a piece of work: an agent that is called directly."""
        return lambda parent, start: self.agent(letter, parent, start, work, **how)

    def by_queue(self, letter: str, *work: Work, linked: bool = False) -> Work:
        """Return a piece of work: a message, on which an agent works later, when whoever sent it may be done."""

        def piece(parent: int, start: int) -> int:
            ids = {} if linked else {"message": f"message-{self._first}-{len(self.parts)}"}
            sent = self.add("queue", "publish", parent, start, ids=ids, span_kind="Producer")
            self.close(sent, start + 2)
            received = start + self.chance.randint(50, 9_000)
            link = (self.trace, sent) if linked else None
            consumer = self.add("queue", "process", sent, received, ids=ids, span_kind="Consumer", link=link)
            self.close(consumer, self.agent(letter, consumer, received + 1, work) + 1)
            return start + 3

        return piece


def chain(stage: Stage, start: int) -> int:
    """Let each of some agents call the next."""
    c = stage.by_name("C", stage.by_tool("D", lambda agent, at: stage.tool("search", agent, at)))
    return stage.agent("A", None, start, [stage.by_tool("B", c)])


def fan(stage: Stage, start: int) -> int:
    """Let an agent call several at once."""
    return stage.agent("A", None, start, [stage.by_name("B"), stage.by_tool("C"), stage.by_name("D")], at_once=True)


def turns(stage: Stage, start: int) -> int:
    """Let an agent call several, one after the other."""
    search = lambda agent, at: stage.tool("search", agent, at)  # noqa: E731 -- a piece of work
    return stage.agent("A", None, start, [stage.by_name("B", search), search, stage.by_tool("C"), stage.by_name("B")])


def cycle(stage: Stage, start: int) -> int:
    """Let agents call each other in a circle, until the first has been asked twice."""
    back = stage.by_name("A", stage.by_name("B"))
    return stage.agent("A", None, start, [stage.by_name("B", stage.by_tool("C", back))])


def handoff(stage: Stage, start: int) -> int:
    """Let agents work one after the other in a team, without knowing of each other."""
    return stage.agent("team", None, start, [stage.by_name(letter) for letter in "ABC"])


def queue(stage: Stage, start: int) -> int:
    """Let agents send messages, on which others work."""
    return stage.agent("A", None, start, [stage.by_queue("B", stage.by_name("C")), stage.by_queue("D", linked=True)])


SHAPES = (chain, fan, turns, cycle, handoff, queue)


def invent(first: int, count: int, seed: int) -> list[list[Part]]:
    """Return the runs of some conversations, of each one to three, one shortly after the other, by all shapes."""
    chance = random.Random(seed)  # noqa: S311 -- the same each time
    runs = []
    for at in range(count):
        start = chance.randint(0, 20_000)
        for turn in range(chance.randint(1, 3)):
            stage = Stage(chance, first + (at * 3 + turn) * 1_000, f"{first}-{at}")
            start = SHAPES[at % len(SHAPES)](stage, start) + chance.choice((1, 30, 2_000))
            runs.append(stage.parts)
    return runs


def edges(run: Sequence[Part]) -> Counter[Edge]:
    """Return who called whom how often, as whoever sees the whole run knows it."""
    by_number = {part.number: part for part in run}

    def above(part: Part) -> Iterable[Part]:
        while part.parent is not None:
            part = by_number[part.parent]
            yield part

    found: Counter[Edge] = Counter()
    for part in run:
        caller = next((each for each in above(part) if each.kind == "agent"), None)
        if caller and part.kind in CALLEES and part.scope == "framework":
            found[caller.name, CALLEES[part.kind], part.name] += 1
    return found


def broken(run: Sequence[Part], chance: random.Random, share: float) -> list[Part]:
    """Return the spans with a share of the links broken: of what a child has in common with its parent it keeps one.

    Half of these are roots of the same trace, or say a parent that never came; the others begin a trace of their own.
    """
    by_number = {part.number: part for part in run}
    made: dict[int, Part] = {}
    for part in run:
        above = made.get(part.parent) if part.parent is not None else None
        if above is None:
            made[part.number] = part
            continue
        link = part.link and (above.trace, part.link[1])
        moved = replace(part, trace=above.trace, link=link)
        if chance.random() < share:
            common = by_number[above.number].ids
            kept = chance.choice(_shared(part, by_number[above.number]))
            moved = replace(
                moved,
                trace=above.trace if chance.random() < 0.5 else part.number * 10,
                parent=chance.choice((None, part.number + 500)),
                ids={rule: value for rule, value in part.ids.items() if rule == kept or value != common.get(rule)},
                link=link if kept == "link" else None,
            )
        made[part.number] = moved
    return list(made.values())


def _shared(part: Part, above: Part) -> list[str]:
    """Return by what the link of a span may be known: an id that both have; what works later, not by conversation."""
    if part.name == "process":
        return ["link"] if part.link else ["message"]
    same = [rule for rule in ("response", "tool_call") if part.ids.get(rule, "") == above.ids.get(rule)]
    return same if same == ["response"] else [*same, "conversation"]
