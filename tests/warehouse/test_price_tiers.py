"""Calls of a service tier, with audio, or writing to a cache of an hour, cost what is calculated here by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from spyglass import names
from spyglass.errors import InputFileError
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.prices import amounts
from spyglass.warehouse.prices import file as price_file
from spyglass.warehouse.prices import table as price_table
from tests.warehouse.calls import call, cost, finalise
from tests.warehouse.wire import Server, usage

pytestmark = pytest.mark.stack

Attributes = dict[str, str]
numbers = count(61_000)
NOVEMBER = datetime(2026, 11, 1, 9, tzinfo=UTC)
LONG = names.CACHE_WRITE_1H_TOKENS
AUDIO_IN, AUDIO_READ, AUDIO_OUT = (
    f"gen_ai.usage.audio.{part}_tokens" for part in ("input", "cache_read.input", "output")
)


@pytest.fixture(scope="module")
def admin(own_server: Server) -> Iterator[Warehouse]:
    """Provide the client that the finaliser works with."""
    client = own_server.client()
    yield client
    client.close()


# genai-prices, USD per million tokens since 2026-10-14: gpt-5.1 is 1.25 in, 10 out; batch and flex half of it, priority
# and fast twice. claude-sonnet-4-5: 3 in, 15 out, 3.75 cache write, 6 for an hour. gemini-2.5-flash: 0.30 in, 1.00
# audio in, 0.03 cache read, 0.10 audio from the cache, 2.50 out. gpt-realtime: 4 in, 32 audio in, 16 out, 64 audio out.
GPT: dict[str, Any] = {"model": "gpt-5.1", "provider": "openai", "input": 1000, "output": 100}
CLAUDE: dict[str, Any] = {"model": "claude-sonnet-4-5", "provider": "anthropic", "input": 1000, "output": 10}
GEMINI: dict[str, Any] = {"model": "gemini-2.5-flash", "provider": "gcp.gemini", "input": 1000, "output": 10}
VOICE: dict[str, Any] = {"model": "gpt-realtime", "provider": "openai", "input": 100, "output": 50}


def _costs(server: Server, admin: Warehouse, calls: Sequence[tuple[datetime, Attributes]]) -> list[int | None]:
    """Return what each call costs when the finaliser has been there."""
    rows = [call(next(numbers), at, attributes) for at, attributes in calls]
    server.insert("otel_traces", rows)
    finalise(admin)
    return [cost(server, row["TraceId"]) for row in rows]


def test_service_tiers(own_server: Server, admin: Warehouse) -> None:
    """The tier that answered counts, else the one that was asked for; one without a price has the standard's."""
    standard = 1000 * 1250 + 100 * 10_000
    cases: list[tuple[Attributes, int]] = [
        ({}, standard),
        ({"gen_ai.response.service_tier": "batch"}, 1000 * 625 + 100 * 5000),
        ({"openai.response.service_tier": "priority"}, 1000 * 2500 + 100 * 20_000),
        ({"openai.request.service_tier": "flex"}, 1000 * 625 + 100 * 5000),
        ({"gen_ai.request.service_tier": "FLEX"}, 1000 * 625 + 100 * 5000),
        ({"openai.request.service_tier": "priority", "openai.response.service_tier": "default"}, standard),
        ({"openai.request.service_tier": "auto"}, standard),
        ({"openai.response.service_tier": "one-that-has-no-price"}, standard),
    ]
    found = _costs(own_server, admin, [(NOVEMBER, usage(**GPT) | attributes) for attributes, _ in cases])
    assert found == [expected for _, expected in cases]


def test_a_cache_for_an_hour(own_server: Server, admin: Warehouse) -> None:
    """Of what is written to the cache, the part that is kept for an hour costs more; it is never more than all."""
    short = 400 * 3000 + 600 * 3750 + 10 * 15_000
    cases: list[tuple[Attributes, int | None]] = [
        ({}, short),
        ({LONG: "200"}, 400 * 3000 + 400 * 3750 + 200 * 6000 + 10 * 15_000),
        ({LONG: "601"}, None),
        ({LONG: "-1"}, short),
    ]
    written = usage(**CLAUDE, cache_write=600)
    found = _costs(own_server, admin, [(NOVEMBER, written | attributes) for attributes, _ in cases])
    assert found == [expected for _, expected in cases]


def test_audio(own_server: Server, admin: Warehouse) -> None:
    """Audio is a part of input, of cache reads and of output, with its own prices; a part above its whole is NULL."""
    cases: list[tuple[Attributes, int | None]] = [
        (usage(**GEMINI) | {AUDIO_IN: "600"}, 400 * 300 + 600 * 1000 + 10 * 2500),
        (
            usage(**GEMINI, cache_read=500) | {AUDIO_IN: "600", AUDIO_READ: "200"},
            100 * 300 + 300 * 30 + 400 * 1000 + 200 * 100 + 10 * 2500,
        ),
        (usage(**VOICE) | {AUDIO_IN: "80", AUDIO_OUT: "40"}, 20 * 4000 + 80 * 32_000 + 10 * 16_000 + 40 * 64_000),
        (usage(**VOICE) | {AUDIO_IN: "101"}, None),
        (usage(**VOICE) | {AUDIO_OUT: "51"}, None),
        (usage(**GEMINI, cache_read=100) | {AUDIO_IN: "600", AUDIO_READ: "200"}, None),
    ]
    assert _costs(own_server, admin, [(NOVEMBER, given) for given, _ in cases]) == [cost for _, cost in cases]


def test_steps_of_a_file(own_server: Server, admin: Warehouse) -> None:
    """The last step that fits counts: by size of the input, by time of the day, and only those of the call's tier."""
    steps = [
        {"input": "4"},
        {"above": "200000", "input": "8"},
        {"daily_from": "22:30", "input": "2"},
        {"tier": "batch", "input": "1"},
    ]
    price = amounts.stepped_price(("own", "stepped"), amounts.interval("", ""), steps, "0", amounts.OVERRIDE)
    price_table.put(admin, price)
    # hour, tier, tokens, USD per million
    cases = [
        (9, "", 200_000, 4),
        (9, "", 200_001, 8),
        (23, "", 100, 2),
        (23, "", 200_001, 2),
        (9, "batch", 100, 1),
        (9, "batch", 200_001, 1),
        (23, "batch", 100, 1),
    ]
    calls = [
        (
            NOVEMBER.replace(hour=hour),
            usage("stepped", "own", input=tokens, output=0) | {"gen_ai.response.service_tier": tier},
        )
        for hour, tier, tokens, _ in cases
    ]
    assert _costs(own_server, admin, calls) == [tokens * usd * 1000 for _, _, tokens, usd in cases]


STEPS = [
    ([{"input": "1"}, {"input": "2"}], "Two steps of the standard from 00:00 begin above the same input."),
    ([{"input": "1", "above": "5"}], "There is no price of the standard from 00:00 for small inputs."),
    ([{"input": "1", "tier": "batch"}], "There is no price of the standard at midnight."),
    (
        [{"input": "1"}, {"input": "1", "tier": "batch", "daily_from": "01:00"}],
        "There is no price of batch at midnight",
    ),
    ([{"input": "1", "daily_from": "24:00"}], "daily_from: '24:00' is no time of the day."),
    ([{"input": "1", "above": "-1"}], "above: '-1' is no count of tokens."),
    ([{"input": "1", "tier": "Batch"}], "tier: 'Batch' is no name of a tier."),
    ([{"output": "1"}], "input is missing. Add input."),
    ([], "usd_per_million_tokens is empty."),
]


@pytest.mark.parametrize(("steps", "sentence"), STEPS)
def test_bad_steps(steps: list[dict[str, str]], sentence: str) -> None:
    """Steps of which a call could find two or none are refused."""
    name = {"provider": "vllm", "model": "m", "valid_from": "2026-01-01"}
    entry = name | {"usd_per_million_tokens": steps}
    with pytest.raises(InputFileError) as caught:
        price_file.parse(json.dumps({"models": [entry]}), "p.yaml")
    assert str(caught.value).startswith(f"p.yaml: models, entry 1: {sentence}")
