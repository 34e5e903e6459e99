"""Read the SQL files beside this module and put the dashboards' filters into them.

A file begins with comment lines that name the question and the columns. ``@matches(column)`` in it becomes the
condition that the variable of the same name, or the one named behind a comma, allows the column's value; everything
else is ClickHouse's SQL and the macros of Grafana's ClickHouse plugin.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
FILTER: Final = re.compile(r"@matches\((\w+)(?:, (\w+))?\)")


def question(name: str) -> str:
    """Return the SQL of ``name.sql`` without its comments; raises FileNotFoundError when there is no such question."""
    lines = (FOLDER / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    code = "\n".join(line for line in lines if not line.lstrip().startswith("--"))
    return FILTER.sub(lambda found: _condition(found[1], found[2] or found[1]), code).strip()


def _condition(column: str, variable: str) -> str:
    # Between $re$ and $re$ nothing is escaped (ClickHouse calls it a heredoc), so a name may be O'Neill, and the
    # regular expression is the very one that Prometheus and Tempo get.
    return f"match({column}, $re$^(?:${{{variable}:regex}})$$re$)"
