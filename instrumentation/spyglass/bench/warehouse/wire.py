"""Make the exporter's rows of the generator's, in the engine: as an insert of its own, or as blocks to be sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path

from spyglass.bench.warehouse.servers import Server
from spyglass.bench.warehouse.telemetry import COLUMNS, DAYS, RECENT, Fleet, Row
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.statements import split

SEED = 7
_BATCH = 20_000
_WEEK = 7
_NO_LIMIT_US = 1 << 60


@dataclass(frozen=True, slots=True)
class Part:
    """Say which rows of the base become spans: of these days, as these replicas, beginning at these times.

    ``where`` is a condition on the base's columns; ``within`` presses the spans of a trace together; ``organization``
    takes the place of the generator's three; ``suffix`` is put behind the names of agents and models.
    """

    days: Sequence[int]
    replicas: Sequence[int]
    begins: Sequence[datetime]
    where: str = "1"
    within: timedelta | None = None
    organization: str = ""
    suffix: str = ""
    values: dict[str, object] = field(default_factory=dict)

    def select(self) -> str:
        """Return the SELECT; its parameters are those of ``parameters``."""
        texts = {"$organization": self.organization, "$suffix": self.suffix, "$where": self.where}
        sql = text("wire")
        for name, value in texts.items():
            sql = sql.replace(name, value)
        return sql

    def parameters(self) -> dict[str, object]:
        """Return the values that the server binds."""
        return self.values | {
            "days": list(self.days),
            "replicas": list(self.replicas),
            "begins_ns": [int(moment.timestamp()) * 1_000_000_000 for moment in self.begins],
            "within_us": _NO_LIMIT_US if self.within is None else int(self.within.total_seconds() * 1e6),
        }


def block(warehouse: Warehouse, part: Part) -> bytes:
    """Return the rows as Native blocks, as the exporter sends them."""
    return b"".join(warehouse.pieces(part.select(), "Native", **part.parameters()))


def insert(warehouse: Warehouse, part: Part) -> None:
    """Insert the rows within the engine, as if the exporter had sent them."""
    warehouse.execute(f"{text('insert')} {part.select()}", **part.parameters())


def ages(replicas: int, anchor: datetime, days_at_once: int = 1) -> Iterable[Part]:
    """Yield the parts of 90 days, oldest first, so many days in each, and that of the last hour before the anchor."""
    numbers = range(replicas)
    for oldest in range(DAYS, 0, -days_at_once):
        found = range(max(0, oldest - days_at_once), oldest)
        yield Part(
            [(age + _WEEK * number) % DAYS for age in found for number in numbers],
            [number for _ in found for number in numbers],
            [anchor - timedelta(days=age + 1) for age in found for _ in numbers],
        )
    yield Part([RECENT] * replicas, numbers, [anchor - timedelta(hours=1)] * replicas)


def rows(spans: int, seed: int = SEED) -> list[Row]:
    """Return whole traces with at least so many spans together."""
    made: list[Row] = []
    for trace in Fleet(seed, spans).traces():
        made += trace
        if len(made) >= spans:
            return made
    return made


def fill(servers: Sequence[Server], base: Iterable[Row]) -> None:
    """Write the base into each warehouse."""
    for server in servers:
        for statement in split(text("base").replace("$columns", COLUMNS)):
            server.admin.execute(statement)
    left = iter(base)
    while batch := list(islice(left, _BATCH)):
        data = "\n".join(map(json.dumps, batch)).encode()
        for server in servers:
            server.admin.insert_data("bench.base", Row._fields, data, "JSONCompactEachRow")


@cache
def text(name: str) -> str:
    """Return a file of sql/."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")
