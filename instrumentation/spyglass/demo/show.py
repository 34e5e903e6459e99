"""Write the summary of a demo run: as text for people, as JSON for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from spyglass.demo.summary import TOKENS, Model, Pair, Summary

EXACT = {True: "exact", False: "NOT EXACT"}
MODEL_LINE = "  {:22} {:>7} {:>10} {:>10} {:>10} {:>10} {:>12}  {}"


def as_json(summary: Summary) -> dict[str, Any]:
    """Return the summary as plain JSON, with the derived values: cost and exactness."""
    made = asdict(summary)
    made["cost_usd"] = summary.cost_usd
    for row, model in zip(made["models"], summary.models, strict=True):
        row["exact"] = model.exact
    return made


def as_text(summary: Summary) -> str:
    """Return the summary as a page of text."""
    sections = (_counts(summary), _models(summary), _freshness(summary), _alerts(summary), _addresses(summary))
    lines = [line for section in sections for line in (*section, "")]
    if summary.missing:
        lines += ["Missing:", *(f"  {sentence}" for sentence in summary.missing)]
    else:
        lines.append("Everything that a demo must show is there.")
    return "\n".join(lines)


def _counts(summary: Summary) -> Iterator[str]:
    yield f"Demo run {summary.run}, {summary.seconds:.0f} s, as stored in the warehouse:"
    yield f"  spans        {_pair(summary.spans)}"
    yield f"  runs         {_pair(summary.runs)}, of which failed {_pair(summary.failed_runs)}"
    yield f"  agent runs   {summary.agent_runs:,}"


def _models(summary: Summary) -> Iterator[str]:
    yield "Tokens and cost by model, compared with what the provider served:"
    yield MODEL_LINE.format("model", "calls", "input", "output", "cached", "reasoning", "USD", "")
    for model in summary.models:
        yield MODEL_LINE.format(model.model, model.calls.stored, *_tokens(model), _cost(model), _remarks(model))
    yield f"  total cost {_usd(summary.cost_usd)} USD"


def _tokens(model: Model) -> list[str]:
    shown = ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens")
    return [f"{model.tokens[name].stored:,}" for name in shown]


def _remarks(model: Model) -> str:
    remarks = [EXACT[model.exact]]
    if model.unpriced:
        remarks.append(f"{model.unpriced} calls unpriced")
    if model.unreported.stored:
        remarks.append(f"{model.unreported.stored} calls without usage")
    wrong = [name for name in TOKENS if not model.tokens[name].exact]
    return ", ".join([*remarks, *(f"{name} served {model.tokens[name].expected:,}" for name in wrong)])


def _freshness(summary: Summary) -> Iterator[str]:
    yield "Freshness, from a span's end until it is found:"
    for store, found in summary.freshness.items():
        figures = f"p50 {found['p50_seconds']:.2f} s, longest {found['max_seconds']:.2f} s"
        yield f"  {store:12} {figures} of {found['probes']:.0f} probes"


def _alerts(summary: Summary) -> Iterator[str]:
    yield "Alerts that fired:"
    for alert in summary.alerts:
        receivers = ", ".join(alert["receivers"]) or "nobody"
        agent = alert["labels"].get("agent", "")
        yield f"  {alert['alert']} {agent}: {alert['state'] or 'known to Alertmanager'}, sent to {receivers}"
    yield "Notifications in the inbox:"
    for row in summary.notifications:
        about = f"{row['alert']} {row['agent']}: {row['summary']}"
        yield f"  {row['received_at']} {row['status']} to {row['receiver']}: {about}"


def _addresses(summary: Summary) -> Iterator[str]:
    yield "Where to look:"
    for name, address in summary.addresses.items():
        yield f"  {name:12} {address}"


def _pair(pair: Pair) -> str:
    return f"{pair.stored:,} of {pair.expected:,} ({EXACT[pair.exact]})"


def _cost(model: Model) -> str:
    """Write the cost; a model of which no call has tokens costs nothing that could be priced."""
    return "-" if model.cost_usd is None and not model.unpriced else _usd(model.cost_usd)


def _usd(amount: float | None) -> str:
    return "unpriced" if amount is None else f"{amount:.6f}"
