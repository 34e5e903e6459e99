"""Invent what a fleet of agents sends: traces of 117 spans and 1 kB of text a span, the same for the same seed.

One trace is a workflow of three to eight agents, which call each other, models, tools and retrievals. Ages are spread
over 90 days, and one trace in 64 lies in the last hour, so that every window of a dashboard has data. The engine turns
these rows into what the collector's exporter sends (sql/wire.sql), and repeats them to as many spans as are wanted.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate, count
from typing import NamedTuple

from spyglass.bench.warehouse.words import Texts

DAYS = 90
# The day of the traces of the last hour.
RECENT = DAYS
_RECENT_EVERY = 64
_SPANS_PER_TRACE = 117
_DAY_US, _HOUR_US = 86_400_000_000, 3_600_000_000
NONE = 65_535
NOBODY = 255
WORKFLOW, AGENT, LLM, TOOL, RETRIEVAL = range(5)
AGENTS, USERS, TOOLS, MODELS = 50, 2_000, 200, 8
_MODEL_WEIGHTS = (0.28, 0.2, 0.15, 0.12, 0.1, 0.07, 0.05, 0.03)
# Of model calls and tools; 6 is that of agents and workflows.
_MODEL_ERRORS, _TOOL_ERRORS, _AGENT_ERROR = (1, 2, 3), (4, 5), 6
_SHARE_LLM, _SHARE_TOOL = 0.46, 0.48
_ROLES = ("system", "user", "tool")


class Row(NamedTuple):
    """Hold a span as numbers, which sql/wire.sql gives names; without any it is a workflow's.

    Its columns are those of bench.base.
    """

    trace_no: int = 0
    span_no: int = 0
    parent_no: int = NONE
    execution_no: int = NONE
    base_day: int = 0
    trace_us: int = 0
    offset_us: int = 0
    duration_us: int = 0
    kind: int = WORKFLOW
    agent: int = NOBODY - 1
    caller: int = NOBODY
    organization: int = 0
    project: int = 0
    user: int = 0
    session: int = 0
    model: int = NOBODY
    tool: int = NOBODY
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    failed: int = 0
    error: int = 0
    queue_us: int = 0
    first_us: int = 0
    body_in: str = ""
    body_out: str = ""


_TYPES = {
    "trace_us": "UInt64",
    "offset_us": "UInt64",
    "duration_us": "UInt64",
    "body_in": "String",
    "body_out": "String",
}
_SMALL = ("base_day", "kind", "agent", "caller", "organization", "project", "model", "tool", "failed", "error")
COLUMNS = ", ".join(f"{name} {_TYPES.get(name, 'UInt8' if name in _SMALL else 'UInt32')}" for name in Row._fields)


class _Run(NamedTuple):
    """Hold an agent of a trace that others may be called by."""

    span_no: int
    agent: int
    calls_at_us: int


class Fleet:
    """Invent traces, one after the other."""

    def __init__(self, seed: int, spans: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 -- the same each time
        self._traces_a_day = max(1, spans // _SPANS_PER_TRACE // DAYS)
        texts, size = Texts(self._chance), max(1_000, min(20_000, spans // 20))
        self._systems = [f"You are agent-{agent:02}. {text}" for agent, text in enumerate(texts.pool(AGENTS, 350, 700))]
        self._tasks = texts.pool(size // 2, 200, 700)
        self._observations = texts.pool(size, 150, 900)
        self._answers = texts.pool(size, 80, 600)
        self._weights = {
            many: list(accumulate((rank + 1) ** -exponent for rank in range(many)))
            for many, exponent in ((AGENTS, 0.7), (USERS, 0.6), (TOOLS, 0.8))
        }

    def traces(self) -> Iterator[list[Row]]:
        """Yield the spans of traces, without end."""
        return (self._trace(number) for number in count())

    def _happens(self, share: float) -> bool:
        return self._chance.random() < share

    def _pick(self, many: int) -> int:
        return self._chance.choices(range(many), cum_weights=self._weights[many])[0]

    def _lognormal(self, mean: float, deviation: float) -> int:
        return int(self._chance.lognormvariate(mean, deviation))

    def _trace(self, number: int) -> list[Row]:
        chance = self._chance
        organization = chance.choice((0, 0, 0, 1, 1, 2))
        user = self._pick(USERS)
        blank = Row(
            trace_no=number, organization=organization, project=organization * 2 + self._happens(0.4), user=user,
            session=user * 20 + chance.randrange(20),
        )  # fmt: skip
        rows: list[Row] = []
        runs: list[_Run] = []
        for _ in range(chance.randint(3, 8)):
            caller = chance.choice(runs) if runs and self._happens(0.85) else None
            rows += self._agent(blank, len(rows) + 1, caller, runs)
        end = max(row.offset_us + row.duration_us for row in rows)
        failed = any(row.failed for row in rows if row.kind == AGENT) and self._happens(0.4)
        rows.append(blank._replace(duration_us=end, failed=int(failed), error=_AGENT_ERROR * failed))
        day, trace_us = self._age(number, end)
        return [row._replace(base_day=day, trace_us=trace_us) for row in rows]

    def _age(self, number: int, length_us: int) -> tuple[int, int]:
        """Return the day and when in it a trace begins, so that it ends within it; the very first ends with it.

        Days follow the numbers, so that both a day's traces and consecutive ones lie together in bench.base.
        """
        if number % _RECENT_EVERY == 0:
            room = max(0, _HOUR_US - length_us)
            return RECENT, room if number == 0 else self._chance.randrange(room + 1)
        room = max(0, _DAY_US - length_us)
        day = number // self._traces_a_day % DAYS
        return day, int(self._chance.triangular(0, room, room * 0.6))

    def _agent(self, blank: Row, span_no: int, caller: _Run | None, runs: list[_Run]) -> list[Row]:
        """Return the spans of an agent's run, and enter it in the runs of the trace."""
        chance, agent, task = self._chance, self._pick(AGENTS), self._chance.choice(self._tasks)
        queue_us = self._lognormal(9.5, 1.3)
        start_us = (caller.calls_at_us if caller else 0) + queue_us + self._lognormal(11, 1)
        own = blank._replace(execution_no=span_no, parent_no=span_no, agent=agent)
        rows: list[Row] = []
        now_us, last, thinker = start_us, task, span_no
        for at in range(chance.randint(10, 30)):
            here = own._replace(span_no=span_no + 1 + at, offset_us=now_us)
            row, last = self._step(here, task, last, thinker)
            thinker = row.span_no if row.kind == LLM else thinker
            now_us += row.duration_us + self._lognormal(8, 1)
            rows.append(row)
        failed = any(row.failed and self._happens(0.35) for row in rows)
        runs.append(_Run(span_no, agent, start_us + (now_us - start_us) // 3))
        run = own._replace(
            span_no=span_no, parent_no=caller.span_no if caller else 0, offset_us=start_us, kind=AGENT,
            duration_us=now_us - start_us, caller=caller.agent if caller else NOBODY - 1, queue_us=queue_us,
            failed=int(failed), error=_AGENT_ERROR * failed,
        )  # fmt: skip
        return [run, *rows]

    def _step(self, here: Row, task: str, last: str, thinker: int) -> tuple[Row, str]:
        """Return one thing that an agent does, and what it saw last."""
        dice = self._chance.random()
        if dice < _SHARE_LLM:
            return self._call(here, task, last), last
        if dice < _SHARE_LLM + _SHARE_TOOL:
            seen = self._chance.choice(self._observations)
            return self._tool(here, seen, thinker), seen
        return here._replace(kind=RETRIEVAL, duration_us=self._lognormal(10.8, 0.6), body_in=last[:80]), last

    def _call(self, here: Row, task: str, last: str) -> Row:
        chance, tokens_in, tokens_out = self._chance, self._lognormal(7.3, 0.7), self._lognormal(5.2, 0.8)
        failed = self._happens(0.02)
        favourite = (here.agent * 31) % MODELS
        model = favourite if self._happens(0.8) else chance.choices(range(MODELS), _MODEL_WEIGHTS)[0]
        system = self._systems[here.agent]
        asked = ",".join(_message(role, text) for role, text in zip(_ROLES, (system, task, last), strict=True))
        answer = f"[{_message('assistant', chance.choice(self._answers))}]"
        return here._replace(
            kind=LLM, model=model, failed=int(failed), error=chance.choice(_MODEL_ERRORS) if failed else 0,
            duration_us=250_000 + tokens_out * self._lognormal(9.4, 0.35), first_us=self._lognormal(12.6, 0.4),
            input_tokens=tokens_in, output_tokens=0 if failed else tokens_out,
            cache_read_tokens=int(tokens_in * 0.6) if self._happens(0.5) else 0,
            body_in=f"[{asked}]", body_out="" if failed else answer,
        )  # fmt: skip

    def _tool(self, here: Row, seen: str, thinker: int) -> Row:
        chance, tool = self._chance, self._pick(TOOLS)
        failed = self._happens(0.03)
        return here._replace(
            kind=TOOL, tool=tool, failed=int(failed), error=chance.choice(_TOOL_ERRORS) if failed else 0,
            duration_us=self._lognormal(11.5 + (tool % 7) * 0.3, 1), queue_us=self._lognormal(8, 1.2),
            parent_no=here.parent_no if self._happens(0.8) else thinker,
            body_in=f'{{"query":"{seen[:60]}","limit":{chance.randrange(50)}}}', body_out="" if failed else seen[:350],
        )  # fmt: skip


def _message(role: str, text: str) -> str:
    """Return a message in the form of the conventions."""
    return f'{{"role":"{role}","parts":[{{"type":"text","content":"{text}"}}]}}'
