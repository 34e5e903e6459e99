"""Say which parent a span that lost it is given, apart from the engine: by walking up from each span that may be it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.warehouse.topologies import Part

NS = 1_000_000
# By rule how long after its end a span is still known by its id, in ns.
AFTER = {"tool_call": 10**9, "response": 600 * 10**9, "message": 86_400 * 10**9}
RULES = ("tool_call", "response", "message", "link", "conversation")
AT_WORK = ("agent", "tool", "queue", "workflow")


class Caller(NamedTuple):
    """Hold the agent above a span, and by what it was found: empty where the spans say it."""

    span: int
    trace: int
    rule: str


class World:
    """Know some spans, all of them of one organization, and give those that lost their parent another."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._at = {(part.trace, part.number): part for part in parts}
        self._joined: dict[Part, tuple[Part, str]] = {}
        for part in sorted(parts, key=lambda each: (each.start, -each.end, each.trace, each.number)):
            if self._own_parent(part) is None:
                self._join(part)

    def caller(self, part: Part) -> Caller | None:
        """Return the nearest agent above a span."""
        rule = ""
        while True:
            joined = self._joined.get(part)
            above = joined[0] if joined else self._own_parent(part)
            rule = rule or (joined[1] if joined else "")
            if above is None:
                return None
            if above.kind == "agent":
                return Caller(above.number, above.trace, rule)
            part = above

    def _own_parent(self, part: Part) -> Part | None:
        return self._at.get((part.trace, part.parent)) if part.parent is not None else None

    def _walk(self, part: Part) -> Iterator[Part]:
        """Yield the agents and the uppermost spans of traces at and above a span, also through what was joined."""
        at: Part | None = part
        while at:
            own = self._own_parent(at)
            if at.kind == "agent" or own is None:
                yield at
            at = own or self._joined.get(at, (None, ""))[0]

    def _join(self, lost: Part) -> None:
        for rule in RULES:
            # of each that may be the parent: when what tells of it began, and the parent
            options = [found for each in self._parts if (found := self._option(lost, each, rule))]
            lines = {line[0]: line for _, parent in options if lost not in (line := list(self._walk(parent)))}
            if rule == "conversation":
                lines = {holder: line for holder, line in lines.items() if not self._is_busy(holder, lost)}
            deepest = max(lines.values(), key=len, default=[])
            if not lines or any(holder not in deepest for holder in lines):
                continue
            last = rule == "conversation"
            holder = (max if last else min)(lines, key=lambda each: len(lines[each]))
            own = [found for found in options if next(self._walk(found[1])) == holder]
            _, parent = (max if last else min)(own, key=lambda found: (found[0], found[1].trace, found[1].number))
            if rule != "conversation" or self._is_sure(holder, lost):
                self._joined[lost] = parent, rule
                return

    def _option(self, lost: Part, other: Part, rule: str) -> tuple[int, Part] | None:
        if other is lost:
            return None
        if rule == "link":
            linked = lost.link == (other.trace, other.number) and other.start <= lost.start + 1_000
            return (other.start, other) if linked else None
        one, two = self._conversation(lost), self._conversation(other)
        if one and two and one != two:
            return None
        if rule == "conversation":
            fits = one == two != "" and other.kind in AT_WORK and not (lost.kind == other.kind == "tool")
            return (other.start, other) if fits and _surrounds(other, lost) and self._began(lost, other) else None
        if lost.ids.get(rule, "") == "" or lost.ids.get(rule) != other.ids.get(rule):
            return None
        return self._by_id(lost, other, rule)

    def _by_id(self, lost: Part, other: Part, rule: str) -> tuple[int, Part] | None:
        if (lost.start - other.end) * NS > AFTER[rule]:
            return None
        above = self._own_parent(other)
        if lost.kind == other.kind == "llm":
            if rule != "response" or lost.start < other.start - 1_000:
                return None
            return (other.start, above) if above else self._by_half(lost, other)
        if rule == "message" and other.span_kind == "Consumer":
            return None
        if not self._began(lost, other):
            return None
        return other.start, above if above and other.kind == "llm" else other

    def _by_half(self, lost: Part, other: Part) -> tuple[int, Part] | None:
        """Return the outer half of a call that has lost its parent too."""
        inner = lost.start < other.end and (lost.start, -lost.end) > (other.start, -other.end)
        return (other.start, other) if inner and lost.scope != other.scope else None

    def _began(self, lost: Part, other: Part) -> bool:
        """Say whether the other one began before, or contains it."""
        longer, later = (other.end - other.start) - (lost.end - lost.start), lost.start - other.start
        if later > 0:
            return True
        if longer == 0:
            return later == 0 and self._own_parent(other) is not None
        return longer > 0 and later * NS >= -_skew(lost)

    def _conversation(self, part: Part) -> str:
        named = {
            each.ids["conversation"] for each in self._parts if each.trace == part.trace and "conversation" in each.ids
        }
        return part.ids.get("conversation", "") or (named.pop() if len(named) == 1 else "")

    def _calls(self, holder: Part) -> Iterator[Part]:
        """Yield the model calls that an agent makes itself, as far as its trace says it."""
        for each in self._parts:
            if each.kind == "llm" and each.trace == holder.trace:
                at: Part | None = each
                while at and at.kind != "agent" and self._own_parent(at):
                    at = self._own_parent(at)
                if at == holder:
                    yield each

    def _is_busy(self, holder: Part, lost: Part) -> bool:
        skew = _skew(lost)
        for call in self._calls(holder):
            meets = call.start * NS + skew < lost.end * NS and call.end * NS - skew > lost.start * NS
            contains = call.start <= lost.start and call.end >= lost.end
            inside = lost.kind == "llm" and call.start >= lost.start and call.end <= lost.end
            if meets and not contains and not inside:
                return True
        return False

    def _is_sure(self, holder: Part, lost: Part) -> bool:
        if lost.kind == "agent" and holder.kind == "agent" and lost.name == holder.name:
            return False
        return lost.kind == "llm" or not any(
            call.start <= lost.start and call.end >= lost.end for call in self._calls(holder)
        )


def _skew(part: Part) -> int:
    """Return by how much clocks may differ, in ns."""
    return min(50 * NS, (part.end - part.start) * NS // 10)


def _surrounds(other: Part, lost: Part) -> bool:
    fits = lost.start < other.end and lost.end * NS <= other.end * NS + _skew(lost)
    return fits and other.end - other.start >= lost.end - lost.start
