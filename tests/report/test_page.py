from datetime import UTC, datetime
from typing import Any

from spyglass.report.gather import Report
from spyglass.report.page import render
from spyglass.report.waterfall import Bar

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
RUN = {
    "trace_id": "t" * 32,
    "started_at": NOW,
    "service": "app",
    "agents": ["planner", "<b>writer</b>"],
    "status": "error",
    "error_type": "TimeoutError",
    "duration_seconds": 1.5,
    "spans": 3,
    "model_calls": 1,
    "tool_calls": 1,
    "input_tokens": None,
    "output_tokens": 1234,
    "cost_nano_usd": None,
    "unpriced_calls": 1,
}
TOTALS = dict.fromkeys(
    ("runs", "failed_runs", "agent_runs", "traces", "model_calls", "unpriced_calls", "calls_without_usage"), 1
)


def _report(**changes: Any) -> Report:
    plain: dict[str, Any] = {
        "made_at": NOW,
        "since": NOW,
        "organization": "acme",
        "totals": TOTALS | {"input_tokens": None, "output_tokens": 1234, "cost_nano_usd": 350_000},
        "runs": [RUN],
        "shown_trace": "t" * 32,
        "waterfall": [Bar("invoke_agent planner", "agent", "app", 0, 0.0, 1.0, 1.5, failed=True)],
        "models": [],
        "freshness": {"spans": 3, "p50_seconds": 0.2, "p95_seconds": 0.3, "newest_age_seconds": None},
        "calls_in_prometheus": None,
        "alerts": [],
        "firing": [],
    }
    return Report(**plain | changes)


def test_unknown_is_never_zero() -> None:
    """What a store does not know reads unknown, and an unpriced call is named beside the cost."""
    page = render(_report())
    assert "<dt>Tokens in</dt><dd>unknown</dd>" in page
    assert "<dt>Tokens out</dt><dd>1,234</dd>" in page
    assert "<dt>Cost of priced calls</dt><dd>$0.000350</dd>" in page
    assert "+1 unpriced" in page


def test_text_from_telemetry_is_escaped() -> None:
    """A name that looks like HTML is shown as text."""
    page = render(_report())
    assert "&lt;b&gt;writer&lt;/b&gt;" in page
    assert "<b>writer" not in page


def test_empty_stores_are_said_to_be_empty() -> None:
    """Without runs, traces, models and alerts the page says so instead of showing nothing."""
    page = render(_report(runs=[], waterfall=[], shown_trace=""))
    for sentence in ("No run", "Tempo holds no trace", "No model call", "No alert"):
        assert sentence in page
