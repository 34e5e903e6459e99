"""Make model calls of some day, finalise them, and read what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from spyglass.warehouse import finaliser
from spyglass.warehouse.client import Warehouse
from tests.warehouse.wire import Server, span, usage

NEVER = timedelta(days=1)


def noon(days_ago: int) -> datetime:
    """Return noon (UTC) of a day before today."""
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days_ago)


def call(number: int, at: datetime, attributes: Mapping[str, str], **columns: Any) -> dict[str, Any]:
    """Return the row of a model call that is a root span."""
    return span(number, attributes, Timestamp=f"{at.timestamp():.9f}", **columns)


def run(number: int, at: datetime, model: str, provider: str = "own", **tokens: int) -> list[dict[str, Any]]:
    """Return the rows of an agent's run with one model call."""
    agent = call(number, at, {"spyglass.kind": "agent", "gen_ai.agent.name": "seller"})
    owned = call(number, at + timedelta(seconds=1), usage(model, provider, **tokens), SpanId=f"{number + 500_000:016x}")
    return [agent, owned | {"ParentSpanId": agent["SpanId"]}]


def finalise(admin: Warehouse) -> None:
    """Write what agents did, until nothing waits."""
    while not finaliser.finalise(admin, NEVER).caught_up:
        pass


def cost(server: Server, trace_id: str) -> int | None:
    """Return the cost of the only call of a trace."""
    (row,) = server.client("reader").rows("SELECT cost_nano_usd FROM llm_calls WHERE trace_id = {t:String}", t=trace_id)
    found: int | None = row["cost_nano_usd"]
    return found
