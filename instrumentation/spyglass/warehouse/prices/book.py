"""Turn the prices of the genai-prices package into rows of ``model_prices``, exactly as the package computes them.

A row holds the prices of one name (provider and model as spans carry them) from one day to another. Within a row, steps
follow the package's service tiers, times of day and context sizes. A price that the package does not have falls back as
it does there: cached tokens to the price of input, those cached for an hour to that of other cache writes, reasoning to
that of output, audio to that of text, output to nothing.

Left out of what the package has: tokens of pictures and videos; seconds of audio, pages, pixels, characters and
searches, of which spans have no count; variants by route (OpenRouter) and by kind of search (Perplexity).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from importlib.metadata import version
from typing import Any

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

SOURCE = "genai-prices"
SOURCE_VERSION = version(SOURCE)  # the prices are part of the package
FIRST_DAY = datetime(1970, 1, 1, tzinfo=UTC)
LAST_DAY = datetime(2106, 1, 1, tzinfo=UTC)  # DateTime ends a month later

# gen_ai.provider.name → id in the package, where they differ. A provider of the package that is not here keeps its id.
_PROVIDERS = {
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "x_ai": "x-ai",
}
# service tier as spans carry it → what the package is asked for
TIERS = {
    "batch": {"processing": "batch"},
    "fast": {"service_tier": "fast", "speed": "fast"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
STANDARD = ""
_NANO_PER_USD = 10**9
_NOTHING = Decimal(0)
_CALLS_PER_PRICE = 1000  # requests are priced per thousand


@dataclass(frozen=True, slots=True)
class Step:
    """Hold prices in nano-USD per million tokens, and for what tier, from when in the day (s), above what input."""

    tier: str
    daily_from: int
    above: int
    input: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    output: int
    reasoning: int
    audio_input: int
    audio_cache_read: int
    audio_output: int

    @property
    def order(self) -> tuple[str, int, int]:
        """Return its place among the steps of a row: the standard (the empty tier) comes first."""
        return self.tier, self.daily_from, self.above


CONDITIONS = ("tier", "daily_from", "above")
TOKENS = tuple(name for name in Step.__slots__ if name not in CONDITIONS)


@dataclass(frozen=True, slots=True)
class Price:
    """Hold the prices of one name for one interval; ``request`` is nano-USD per call."""

    provider: str
    model: str
    valid_from: datetime
    valid_to: datetime
    steps: tuple[Step, ...]
    request: int
    source_model: str
    source: str = SOURCE
    source_version: str = SOURCE_VERSION

    def row(self) -> dict[str, Any]:
        """Return this as a row of ``model_prices``."""
        steps = {f"steps.{name}": [getattr(step, name) for step in self.steps] for name in Step.__slots__}
        return {
            "provider": self.provider,
            "model": self.model,
            "valid_from": int(self.valid_from.timestamp()),
            "valid_to": int(self.valid_to.timestamp()),
            **steps,
            "request": self.request,
            "source": self.source,
            "source_model": self.source_model,
            "source_version": self.source_version,
        }


def provider_id(provider: str) -> str:
    """Return the package's id of a provider as spans carry it; one that it does not know keeps its name."""
    return _PROVIDERS.get(provider, provider)


def names() -> Iterator[tuple[str, str]]:
    """Yield every provider and model of the package, providers under the names that spans carry."""
    spelled: dict[str, list[str]] = {}
    for name, identifier in _PROVIDERS.items():
        spelled.setdefault(identifier, []).append(name)
    for provider in get_snapshot().providers:
        for name in spelled.get(provider.id, [provider.id]):
            for model in provider.models:
                yield name, model.id


def prices(provider: str, model: str) -> list[Price]:
    """Return the prices of one name in order of time, by the package's own matching; [] for a name it does not know.

    Without a provider the package decides by the model's name. Times for which it has no price of input are left out.
    """
    identifier = provider_id(provider) or None
    try:
        found, info = get_snapshot().find_provider_model(model, None, identifier, None)
    except LookupError:
        return []
    source_model = f"{found.id}/{info.id}"
    starts = _starts(info)
    ends = [*starts[1:], LAST_DAY]
    found_prices = []
    for start, end in zip(starts, ends, strict=True):
        steps = tuple(_steps(info, start))
        if steps:
            request = _nano(_value(info.get_prices(start), "requests_kcount", 0), per=_CALLS_PER_PRICE)
            found_prices.append(Price(provider, model, start, end, steps, request, source_model))
    return found_prices


def _steps(info: ModelInfo, start: datetime) -> Iterator[Step]:
    """Yield the steps of the interval that begins here; none where input has no price at some time of the day."""
    standard = list(_steps_of_tier(info, start, STANDARD))
    if not standard:
        return
    yield from standard
    for tier in sorted(TIERS):
        steps = list(_steps_of_tier(info, start, tier))
        if [replace(step, tier=STANDARD) for step in steps] != standard:
            yield from steps


def _steps_of_tier(info: ModelInfo, start: datetime, tier: str) -> Iterator[Step]:
    times = _times_of_day(info)
    context = TIERS.get(tier)
    found = {seconds: info.get_prices(start + timedelta(seconds=seconds), context) for seconds in times}
    if all(price.input_mtok is not None for price in found.values()):
        for seconds, price in found.items():
            yield from (_step(price, tier, seconds, above) for above in _contexts(price))


def _step(price: ModelPrice, tier: str, seconds: int, above: int) -> Step:
    incoming = _value(price, "input_mtok", above)
    outgoing = _value(price, "output_mtok", above)
    read = _value(price, "cache_read_mtok", above, incoming)
    write = _value(price, "cache_write_mtok", above, incoming)
    audio = _value(price, "input_audio_mtok", above, incoming)
    return Step(
        tier=tier,
        daily_from=seconds,
        above=above,
        input=_nano(incoming),
        cache_read=_nano(read),
        cache_write=_nano(write),
        cache_write_1h=_nano(_value(price, "cache_write_1h_mtok", above, write)),
        output=_nano(outgoing),
        reasoning=_nano(_value(price, "output_reasoning_mtok", above, outgoing)),
        audio_input=_nano(audio),
        audio_cache_read=_nano(
            _value(price, "cache_audio_read_mtok", above, audio if price.cache_read_mtok is None else read)
        ),
        audio_output=_nano(_value(price, "output_audio_mtok", above, outgoing)),
    )


def _value(price: ModelPrice, key: str, above: int, absent: Decimal = _NOTHING) -> Decimal:
    """Return a price at the step that begins above this many input tokens."""
    found = getattr(price, key)
    if isinstance(found, TieredPrices):
        reached = [tier.price for tier in found.tiers if 0 < tier.start <= above]
        return reached[-1] if reached else found.base
    return absent if found is None else Decimal(found)


def _nano(usd: Decimal, per: int = 1) -> int:
    return int((usd * _NANO_PER_USD / per).to_integral_value(ROUND_HALF_UP))


def _contexts(price: ModelPrice) -> list[int]:
    tiered = [value for value in price.__dict__.values() if isinstance(value, TieredPrices)]
    return sorted({0, *(tier.start for value in tiered for tier in value.tiers)})


def _starts(info: ModelInfo) -> list[datetime]:
    days = {constraint.start_date for constraint in _constraints(info) if isinstance(constraint, StartDateConstraint)}
    return sorted({FIRST_DAY, *(_midnight(day) for day in days)})


def _times_of_day(info: ModelInfo) -> list[int]:
    windows = [constraint for constraint in _constraints(info) if isinstance(constraint, TimeOfDateConstraint)]
    return sorted({0, *(_seconds(end) for window in windows for end in (window.start_time, window.end_time))})


def _constraints(info: ModelInfo) -> list[StartDateConstraint | TimeOfDateConstraint]:
    conditions = [] if isinstance(info.prices, ModelPrice) else [each.constraint for each in info.prices]
    variants = [each.constraint for each in _variants(info)]
    return [constraint for constraint in (*conditions, *variants) if constraint is not None]


def _variants(info: ModelInfo) -> list[PriceVariant]:
    """Return the prices of tiers."""
    known = [context.items() for context in TIERS.values()]
    return [each for each in info.price_variants or () if any(each.when.items() <= context for context in known)]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _seconds(moment: time) -> int:
    """Return the second of the day, UTC; a time without a zone is UTC."""
    whole = datetime.combine(FIRST_DAY, moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    return whole.hour * 3600 + whole.minute * 60 + whole.second
