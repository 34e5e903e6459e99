"""Write docs/frameworks.md from what live runs have shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.frameworks.catalogue import Framework, frameworks
from tests.frameworks.environments import CHECKOUT
from tests.frameworks.outcome import Cell, Outcome

PAGE = CHECKOUT / "docs" / "frameworks.md"
_HEAD = """<!-- Made by make test-frameworks. -->

# Frameworks

Each row is a program of `tests/frameworks`, run by `spyglass run` without a change of code against a provider that
knows what it served. Calls and tokens (in, out, from the cache, reasoning) are compared with its log, tool calls with
the answers that ask for them, runs of agents with what the program does. Exact: everything that was reported is counted
as it was. Flagged: the rest follows from what the warehouse knows to be missing, and is named in the last column.

"""
_COLUMNS = ("calls", "tokens", "tool calls", "agents")


def write(rows: Mapping[str, Outcome]) -> None:
    """Write the page; the same outcomes give the same bytes."""
    PAGE.write_text(_HEAD + "\n".join(_lines(rows)) + "\n", encoding="utf-8")


def line(framework: Framework, outcome: Outcome, lock: Path) -> str:
    """Return the page's row of a framework."""
    cells = outcome.cells
    shown = [_shown(name, cells[name], outcome) for name in _COLUMNS]
    reasons = dict.fromkeys(reason for name in _COLUMNS for reason in cells[name].reasons)
    texts = (framework.name, versions(framework, lock), ", ".join(map(str, outcome.reporters)), *shown)
    return f"| {' | '.join(texts)} | {'; '.join(reasons)} |"


def _lines(rows: Mapping[str, Outcome]) -> Iterable[str]:
    yield f"| program | versions | reported by | {' | '.join(_COLUMNS)} | flags |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for name, framework in frameworks().items():
        yield line(framework, rows[name], framework.lock)


def versions(framework: Framework, lock: Path) -> str:
    """Return the shown packages of a framework with their versions, as a lock has them."""
    text = lock.read_text(encoding="utf-8")
    found = (re.search(rf"^{re.escape(name)}==([^\s;]+)", text, re.MULTILINE) for name in framework.shown)
    return ", ".join(f"{name} {each[1]}" for name, each in zip(framework.shown, found, strict=True) if each)


def _shown(name: str, cell: Cell, outcome: Outcome) -> str:
    """Return a cell; tokens are left out, because a framework's own prompts may hold what changes."""
    if name == "tokens":
        return cell.word
    number = outcome.numbers[name]
    if number == "0/0":
        return "-"
    counted, _, true = number.partition("/")
    return f"{true} {cell.word}" if counted == true else f"{number} {cell.word}"
