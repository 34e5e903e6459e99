"""Judge whether what the warehouse counts is the truth, and whether a difference follows from what it knows to miss.

The truth is compared with, and never asked for an excuse: a number that an emitter reported must be that of a request,
and what is missing must be known to be missing by the warehouse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from spyglass.truth import facts
from spyglass.truth.counting import Call, Counted
from spyglass.truth.recordings import Served

# What is compared, under which name, and whether the numbers of all requests must be there for it to be exact.
_TOKENS = {"input": True, "output": True, "cache_read": False, "reasoning": False}


@dataclass(frozen=True)
class Figure:
    """Hold a number as served and as counted, None where nobody says; ``unknown_calls`` are counted, but lack it."""

    truth: int | None
    counted: int | None
    unknown_calls: int

    @property
    def missing(self) -> int:
        """Return by how much less is counted than was served; negative where more is."""
        return (self.truth or 0) - (self.counted or 0)


@dataclass
class Verdict:
    """Hold the figures of a recording, in what they differ, and which facts explain that.

    ``flags`` name what the warehouse knows to miss, where it explains a difference. ``notes`` say why requests that
    failed are more or fewer than calls, and which embeddings were left aside: no reported number is missing there.
    ``explained`` is whether all differences are.
    """

    recording: str
    calls: Figure
    tokens: dict[str, Figure]
    tool_calls: int
    agents: int
    differences: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    explained: bool = True

    @property
    def exact(self) -> bool:
        """Say whether everything that was reported is counted as it was served, and nothing else is."""
        return not self.differences

    @property
    def flagged(self) -> bool:
        """Say whether there are differences, all of which follow from what is known to be missing."""
        return bool(self.differences) and self.explained

    def as_json(self) -> dict[str, Any]:
        """Return the object that the command prints."""
        shown = ("tool_calls", "agents", "exact", "flagged", "differences", "flags", "notes")
        return {
            "recording": self.recording,
            "calls": asdict(self.calls),
            **{f"tokens_{name}": asdict(figure) for name, figure in self.tokens.items()},
            **{name: getattr(self, name) for name in shown},
        }


def judge(name: str, served: Sequence[Served], counted: Counted) -> Verdict:
    """Return the verdict on one recording."""
    tokens = {measure: _figure(measure, served, counted.calls) for measure in _TOKENS}
    unknown = sum(call.is_call and not call.has_usage and not call.is_summed for call in counted.calls)
    made = Verdict(name, Figure(len(served), counted.total, unknown), tokens, counted.tool_calls, counted.agents)
    served, counted, notes = facts.without_embeddings(served, counted)
    made.notes += notes
    _judge_tokens(made, served, counted)
    _judge_calls(made, served, counted)
    return made


def _figure(measure: str, served: Sequence[Served], calls: Sequence[Call]) -> Figure:
    return Figure(
        _sum([getattr(request, measure) for request in served]),
        _sum([getattr(call, measure) for call in calls]),
        sum(_lacks(call, measure) for call in calls),
    )


def _lacks(call: Call, measure: str) -> bool:
    if not call.is_call or call.is_summed or (call.is_embedding and measure != "input"):
        return False
    return getattr(call, measure) is None


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _judge_tokens(made: Verdict, served: Sequence[Served], counted: Counted) -> None:
    figures = {measure: _figure(measure, served, counted.calls) for measure in _TOKENS}
    wrong = [name for name, figure in figures.items() if figure.missing and _matters(name, figure, counted.calls)]
    if not wrong:
        return
    made.differences += [_sentence(f"{name.replace('_', ' ')} tokens", figures[name]) for name in wrong]
    made.differences += facts.of_unread(counted)
    made.flags += facts.of_tokens(served, counted)
    made.explained = bool(made.flags)


def _matters(name: str, figure: Figure, calls: Sequence[Call]) -> bool:
    """Say whether a difference is one: emitters that report tokens need not say which were cached or reasoning."""
    unsaid = any(call.has_usage and _lacks(call, name) for call in calls)
    return _TOKENS[name] or not (unsaid and figure.missing > 0)


def _judge_calls(made: Verdict, served: Sequence[Served], counted: Counted) -> None:
    calls = Figure(len(served), counted.total, 0)
    if not calls.missing:
        return
    note = facts.of_failures(served, counted)
    if note:
        made.notes.append(note)
        return
    made.differences.append(_sentence("calls", calls))
    found = facts.of_calls(served, counted)
    made.explained = made.explained and bool(found)
    made.flags += [flag for flag in found if flag not in made.flags]


def _sentence(what: str, figure: Figure) -> str:
    return f"{what}: {figure.counted or 0} counted, {figure.truth or 0} served"
