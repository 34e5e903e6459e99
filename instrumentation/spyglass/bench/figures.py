"""Hold what a bench measured, beside its goal, and print it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """Hold one figure: its goal is an upper bound, with ``least`` a lower one, with ``exact`` the value itself."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    exact: bool = False
    least: bool = False

    @property
    def ok(self) -> bool | None:
        """Say whether the goal is met; None where there is no goal."""
        if self.goal is None:
            return None
        if math.isnan(self.value):
            return False
        if self.exact:
            return self.value == self.goal
        return self.value >= self.goal if self.least else self.value <= self.goal

    def record(self) -> dict[str, object]:
        """Return what --json prints; a value that could not be measured is null."""
        value = None if math.isnan(self.value) else self.value
        return {"name": self.name, "value": value, "unit": self.unit, "goal": self.goal, "ok": self.ok}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed (nearest rank)."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def lines(figures: Iterable[Figure], *, as_json: bool) -> list[str]:
    """Return one line per figure: JSON objects, or a table with the goal and the verdict."""
    if as_json:
        return [json.dumps(figure.record()) for figure in figures]
    return [_row(figure) for figure in figures]


def _row(figure: Figure) -> str:
    sign = "=" if figure.exact else "≥" if figure.least else "≤"
    goal = "" if figure.goal is None else f"{sign} {_number(figure.goal)} {figure.unit}"
    verdict = {None: "", True: "ok", False: "MISSED"}[figure.ok]
    return f"{figure.name:58} {_number(figure.value):>12} {figure.unit:10} {goal:18} {verdict}".rstrip()


def _number(value: float) -> str:
    """Write a whole number in full, because a count is checked to the last digit; others with four digits."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"
