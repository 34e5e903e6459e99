"""Sum up a demo run: compare what the stores hold with what was really served, and say what is missing."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spyglass.demo.provider import Call

TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
EXPECTED_ALERT = "AgentErrorRateHigh"
NANO = 1e-9


@dataclass(frozen=True)
class Pair:
    """Hold a count as it should be and as it is stored."""

    expected: int
    stored: int

    @property
    def exact(self) -> bool:
        """Say whether both are the same."""
        return self.expected == self.stored


@dataclass(frozen=True)
class Model:
    """Hold what one model served and what is stored of it.

    Tokens are compared over the calls whose client was told its usage; ``unreported`` counts the others that were
    answered. ``cost_usd`` is None when no call has a price; ``unpriced`` counts calls without one.
    """

    model: str
    calls: Pair
    tokens: Mapping[str, Pair]
    unreported: Pair
    cost_usd: float | None
    unpriced: int

    @property
    def exact(self) -> bool:
        """Say whether calls, tokens and unreported calls are all as served."""
        return self.calls.exact and self.unreported.exact and all(pair.exact for pair in self.tokens.values())


@dataclass
class Summary:
    """Hold everything that a demo run showed; ``missing`` names what it did not."""

    run: str
    seconds: float
    spans: Pair
    runs: Pair
    failed_runs: Pair
    agent_runs: int
    models: list[Model]
    freshness: dict[str, dict[str, float]]
    alerts: list[dict[str, Any]]
    notifications: list[dict[str, Any]]
    addresses: dict[str, str]
    missing: list[str] = field(default_factory=list)

    @property
    def cost_usd(self) -> float | None:
        """Return the cost of all priced calls; None when there is none."""
        priced = [model.cost_usd for model in self.models if model.cost_usd is not None]
        return sum(priced) if priced else None


def models(calls: Iterable[Call], stored: Sequence[Mapping[str, Any]]) -> list[Model]:
    """Compare what the provider served with the rows of demo_models, by the model's name as it was asked for."""
    served = list(calls)
    asked = {call.response_model: call.model for call in served if call.response_model}
    named = [(asked.get(row["model"], row["model"]), row) for row in stored]
    known = sorted({call.model for call in served} | {name for name, _ in named})
    return [
        _model(name, [call for call in served if call.model == name], [row for other, row in named if other == name])
        for name in known
    ]


def _model(name: str, served: list[Call], stored: list[Mapping[str, Any]]) -> Model:
    told = [call for call in served if call.usage_reported]
    costs = [row["cost_nano_usd"] for row in stored if row["cost_nano_usd"] is not None]
    return Model(
        model=name,
        calls=Pair(len(served), _sum(stored, "calls")),
        tokens={key: Pair(sum(getattr(call, key) or 0 for call in told), _sum(stored, key)) for key in TOKENS},
        unreported=Pair(sum(call.ok and not call.usage_reported for call in served), _sum(stored, "unreported")),
        cost_usd=sum(costs) * NANO if costs else None,
        unpriced=_sum(stored, "unpriced"),
    )


def _sum(rows: Iterable[Mapping[str, Any]], key: str) -> int:
    return sum(int(row[key] or 0) for row in rows)


def freshness(seconds: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    """Return median, maximum and number of the probes of each store; a store without any is left out."""
    return {
        store: {"p50_seconds": statistics.median(found), "max_seconds": max(found), "probes": len(found)}
        for store, found in seconds.items()
        if found
    }


def missing(summary: Summary, failures: Iterable[str], asked: Iterable[str]) -> list[str]:
    """Return a sentence for everything that a demo must show and this one did not.

    ``failures`` are sentences about programs that died, ``asked`` the stores whose freshness was measured.
    """
    checks: tuple[Callable[[], list[str]], ...] = (
        lambda: _missing_spans(summary),
        lambda: _missing_tokens(summary.models),
        lambda: [] if summary.cost_usd else ["cost: no model call has a price."],
        lambda: [f"freshness: no probe was found in {store}." for store in asked if store not in summary.freshness],
        lambda: _missing_alerts(summary),
    )
    return [f"fleet: {failure}" for failure in failures] + [sentence for check in checks for sentence in check()]


def missing_sections(empty: Iterable[str]) -> list[str]:
    """Return a sentence for every section of the report that has nothing to show."""
    return [f"report: the section {name} is empty." for name in empty]


def _missing_spans(summary: Summary) -> list[str]:
    if not summary.spans.stored:
        return ["spans: the warehouse has none of this run."]
    pairs = {"spans": summary.spans, "runs": summary.runs, "failed runs": summary.failed_runs}
    return [
        f"{name}: {pair.stored} are stored, the fleet made {pair.expected}."
        for name, pair in pairs.items()
        if not pair.exact
    ]


def _missing_tokens(found: Iterable[Model]) -> list[str]:
    counted = [model for model in found if model.tokens["input_tokens"].stored]
    if not counted:
        return ["tokens: no model call has any."]
    return [
        f"tokens: {model.model}: {pair.stored} {name} are stored, {pair.expected} were served."
        for model in found
        for name, pair in {"calls": model.calls, "calls without usage": model.unreported, **model.tokens}.items()
        if not pair.exact
    ]


def _missing_alerts(summary: Summary) -> list[str]:
    if not any(alert["alert"] == EXPECTED_ALERT for alert in summary.alerts):
        return [f"alerts: {EXPECTED_ALERT} did not fire."]
    if not any(row["alert"] == EXPECTED_ALERT for row in summary.notifications):
        return [f"alerts: {EXPECTED_ALERT} fired, but no notification reached the inbox."]
    return []
