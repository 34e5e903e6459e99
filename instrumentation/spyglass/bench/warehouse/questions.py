"""Ask the twelve questions of a dashboard in both warehouses: whether the answers agree, and how long they take.

Ours are those of ``clickhouse/queries``, as ``spyglass query`` asks them; ``sql/stock`` asks the stock schema the same.
"""

from __future__ import annotations

import math
import re
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from spyglass.bench.figures import Figure
from spyglass.bench.warehouse import wire
from spyglass.bench.warehouse.load import Loaded, progress
from spyglass.bench.warehouse.servers import Server
from spyglass.bench.warehouse.words import RARE_WORD
from spyglass.warehouse import questions as shipped
from spyglass.warehouse.client import Warehouse

RUNS = 7
# What takes this long is not asked as often.
_LONG_SECONDS, _LONG_RUNS = 5.0, 3
_GOAL_MS = 80.0
_BIG = 20_000_000
# From so many spans on, adding up is so many times faster; fewer are added up in no time by both.
_FASTER = ((_BIG, 10.0), (5_000_000, 5.0))
# The rollups hold quantiles with eight binary digits.
_QUANTILE_ERROR = 0.01
_ROUNDING = 1e-9
_QUANTILE = re.compile(r"p\d+_")
# Longer ranges are read by whole hour.
_BY_MINUTE = timedelta(hours=48)
ORGANIZATION = "acme"


class Question(NamedTuple):
    """Name a question, the time it looks back, whether it adds up spans (the others look spans up), and its limit.

    Without a limit it has that of the question's file.
    """

    name: str
    window: timedelta
    aggregate: bool = True
    limit: int | None = None


QUESTIONS = (
    Question("latency_by_agent", timedelta(hours=24)),
    Question("cost_by_model", timedelta(days=30)),
    Question("top_runs", timedelta(days=7)),
    Question("error_rate_by_agent", timedelta(hours=24)),
    Question("trace", timedelta(days=90), aggregate=False),
    Question("agent_edges", timedelta(minutes=15)),
    Question("executive_totals", timedelta(days=90)),
    Question("tokens_by_user", timedelta(days=30)),
    # All tools: which are among the first few is a matter of a quantile's last digit.
    Question("slowest_tools", timedelta(hours=24), limit=1_000),
    Question("queue_waits", timedelta(hours=24)),
    Question("session_replay", timedelta(days=90), aggregate=False),
    Question("search_prompts", timedelta(days=7), aggregate=False),
)
_EXAMPLE = """
SELECT trace_id, any(session_id) AS session_id FROM spans
WHERE organization = {organization:String} AND kind = 'workflow' AND timestamp < {until:DateTime('UTC')}
GROUP BY trace_id ORDER BY sipHash64(trace_id) LIMIT {count:UInt8}
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold what came of a question: how many rows differ, and seconds, cold (the first time) and warm (the median)."""

    question: Question
    different: int
    rows: int
    cold: Mapping[str, float]
    warm: Mapping[str, float]

    @property
    def faster(self) -> float:
        """Return how many times faster ours is."""
        return self.warm["stock"] / self.warm["ours"]

    def figures(self, spans: int) -> list[Figure]:
        """Return the figures with their goals."""
        goal = next((least for many, least in _FASTER if spans >= many and self.question.aggregate), None)
        name = self.question.name
        return [
            Figure(f"{name}: rows that differ, of {self.rows}", self.different, "rows", 0, exact=True),
            Figure(f"{name}, warm", self.warm["ours"] * 1e3, "ms", _GOAL_MS if spans >= _BIG else None),
            Figure(f"{name}, stock, warm", self.warm["stock"] * 1e3, "ms"),
            Figure(f"{name}, times faster", self.faster, "x", goal, least=True),
        ]


def ask(ours: Server, stock: Server, loaded: Loaded, runs: int = RUNS) -> list[Asked]:
    """Ask every question: ours as the read-only user, stock as the admin, whose questions may take longer."""
    examples = _examples(ours.reader, loaded.until)
    made = []
    for question in QUESTIONS:
        values = [_values(question, loaded.until, example) for example in examples]
        made.append(_ask(question, {"ours": ours.reader, "stock": stock.admin}, values, runs))
        last = made[-1]
        progress(f"{question.name}: {last.warm['ours'] * 1e3:.1f} ms, stock {last.warm['stock'] * 1e3:.1f} ms")
    return made


def values_of(reader: Warehouse, until: datetime) -> dict[str, dict[str, str]]:
    """Return parameters for each question, by its name."""
    example = _examples(reader, until)[0]
    return {question.name: _values(question, until, example) for question in QUESTIONS}


def text(whose: str, name: str) -> str:
    """Return the SQL of a question, ``ours`` or of the ``stock`` schema."""
    return shipped.load(name).sql if whose == "ours" else wire.text(f"{whose}/{name}")


def _examples(reader: Warehouse, until: datetime) -> list[dict[str, object]]:
    rows = reader.rows(_EXAMPLE, organization=ORGANIZATION, until=until, count=12)
    return [row | {"words": RARE_WORD} for row in rows]


def _values(question: Question, until: datetime, example: Mapping[str, object]) -> dict[str, str]:
    """Return what the server binds, for both schemas, of the parameters that the question takes."""
    since, until = _window(question, until)
    given = {"organization": ORGANIZATION, "since": since, "until": until, "limit": question.limit, **example}
    asked = shipped.load(question.name)
    known = {parameter.name for parameter in asked.parameters}
    return shipped.bind(asked, {name: given[name] for name in known & given.keys() if given[name] is not None})


def _window(question: Question, until: datetime) -> tuple[datetime, datetime]:
    """Return the range, of whole hours where totals are read by hour, so that both schemas mean the same rows."""
    if question.window > _BY_MINUTE:
        until = (until + timedelta(minutes=59)).replace(minute=0)
    return until - question.window, until


def _ask(
    question: Question, readers: Mapping[str, Warehouse], values: Sequence[Mapping[str, object]], runs: int
) -> Asked:
    answers: dict[str, list[dict[str, Any]]] = {}
    cold, warm = {}, {}
    for whose, reader in readers.items():
        sql = text(whose, question.name)
        started = time.perf_counter()
        answers[whose] = reader.rows(sql, **values[0])
        cold[whose] = time.perf_counter() - started
        times = []
        for at in range(1 + (_LONG_RUNS if cold[whose] > _LONG_SECONDS else runs)):
            started = time.perf_counter()
            reader.text(sql, "JSONCompact", **values[at % len(values)])
            times.append(time.perf_counter() - started)
        # The first of them warms up.
        warm[whose] = statistics.median(times[1:])
    return Asked(question, different(answers["ours"], answers["stock"]), len(answers["stock"]), cold, warm)


def different(ours: Sequence[Mapping[str, Any]], stock: Sequence[Mapping[str, Any]]) -> int:
    """Return how many rows of one answer are not in the other, by all columns of the stock answer but maps.

    Quantiles (p50_…, p95_…) may differ by a hundredth, other fractions by rounding only, everything else not at all.
    """
    if not (ours and stock):
        return len(ours) + len(stock)
    columns = [name for name in stock[0] if not isinstance(stock[0][name], dict)]
    pairs = zip(_sorted(ours, columns), _sorted(stock, columns), strict=False)
    return sum(not _alike(one, other, columns) for one, other in pairs) + abs(len(ours) - len(stock))


def _sorted(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[Mapping[str, Any]]:
    exact = [name for name in columns if not isinstance(rows[0].get(name), float)]
    return sorted(rows, key=lambda row: tuple(str(row.get(name)) for name in exact))


def _alike(one: Mapping[str, Any], other: Mapping[str, Any], columns: Sequence[str]) -> bool:
    return all(_close(name, one.get(name), other[name]) for name in columns)


def _close(name: str, one: object, other: object) -> bool:
    if not (isinstance(one, float) and isinstance(other, float)):
        return one == other
    return math.isclose(one, other, rel_tol=_QUANTILE_ERROR if _QUANTILE.match(name) else _ROUNDING)
