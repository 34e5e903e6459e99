"""Check how a demo run is summed up and judged, on rows as the stores give them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spyglass.demo import show, summary
from spyglass.demo.provider import Call
from spyglass.demo.summary import TOKENS, Model, Pair, Summary

STORES = ("warehouse", "tempo", "prometheus")
ALERT = {"alert": "AgentErrorRateHigh", "labels": {"agent": "price watcher"}, "state": "firing", "receivers": ["inbox"]}
NOTICE = {"alert": "AgentErrorRateHigh", "agent": "price watcher", "status": "firing", "receiver": "inbox"}
NOTICE |= {"received_at": "2026-01-01 00:00:00.000", "summary": "40 % of runs fail"}


def _call(number: int, model: str = "gpt-4o", **changes: Any) -> Call:
    values = {
        "n": number,
        "api": "chat",
        "model": model,
        "ok": True,
        "status": 200,
        "stream": False,
        "seconds": 0.1,
        "response_model": f"{model}-2024-08-06",
        "response_id": f"id-{number}",
        "usage_reported": True,
        **dict.fromkeys(TOKENS, 0),
        "input_tokens": 10,
        "output_tokens": 4,
        **changes,
    }
    return Call(**values)


def _row(model: str, calls: int, tokens: int | None, **changes: Any) -> dict[str, Any]:
    counts = {"input_tokens": tokens and 10 * tokens, "output_tokens": tokens and 4 * tokens}
    rest = dict.fromkeys(TOKENS[2:])
    costs = {"cost_nano_usd": 1_500_000_000, "unpriced": 0, "unreported": 0}
    return {"provider": "openai", "model": model, "calls": calls, **counts, **rest, **costs, **changes}


def _summary(**changes: Any) -> Summary:
    values: dict[str, Any] = {
        "run": "abcd",
        "seconds": 60.0,
        "spans": Pair(9, 9),
        "runs": Pair(3, 3),
        "failed_runs": Pair(1, 1),
        "agent_runs": 4,
        "models": summary.models([_call(1)], [_row("gpt-4o-2024-08-06", 1, 1)]),
        "freshness": summary.freshness({store: [0.5, 0.25, 1.0] for store in STORES}),
        "alerts": [ALERT],
        "notifications": [NOTICE],
        "addresses": {"prometheus": "http://127.0.0.1:9090"},
    }
    return Summary(**{**values, **changes})


def test_models_are_compared_by_the_name_that_was_asked_for() -> None:
    """Rows under the dated name and under the short one are one model, and equal sums are exact."""
    stored = [_row("gpt-4o-2024-08-06", 2, 2), _row("gpt-4o", 1, None, cost_nano_usd=None)]
    failed = _call(3, ok=False, status=429, usage_reported=False, response_model=None, input_tokens=None)
    (model,) = summary.models([_call(1), _call(2), failed], stored)
    assert model == Model(
        model="gpt-4o",
        calls=Pair(3, 3),
        tokens={**dict.fromkeys(TOKENS, Pair(0, 0)), "input_tokens": Pair(20, 20), "output_tokens": Pair(8, 8)},
        unreported=Pair(0, 0),
        cost_usd=1.5,
        unpriced=0,
    )
    assert model.exact


def test_calls_without_usage_are_compared_as_such() -> None:
    """Tokens that no client was told are expected nowhere, and their calls are counted on both sides."""
    served = [_call(1), _call(2, usage_reported=False, input_tokens=99)]
    (model,) = summary.models(served, [_row("gpt-4o", 2, 1, unreported=1)])
    assert model.exact
    (model,) = summary.models(served, [_row("gpt-4o", 2, 1, unreported=0)])
    assert not model.exact


def test_a_model_without_price_has_no_cost() -> None:
    """Unknown cost is None, never 0, and does not change the total."""
    stored = [_row("gpt-4o", 1, 1), _row("house", 1, 1, cost_nano_usd=None, unpriced=1)]
    made = _summary(models=summary.models([_call(1), _call(2, "house")], stored))
    assert [(model.model, model.cost_usd, model.unpriced) for model in made.models] == [
        ("gpt-4o", 1.5, 0),
        ("house", None, 1),
    ]
    assert made.cost_usd == 1.5


def test_freshness_leaves_out_a_store_without_probes() -> None:
    """A store where no probe was found has no figure, rather than 0."""
    found = summary.freshness({"warehouse": [0.5, 0.25, 1.0], "tempo": []})
    assert found == {"warehouse": {"p50_seconds": 0.5, "max_seconds": 1.0, "probes": 3}}


def test_nothing_is_missing_from_a_complete_run() -> None:
    """A run with everything has nothing to name."""
    assert summary.missing(_summary(), [], STORES) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"spans": Pair(9, 0)}, "spans: the warehouse has none of this run."),
        ({"spans": Pair(9, 8)}, "spans: 8 are stored, the fleet made 9."),
        ({"runs": Pair(3, 4)}, "runs: 4 are stored, the fleet made 3."),
        ({"models": []}, "tokens: no model call has any."),
        (
            {"models": summary.models([_call(1)], [_row("gpt-4o", 1, 2)])},
            "tokens: gpt-4o: 20 input_tokens are stored, 10 were served.",
        ),
        (
            {"models": summary.models([_call(1), _call(2, "lost", usage_reported=False)], [_row("gpt-4o", 1, 1)])},
            "tokens: lost: 0 calls are stored, 1 were served.",
        ),
        (
            {"models": summary.models([_call(1)], [_row("gpt-4o", 1, 1, cost_nano_usd=None)])},
            "cost: no model call has a price.",
        ),
        ({"freshness": {"warehouse": {}, "prometheus": {}}}, "freshness: no probe was found in tempo."),
        ({"alerts": []}, "alerts: AgentErrorRateHigh did not fire."),
        ({"notifications": []}, "alerts: AgentErrorRateHigh fired, but no notification reached the inbox."),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, Any], sentence: str) -> None:
    """Each thing that a demo must show has its sentence when it is not there."""
    assert sentence in summary.missing(_summary(**changes), [], STORES)


def test_a_program_that_died_is_named() -> None:
    """The death of a program of the fleet is among what is missing."""
    assert summary.missing(_summary(), ["archivist ended with code 1: KeyError"], STORES) == [
        "fleet: archivist ended with code 1: KeyError"
    ]


def test_the_page_shows_every_part() -> None:
    """Counts, models with cost, freshness, alerts with receivers, and addresses stand on the page."""
    text = show.as_text(_summary())
    for part in (
        "spans        9 of 9 (exact)",
        "1.500000",
        "tempo        p50 0.50 s, longest 1.00 s of 3 probes",
        "AgentErrorRateHigh price watcher: firing, sent to inbox",
        "firing to inbox: AgentErrorRateHigh price watcher: 40 % of runs fail",
        "http://127.0.0.1:9090",
        "Everything that a demo must show is there.",
    ):
        assert part in text


def test_the_page_shows_what_is_wrong() -> None:
    """Inexact tokens, unpriced and unreported calls, and what is missing stand on the page."""
    stored = [_row("gpt-4o", 2, 2, unpriced=1, unreported=1, cost_nano_usd=None)]
    made = _summary(models=summary.models([_call(1)], stored), missing=["cost: none."])
    text = show.as_text(made)
    assert "NOT EXACT, 1 calls unpriced, 1 calls without usage, input_tokens served 10" in text
    assert "total cost unpriced USD" in text
    assert text.endswith("Missing:\n  cost: none.")


def test_the_json_holds_what_the_page_says() -> None:
    """The JSON of a summary has the derived values too, and is JSON."""
    made = json.loads(json.dumps(show.as_json(_summary(missing=["a"]))))
    assert (made["cost_usd"], made["models"][0]["exact"], made["missing"]) == (1.5, True, ["a"])
    assert made["spans"] == {"expected": 9, "stored": 9}
