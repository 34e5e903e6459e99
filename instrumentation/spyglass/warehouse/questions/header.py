"""Read the header of a question's file: what it answers, what it takes and what it gives.

The form is strict, so that the command line and the documentation can be made of it (clickhouse/queries/README.md)::

    -- question: How much did each model cost?
    -- Any lines that explain it.
    -- parameters:
    -- - since DateTime64(3, 'UTC') = -30d: start of the range
    -- - limit UInt32 = 100: most rows
    -- columns:
    -- - model
    -- - cost_nano_usd (1e-9 USD): of the calls that have a price
    SELECT …

A line that begins with two more blanks goes on where the line before it ended. A parameter without a default must be
given; an empty text is written ''.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from spyglass.errors import QuestionError

TYPES = ("String", "UInt32", "DateTime64(3, 'UTC')")
_SECTIONS = ("question", "parameters", "columns")
_SECTION = re.compile(rf"({'|'.join(_SECTIONS)}):(?: (.+))?")
_PARAMETER = re.compile(
    r"- (?P<name>[a-z][a-z0-9_]*) (?P<type>[A-Z]\w+(?:\([^)]*\))?)(?: = (?P<default>''|[^\s:']+))?: (?P<sentence>\S.*)"
)
_COLUMN = re.compile(r"- (?P<name>[a-z][a-z0-9_]*)(?: \((?P<unit>[^()]+)\))?(?:: (?P<sentence>\S.*))?")
_PLACEHOLDER = re.compile(r"\{(\w+):([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """Hold a parameter: a name, a type of ClickHouse, the default as a text (None: it must be given), a sentence."""

    name: str
    type: str
    default: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Column:
    """Hold a column of the answer; the unit is empty where the name says it or there is none."""

    name: str
    unit: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Question:
    """Hold what a file says; ``sql`` is the file without its header."""

    name: str
    sentence: str
    notes: str
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    sql: str


class _Line(NamedTuple):
    number: int
    section: str
    text: str


def parse(path: Path) -> Question:
    """Return the question in a file; raises QuestionError, which names the file and the line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    size = next((at for at, line in enumerate(lines) if not line.startswith("--")), len(lines))
    read = list(_joined(path, list(_sections(path, lines[:size]))))
    asked = [line for line in read if line.section == "question"]
    question = Question(
        name=path.stem,
        sentence=asked[0].text,
        notes=" ".join(line.text for line in asked[1:]),
        parameters=tuple(_parameter(path, line) for line in read if line.section == "parameters"),
        columns=tuple(_column(path, line) for line in read if line.section == "columns"),
        sql="\n".join(lines[size:]).strip(),
    )
    _check(path, question, read, size)
    _check_use(path, question, lines, size)
    return question


def _sections(path: Path, header: Sequence[str]) -> Iterator[_Line]:
    """Yield the lines with the section that they are in; sections come in their order."""
    section = ""
    for number, line in enumerate(header, 1):
        text = line.removeprefix("--").removeprefix(" ").rstrip()
        found = _SECTION.fullmatch(text)
        if found:
            place = _SECTIONS.index(section) + 1 if section else 0
            if found[1] not in _SECTIONS[place:] or (place == 0 and found[1] != "question"):
                raise _wrong(path, number, f"{found[1]!r} is out of order: {', '.join(_SECTIONS)} follow each other")
            section = found[1]
            if (section == "question") != bool(found[2]):
                raise _wrong(path, number, f"{section!r} stands {'before its sentence' * (not found[2]) or 'alone'}")
            if found[2]:
                yield _Line(number, section, found[2])
        elif not section:
            raise _wrong(path, number, "a file begins with '-- question: '")
        else:
            yield _Line(number, section, text)
    if not section:
        raise _wrong(path, 1, "a file begins with '-- question: '")


def _joined(path: Path, lines: Sequence[_Line]) -> Iterator[_Line]:
    """Yield entries of lists in one piece: a line that is indented belongs to the one before it."""
    entry: _Line | None = None
    for line in lines:
        if line.section == "question" or not line.text.startswith("  "):
            if entry:
                yield entry
            entry = line
        elif entry is None or entry.section != line.section:
            raise _wrong(path, line.number, "nothing stands before a line that goes on")
        else:
            entry = entry._replace(text=f"{entry.text} {line.text.strip()}")
    if entry:
        yield entry


def _parameter(path: Path, line: _Line) -> Parameter:
    found = _PARAMETER.fullmatch(line.text)
    if found is None:
        raise _wrong(path, line.number, "a parameter looks like: - name Type = default: what it is")
    if found["type"] not in TYPES:
        raise _wrong(path, line.number, f"{found['type']} is none of {', '.join(TYPES)}")
    default = "" if found["default"] == "''" else found["default"]
    return Parameter(found["name"], found["type"], default, found["sentence"])


def _column(path: Path, line: _Line) -> Column:
    found = _COLUMN.fullmatch(line.text)
    if found is None:
        raise _wrong(path, line.number, "a column looks like: - name (unit): what it is")
    return Column(found["name"], found["unit"] or "", found["sentence"] or "")


def _check(path: Path, question: Question, read: Sequence[_Line], size: int) -> None:
    """Refuse what cannot be: no question, no columns, no SQL, a name twice."""
    if not question.sentence.endswith("?"):
        raise _wrong(path, 1, "a question ends with a question mark")
    if not question.columns:
        raise _wrong(path, size, "it names no columns")
    if not question.sql:
        raise _wrong(path, size, "no SQL follows the header")
    entries = [line for line in read if line.section != "question"]
    seen: set[tuple[str, str]] = set()
    named: tuple[Parameter | Column, ...] = (*question.parameters, *question.columns)
    for line, entry in zip(entries, named, strict=True):
        if (line.section, entry.name) in seen:
            raise _wrong(path, line.number, f"{entry.name} is there twice")
        seen.add((line.section, entry.name))


def _check_use(path: Path, question: Question, lines: Sequence[str], size: int) -> None:
    """Refuse placeholders in the SQL that are not the header's parameters, and parameters without one."""
    declared = {parameter.name: parameter.type for parameter in question.parameters}
    used = set()
    for number, line in enumerate(lines[size:], size + 1):
        for name, kind in _PLACEHOLDER.findall(line):
            if declared.get(name) != kind:
                raise _wrong(path, number, f"the header has no parameter {name} of type {kind}")
            used.add(name)
    for name in declared:
        if name not in used:
            raise _wrong(path, size, f"the SQL does not use the parameter {name}")


def _wrong(path: Path, number: int, problem: str) -> QuestionError:
    return QuestionError(f"{path}, line {number}: {problem}.")
