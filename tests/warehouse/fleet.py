"""Invent two weeks of a fleet with users, sessions, projects, caches and resources, and say apart what it did."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from spyglass.warehouse import finaliser, questions
from spyglass.warehouse.client import Warehouse
from tests.warehouse.runs import CHEAP, PRICED, UNPRICED, Span, agent_at_or_above, invent
from tests.warehouse.truths import HOUR, HOURLY, SECOND, grouped
from tests.warehouse.wire import Server

# How long ago each trace began, in hours: many of the last day, some of the days before, and some just before a range.
AGES = [0.2 * at for at in range(40)] + [11.0, 23.5, 25.0, 47.0, 49.0, 75.0, 120.0, 170.0, 240.0, 310.0, 24.02, 30.02]
TENANTS = [("acme", "web"), ("acme", "batch"), ("globex", "web"), ("demo", "web")]
USERS = ("ada", "bob", "")
DAY = timedelta(days=1)
_FLOORS = {"minute": 60 * SECOND, "hour": HOUR, "": 1}


@dataclass(frozen=True)
class Range:
    """Hold how long ago a range began and ended, and by what its totals are read: "minute", "hour", "" (exactly)."""

    since: timedelta
    until: timedelta = timedelta()
    unit: str = ""


@dataclass(frozen=True)
class Fleet:
    """Hold a warehouse, what it was given, and the moment at which that ends."""

    server: Server
    spans: Sequence[Span]
    now: datetime

    @cached_property
    def by_number(self) -> dict[int, Span]:
        """Return the spans by their number."""
        return {span.number: span for span in self.spans}

    @cached_property
    def owner(self) -> dict[int, Span]:
        """Return the agent's span in whose execution each span is; all of them have one."""
        found = {span.number: agent_at_or_above(span, self.by_number) for span in self.spans}
        return {number: self.by_number[agent] for number, agent in found.items() if agent is not None}

    def during(self, span: Range, organization: str = "") -> list[Span]:
        """Return the spans of whole minutes or hours that touch a range; of all organizations without demo data."""
        since, until = ns(self.now - span.since), ns(self.now - span.until)
        floor = _FLOORS[span.unit]
        return [
            each
            for each in self.spans
            if since // floor * floor <= each.start_ns
            and each.start_ns // floor * floor < until
            and (each.organization == organization if organization else each.organization != "demo")
        ]

    def rows(self, name: str, span: Range | None = None, **values: Any) -> list[dict[str, Any]]:
        """Return the answer that the reader gets, over a range where one is given."""
        ends = {"since": self.now - span.since, "until": self.now - span.until} if span else {}
        return questions.ask(self.reader, name, **ends, **values)

    @cached_property
    def reader(self) -> Warehouse:
        """Return the client of the reader."""
        return self.server.client("reader")

    @cached_property
    def own(self) -> dict[int, list[Span]]:
        """Return the spans of each execution by the number of its agent's span."""
        return grouped(self.spans, lambda span: self.owner[span.number].number)

    def caller(self, span: Span) -> Span | None:
        """Return the agent's span above."""
        above = self.by_number.get(span.parent) if span.parent is not None else None
        number = agent_at_or_above(above, self.by_number)
        return None if number is None else self.by_number[number]


def ns(moment: datetime) -> int:
    """Return nanoseconds since 1970, of whole milliseconds as the server binds them."""
    return int(moment.timestamp()) * SECOND + moment.microsecond // 1000 * 10**6


def fill(server: Server) -> Fleet:
    """Give a warehouse a fleet, and let the finaliser write what it did."""
    admin = server.client("admin")
    admin.insert("resource_prices", [_price(name, nano_usd) for name, nano_usd in HOURLY.items()])
    now = datetime.now(UTC) - timedelta(seconds=1)
    spans = [span for at, age in enumerate(AGES) for span in _trace(at, age, now)]
    for at in range(0, len(spans), 200):
        answer = server.insert("otel_traces", [span.row() for span in spans[at : at + 200]])
        assert answer.status == 200, answer.text
    assert finaliser.finalise(admin, DAY).caught_up
    admin.close()
    return Fleet(server, spans, now)


def _price(resource: str, nano_usd: int) -> dict[str, object]:
    ends = {"valid_from": datetime(2000, 1, 1, tzinfo=UTC), "valid_to": datetime(2100, 1, 1, tzinfo=UTC)}
    return {"resource": resource, "label": "", **ends, "nano_usd": nano_usd, "source": "file"}


def _trace(at: int, age_hours: float, now: datetime) -> Iterator[Span]:
    """Yield one trace of runs.invent, all of it before now, with everything that a fleet says of it."""
    chance = random.Random(at)  # noqa: S311 -- the same each time
    spans = invent(at + 1, 1, seed=at)
    begin = ns(now) - int(age_hours * HOUR) - 10 * SECOND
    shift = begin - spans[0].start_ns
    organization, project = TENANTS[at % len(TENANTS)]
    user, session = USERS[at % len(USERS)], f"session-{at % 7}"
    for span in spans:
        owned = replace(span, organization=organization, project=project, user=user, session=session)
        yield replace(_dressed(owned, chance), start_ns=span.start_ns + shift)


def _dressed(span: Span, chance: random.Random) -> Span:
    """Return a span with what its kind reports."""
    if span.failed:
        span = replace(span, error_type=chance.choice(("timeout", "rate_limit")))
    if span.kind == "agent":
        used = (chance.randint(0, 99) / 8, chance.randint(0, 99) / 8, chance.randint(0, 9) / 8)
        wait = chance.randint(1, 400) / 8
        return replace(
            span,
            used=used if chance.random() < 0.6 else None,
            queue_wait_seconds=wait if chance.random() < 0.5 else None,
        )
    if not span.is_call:
        return span
    name = chance.choice((PRICED, CHEAP, UNPRICED))
    cached = chance.randint(0, span.tokens[0]) if span.tokens and chance.random() < 0.4 else None
    texts = (f"question {span.number} of {name}", f"answer {span.number}")
    first = chance.randint(1, 80) / 64 if chance.random() < 0.7 else None
    return replace(span, name=name, cached=cached, texts=texts, first_token_seconds=first)
