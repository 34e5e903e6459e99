"""Turn the targets of a dashboard into queries that a store can run, and run them: how panels are proven alive.

What Grafana and its data sources would put in is put in here the same way: variables (multiple values, All, the formats
``regex`` and Prometheus' own), ``$__rate_interval`` and its like, and the ClickHouse plugin's macros (4.20).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from grafana import style
from spyglass.errors import UsageError

Values = Mapping[str, str | Sequence[str]]
ALL: Final = "$__all"
STORES: Final = {"prometheus": "prometheus", "tempo": "tempo", "grafana-clickhouse-datasource": "clickhouse"}
VARIABLE: Final = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")
MACRO: Final = re.compile(r"\$__(\w+)(?:\(([^()]*)\))?")
DURATION: Final = re.compile(r"(\d+)([smhd])")
SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """Hold one target of one panel, ready to run; ``empty`` says why it may have no rows, and is "" where it must."""

    dashboard: str
    panel: str
    panel_id: int
    ref_id: str
    store: str
    query: str
    instant: bool
    exemplars: bool
    limit: int
    start: datetime
    end: datetime
    step_seconds: int
    empty: str


@dataclass(frozen=True, slots=True)
class Range:
    """Hold the time range that a dashboard shows and the step of its charts."""

    start: datetime
    end: datetime
    step_seconds: int

    @property
    def seconds(self) -> int:
        """Return the length of the range."""
        return int((self.end - self.start).total_seconds())


def queries(
    dashboard: Mapping[str, Any],
    variables: Values | None = None,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    step_seconds: int = 15,
) -> list[PanelQuery]:
    """Return every target of every panel of a dashboard's JSON, as its store would get it.

    ``variables`` gives values by name, one or several; a variable that is not given means All, and ``interval`` 1m. The
    range is the hour that ends at ``end`` (default: now). Raises UsageError for a variable or macro that is unknown.
    """
    end = end or datetime.now(UTC)
    shown = Range(start or end - HOUR, end, step_seconds)
    values = _values(dashboard, variables or {})
    return [
        _query(dashboard, panel, target, values, shown)
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
    ]


def used_variables(text: str) -> Iterator[str]:
    """Yield the names of the variables in a text, Grafana's own (``__…``) and the heredoc's tag left out."""
    for match in VARIABLE.finditer(text.replace("$re$", "")):
        name = match[1] or match[3]
        if not name.startswith("__"):
            yield name


def _query(
    dashboard: Mapping[str, Any],
    panel: Mapping[str, Any],
    target: Mapping[str, Any],
    values: Mapping[str, str | list[str]],
    shown: Range,
) -> PanelQuery:
    store = _store(target)
    step = max(shown.step_seconds, _seconds(_interpolated(panel.get("interval", "0s"), values, _explicit)))
    text = target.get("expr") or target.get("rawSql") or target["query"]
    expand = {"prometheus": _promql, "clickhouse": _sql, "tempo": _traceql}[store]
    no_value = panel["fieldConfig"]["defaults"].get("noValue", style.NO_DATA)
    return PanelQuery(
        dashboard=dashboard["uid"],
        panel=panel["title"],
        panel_id=panel["id"],
        ref_id=target["refId"],
        store=store,
        query=expand(text, values, Range(shown.start, shown.end, step)),
        instant=target.get("instant", False),
        exemplars=target.get("exemplar", False),
        limit=target.get("limit", 0),
        start=shown.start,
        end=shown.end,
        step_seconds=step,
        empty="" if no_value == style.NO_DATA else no_value,
    )


def _store(target: Mapping[str, Any]) -> str:
    source = target["datasource"]["type"]
    if source not in STORES:
        raise UsageError(f"No store answers the data source {source!r}.", f"Use {', '.join(STORES)}.")
    return STORES[source]


def _values(dashboard: Mapping[str, Any], given: Values) -> dict[str, str | list[str]]:
    declared = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise UsageError(f"{dashboard['uid']} has no variable {unknown[0]!r}.", f"It has {', '.join(declared)}.")
    found: dict[str, str | list[str]] = {}
    for name, variable in declared.items():
        value = given.get(name, ALL)
        if value == ALL:
            found[name] = variable.get("allValue") or "1m"
        else:
            found[name] = [value] if isinstance(value, str) and variable.get("multi") else _listed(value)
    return found


def _listed(value: str | Sequence[str]) -> str | list[str]:
    return value if isinstance(value, str) else list(value)


def _promql(text: str, values: Mapping[str, str | list[str]], shown: Range) -> str:
    rate = max(shown.step_seconds + style.SCRAPE_SECONDS, 4 * style.SCRAPE_SECONDS)
    built_in = {
        "__rate_interval": f"{rate}s",
        "__interval": f"{shown.step_seconds}s",
        "__range": f"{shown.seconds}s",
        "__range_s": str(shown.seconds),
    }
    return _interpolated(text, {**values, **built_in}, _for_prometheus)


def _traceql(text: str, values: Mapping[str, str | list[str]], _: Range) -> str:
    return _interpolated(text, values, _explicit)


def _sql(text: str, values: Mapping[str, str | list[str]], shown: Range) -> str:
    start, end = (f"fromUnixTimestamp64Milli({int(at.timestamp() * 1000)})" for at in (shown.start, shown.end))
    macros = {
        "timeFilter_ms": f"{{0}} >= {start} AND {{0}} <= {end}",
        "fromTime_ms": start,
        "toTime_ms": end,
        "timeInterval": f"toStartOfInterval(toDateTime({{0}}), INTERVAL {shown.step_seconds} second)",
        "interval_s": str(shown.step_seconds),
    }

    def expanded(match: re.Match[str]) -> str:
        if match[1] not in macros:
            raise UsageError(f"The macro {match[0]} is not one that spyglass expands.", f"Use {', '.join(macros)}.")
        return macros[match[1]].format(match[2])

    return MACRO.sub(expanded, _interpolated(text, values, _explicit))


def _interpolated(text: str, values: Mapping[str, str | list[str]], several: Callable[[list[str]], str]) -> str:
    """Put values in; text values (All, Grafana's own) as they are, lists by the format or else by ``several``."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3]
        if name not in values:
            return match[0]
        found = values[name]
        if isinstance(found, str):
            return found
        return _as_regex(found) if match[2] == "regex" else several(found)

    return VARIABLE.sub(value, text)


def _explicit(found: list[str]) -> str:
    raise UsageError(f"The values {found} stand in a query without a format.", "Write ${name:regex}.")


def _as_regex(found: list[str]) -> str:
    escaped = [re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", value) for value in found]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _for_prometheus(found: list[str]) -> str:
    """Write values as Grafana's Prometheus data source does: a regular expression inside a quoted string."""
    escaped = [re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", value.replace("\\", r"\\\\")) for value in found]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _seconds(text: str) -> int:
    match = DURATION.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is not an interval such as 30s, 5m or 1h.")
    return int(match[1]) * SECONDS[match[2]]
