"""Costs are those of the genai-prices package, to the nano-dollar, for every model, tier, usage and time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from spyglass.warehouse.prices import book as price_book
from spyglass.warehouse.statements import literal
from tests.warehouse.wire import Server

# Some ids of the package do not match themselves: no span carries them.
NAMES = [name for name in sorted(set(price_book.names())) if price_book.prices(*name)]
STEPS = {name: [step for price in price_book.prices(*name) for step in price.steps] for name in NAMES}
WITH_TIERS = [name for name, steps in STEPS.items() if any(step.tier for step in steps)]
WITH_AUDIO = [name for name, steps in STEPS.items() if any(step.audio_input != step.input for step in steps)]
# The package's data has prices such as 0.08333333333333334 USD per million tokens (a third, computed): ours are whole
# nano-USD per million tokens, so such a price may differ by half a nano-USD per million tokens.
FINEST_USD_PER_MILLION = Decimal(1).scaleb(-9)


# part of a usage → what the package calls it
PARTS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "reasoning": "output_reasoning_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "audio_input": "input_audio_tokens",
    "audio_cache_read": "cache_audio_read_tokens",
    "audio_output": "output_audio_tokens",
}


def _nano_usd(call: dict[str, Any]) -> int | None:
    """Return the package's own cost, or None where it knows no price of input."""
    provider, model, at = call["provider"], call["model"], call["at"]
    snapshot = get_snapshot()
    found, info = snapshot.find_provider_model(model, None, price_book._PROVIDERS.get(provider, provider), None)
    if info.get_prices(at).input_mtok is None:
        return None
    # of two caches, the one for five minutes is what is not said to be another
    given_usage = Usage(**{PARTS[name]: value for name, value in call["counts"].items()})
    context = price_book.TIERS.get(call["tier"])
    total = info.calc_price(given_usage, found, genai_request_timestamp=at, price_context=context).total_price
    return int((total * 10**9).to_integral_value(ROUND_HALF_UP))


def _tolerance(provider: str, model: str, counts: dict[str, int]) -> int:
    fine = any(_is_fine(price) for price in _library_prices(provider, model))
    return 1 + sum(counts.values()) // 2_000_000 if fine else 0


def _library_prices(provider: str, model: str) -> Iterator[Decimal]:
    _, info = get_snapshot().find_provider_model(model, None, price_book._PROVIDERS.get(provider, provider), None)
    conditions = [info.prices] if not isinstance(info.prices, list) else [each.prices for each in info.prices]
    for price in [*conditions, *(variant.prices for variant in info.price_variants or ())]:
        for value in price.__dict__.values():
            if isinstance(value, Decimal):
                yield value
            elif value is not None:
                yield from (value.base, *(tier.price for tier in value.tiers))


def _is_fine(price: Decimal) -> bool:
    return price % FINEST_USD_PER_MILLION != 0


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a model of the package, a tier, a usage that it could have, and a time."""
    provider, model = draw(st.sampled_from(draw(st.sampled_from([NAMES, WITH_TIERS, WITH_AUDIO]))))
    largest = draw(st.sampled_from([10, 5_000, 400_000, 100_000_000]))
    tokens = st.integers(0, largest)
    plain, read, short, long, audio, cached_audio, text, reasoning, speech = (draw(tokens) for _ in range(9))
    if not draw(st.booleans()):
        long = audio = cached_audio = speech = 0
    counts = {
        "input": plain + read + short + long + audio + cached_audio,
        "output": text + reasoning + speech,
        "cache_read": read + cached_audio,
        "cache_write": short + long,
        "reasoning": reasoning,
        "cache_write_1h": long,
        "audio_input": audio + cached_audio,
        "audio_cache_read": cached_audio,
        "audio_output": speech,
    }
    seconds = draw(st.integers(0, 4 * 365 * 86_400))
    return {
        "provider": provider,
        "model": model,
        "tier": draw(st.sampled_from(["", "standard", *price_book.TIERS])),
        "counts": counts,
        "at": datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds),
    }


def _costs(server: Server, drawn: list[dict[str, Any]], function: str) -> list[int | None]:
    """Return what a function of the warehouse makes of the calls."""
    fixed = ("provider", "model", "tier")
    lines = [
        {"n": n, "moment": int(call["at"].timestamp())} | {name: call[name] for name in fixed} | call["counts"]
        for n, call in enumerate(drawn)
    ]
    structure = "n UInt32, provider String, model String, tier String, moment DateTime('UTC')" + "".join(
        f", {name} Nullable(UInt64)" for name in PARTS
    )
    data = "\n".join(json.dumps(line) for line in lines)
    answer = server.sql(
        f"SELECT {function} FROM format(JSONEachRow, {literal(structure)}, {literal(data)}) ORDER BY n",
        max_query_size="1000000",
    )
    return [None if line == "\\N" else int(line) for line in answer.splitlines()]


CALL = (
    "spyglass_call_cost_nano_usd('llm', provider, model, tier, moment, input, output, cache_read, cache_write, "
    "reasoning, cache_write_1h, audio_input, audio_cache_read, audio_output)"
)
FIRST_SIGHT = (
    "spyglass_cost_nano_usd('llm', provider, model, moment, input, output, cache_read, cache_write, reasoning)"
)


@settings(max_examples=40, deadline=None)
@given(drawn=st.lists(calls(), min_size=20, max_size=40))
def test_cost_is_the_packages(server: Server, drawn: list[dict[str, Any]]) -> None:
    """For any model, tier, usage and time, the warehouse and the package agree to the nano-dollar."""
    for call, cost in zip(drawn, _costs(server, drawn, CALL), strict=True):
        expected = _nano_usd(call)
        if expected is None or cost is None:
            assert cost == expected, call
        else:
            assert abs(cost - expected) <= _tolerance(call["provider"], call["model"], call["counts"]), (call, expected)


@settings(max_examples=10, deadline=None)
@given(drawn=st.lists(calls(), min_size=20, max_size=40))
def test_the_first_sight_is_the_standard(server: Server, drawn: list[dict[str, Any]]) -> None:
    """The figure that spans get at insert is that of the standard tier, without audio and long caches."""
    parts = ("cache_write_1h", "audio_input", "audio_cache_read", "audio_output")
    plain = [call | {"tier": "", "counts": call["counts"] | dict.fromkeys(parts, 0)} for call in drawn]
    assert _costs(server, drawn, FIRST_SIGHT) == _costs(server, plain, CALL)


def test_only_computed_prices_are_rounded() -> None:
    """The list of prices that differ from the package's: all are cache writes and like figures with 16 decimals."""
    fine = {(p, m) for p, m in NAMES for price in _library_prices(p, m) if _is_fine(price)}
    assert {provider for provider, _ in fine} <= {"openrouter", "huggingface_together"}
    assert len(fine) < 40


@pytest.mark.parametrize(
    ("provider", "model", "source"),
    [
        ("gcp.gemini", "gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("gcp.vertex_ai", "gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("gcp.gen_ai", "gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("azure.ai.openai", "gpt-4o", "azure/gpt-4o"),
        ("x_ai", "grok-3", "x-ai/grok-3"),
        ("mistral_ai", "mistral-large-latest", "mistral/mistral-large"),
        ("aws.bedrock", "anthropic.claude-3-5-sonnet-20240620-v1:0", "aws/"),
        ("", "gpt-4o", "openai/gpt-4o"),
        ("openai", "", ""),
        ("langchain", "gpt-4o", ""),
    ],
)
def test_providers_of_the_conventions(provider: str, model: str, source: str) -> None:
    """OpenTelemetry's provider names find the package's; a name that is no provider is not guessed."""
    found = price_book.prices(provider, model)
    assert (found[0].source_model if found else "").startswith(source)
    assert bool(found) == bool(source)
