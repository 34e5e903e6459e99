"""Say of a live run whether calls, tokens, tool calls and runs of agents are counted as they were, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from spyglass.truth.verdict import Figure, Verdict

_ROUTES = {"opentelemetry.instrumentation.": "otel", "openinference.instrumentation.": "openinference"}


class Reporter(NamedTuple):
    """Name a scope whose spans say something of calls, tools or agents."""

    scope: str
    version: str

    def __str__(self) -> str:
        """Return its route, its name and its version."""
        found = ((prefix, route) for prefix, route in _ROUTES.items() if self.scope.startswith(prefix))
        prefix, route = next(found, ("", "native"))
        return f"{route} {self.scope.removeprefix(prefix)} {self.version}".rstrip()


class Cell(NamedTuple):
    """Hold what is said of one number: how it stands, and what explains a difference; no reason where nothing does."""

    word: str
    reasons: tuple[str, ...] = ()

    @property
    def wrong(self) -> bool:
        """Say whether there is a difference that nothing explains."""
        return self.word == "different"


@dataclass(frozen=True)
class Outcome:
    """Hold what a program did, and what the warehouse counts of it.

    ``tools`` is how often the provider's answers call a tool, and ``asked`` how many counted calls end with such a
    request; ``agents`` is how many runs of agents the program made, and ``lost`` how many spans are named as a parent,
    but never came.
    """

    verdict: Verdict
    tools: int
    asked: int
    agents: int
    lost: int
    reporters: tuple[Reporter, ...]

    @property
    def cells(self) -> dict[str, Cell]:
        """Return what is said of each number."""
        return {
            "calls": self._calls(),
            "tokens": self._tokens(),
            "tool calls": self._tool_calls(),
            "agents": self._agents(),
        }

    @property
    def problem(self) -> str:
        """Return in one line what is different without a reason; nothing where all is exact or explained."""
        if self._silent:
            return f"{self.verdict.recording}: none of its {self.verdict.calls.truth} calls has a span"
        wrong = [f"{name} {self.numbers[name]}" for name, cell in self.cells.items() if cell.wrong]
        said = "; ".join([*wrong, *(self.verdict.differences if wrong else [])])
        return f"{self.verdict.recording}: {said}" if said else ""

    @property
    def numbers(self) -> dict[str, str]:
        """Return each number as counted and as it was."""
        tokens = self.verdict.tokens
        return {
            "calls": _pair(self.verdict.calls),
            "tokens": ", ".join(f"{name} {_pair(figure)}" for name, figure in tokens.items()),
            "tool calls": _pair(Figure(self.tools, self.verdict.tool_calls, 0)),
            "agents": _pair(Figure(self.agents, self.verdict.agents, 0)),
        }

    @property
    def _silent(self) -> bool:
        """Say whether no call has a span: in a recording that is a fact, in a live run instrumentation that failed."""
        return not self.verdict.calls.counted

    def _calls(self) -> Cell:
        return self._judged([said for said in self.verdict.differences if said.startswith("calls: ")])

    def _tokens(self) -> Cell:
        return self._judged([said for said in self.verdict.differences if not said.startswith("calls: ")])

    def _judged(self, differences: list[str]) -> Cell:
        if not differences:
            return Cell("exact")
        explained = self.verdict.flagged and not self._silent
        return Cell("flagged", tuple(self.verdict.flags)) if explained else Cell("different")

    def _tool_calls(self) -> Cell:
        """Compare tool calls: the provider knows of each, and so does a call that ends with the request for it."""
        figure = Figure(self.tools, self.verdict.tool_calls, 0)
        silent = self.asked - self.verdict.tool_calls
        if figure.missing > 0 and silent == figure.missing:
            return _compared(figure, [f"run by the program itself, where no library sees it: {silent}"])
        with_calls = 0 < figure.missing <= self.verdict.calls.missing
        return _compared(figure, self.verdict.flags if with_calls else [])

    def _agents(self) -> Cell:
        figure = Figure(self.agents, self.verdict.agents, 0)
        explained = 0 < figure.missing <= self.lost
        return _compared(figure, [f"parents of spans that never came: {self.lost}"] if explained else [])


def _compared(figure: Figure, reasons: list[str]) -> Cell:
    if not figure.missing:
        return Cell("exact")
    return Cell("flagged", tuple(reasons)) if reasons else Cell("different")


def _pair(figure: Figure) -> str:
    return f"{figure.counted or 0}/{figure.truth or 0}"
