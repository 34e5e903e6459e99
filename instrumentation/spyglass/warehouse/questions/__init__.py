"""Ask the warehouse the questions that stand as files in ``clickhouse/queries``.

    >>> ask(warehouse, "latency_by_agent", since="-7d", organization="acme")

A file is SQL with a header, which ``header`` reads; values of its parameters are made by ``values`` and bound by the
server.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from spyglass.assets import folder
from spyglass.errors import QuestionError
from spyglass.warehouse.connection import Connection
from spyglass.warehouse.questions.header import Column, Parameter, Question, parse
from spyglass.warehouse.questions.values import bind

__all__ = ["Column", "Parameter", "Question", "ask", "bind", "load", "names"]


def names() -> list[str]:
    """Return the names of all questions, sorted."""
    return sorted(path.stem for path in _folder().glob("*.sql"))


@cache
def load(name: str) -> Question:
    """Return a question by its name; raises QuestionError where there is none, or its file is wrong."""
    if name not in names():
        raise QuestionError(f"There is no question {name!r}.", "spyglass query --list names them all.")
    return parse(_folder() / f"{name}.sql")


def ask(warehouse: Connection, name: str, **values: object) -> list[dict[str, Any]]:
    """Return the answer, one dictionary per row; parameters that have a default may be left out.

    Times are moments, or texts as ``bind`` takes them. Raises QuestionError, StatementError, WarehouseUnreachableError.
    """
    question = load(name)
    return warehouse.rows(question.sql, **bind(question, values))


def _folder() -> Path:
    return folder("clickhouse") / "queries"
