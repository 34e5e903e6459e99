"""Compare the costs that calls have with those that they would have by the prices of now."""

from __future__ import annotations

from datetime import timedelta

from spyglass.assets import folder


def statement(name: str, traces: str = "") -> str:
    """Return a file of clickhouse/restatement with its parts; ``traces`` selects the traces that "whole" is about."""
    parts = {
        "$whole": _text("whole").replace("$traces", traces or _text("traces")),
        "$scope": _text("scope"),
        # a cost is never negative
        "$differs": "ifNull(cost_nano_usd, -1) != ifNull($present, -1)",
        "$present": _text("present"),
    }
    sql = _text(name)
    for part, text in parts.items():
        sql = sql.replace(part, text)
    return sql


def refreshing(closing_after: timedelta) -> str:
    """Return the statement that lets the finaliser compute the calls of open days again that have another price now.

    Meant for after a change of prices, when the dictionary has them.
    """
    return statement("open_days").replace("$seconds", str(int(closing_after.total_seconds())))


def _text(name: str) -> str:
    return (folder("clickhouse") / "restatement" / f"{name}.sql").read_text(encoding="utf-8").strip()
