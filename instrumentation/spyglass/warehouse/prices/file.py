"""Read the file of prices that goes before the package's.

    models:
      - provider: vllm
        model: my-llama
        valid_from: 2026-01-01            # or 2026-01-01T12:00:00Z
        valid_to: 2027-01-01              # exclusive; absent: no end
        usd_per_million_tokens: {input: 0.2, output: 0.6, cache_read: 0.02, cache_write: 0.25, reasoning: 0.6}
        usd_per_request: 0.001
      - provider: vllm
        model: my-qwen
        valid_from: 2026-01-01
        usd_per_million_tokens:           # steps: the last that fits a call counts, one of its tier where there is any
          - {input: 0.4, output: 1.2, cache_write_1h: 0.8, audio_input: 1, audio_cache_read: 0.1, audio_output: 3}
          - {above: 200000, input: 0.8, output: 2.4}
          - {daily_from: "22:30", input: 0.2, output: 0.6}
          - {tier: batch, input: 0.2, output: 0.6}
    resources:
      - {resource: gpu_hour, label: rack-7, valid_from: 2026-01-01, usd_per_hour: 2.1}

Of the prices only input has to be there; what is absent falls back within its step.
A label is that of a host; "" or none is every host.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from spyglass.errors import InputFileError, PriceError
from spyglass.warehouse.prices.amounts import FILE, amount, check_name, interval, period, stepped_price
from spyglass.warehouse.prices.book import CONDITIONS, TOKENS
from spyglass.warehouse.prices.rows import PriceFile, Row, overlapping

RESOURCES = ("cpu_core_hour", "memory_gb_hour", "gpu_hour")

# keys of each mapping → whether they have to be there
_LISTS = {"models": False, "resources": False}
_MODEL = {
    "provider": True,
    "model": True,
    "valid_from": True,
    "valid_to": False,
    "usd_per_million_tokens": True,
    "usd_per_request": False,
}
_STEP = {name: name == "input" for name in (*TOKENS, *CONDITIONS)}
_RESOURCE = {"resource": True, "label": False, "valid_from": True, "valid_to": False, "usd_per_hour": True}
_MAY_BE_EMPTY = ("provider", "label")


def read(path: str) -> PriceFile:
    """Read a file; raises InputFileError with the place of the first thing that is wrong."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})."
        raise InputFileError(path, problem, "Mend SPYGLASS_PRICES_FILE or unset it.") from None
    except ValueError:
        raise InputFileError(path, "it is not text.", "Save it as UTF-8.") from None
    return parse(text, path)


def parse(text: str, path: str) -> PriceFile:
    """Read the text of a file; an empty one has no prices. Raises InputFileError."""
    try:
        # every scalar stays the text that was written, so that no price goes through binary fractions
        data = yaml.load(text, Loader=yaml.BaseLoader) or {}  # noqa: S506 -- BaseLoader makes text, lists and mappings only
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise InputFileError(path, f"it is not YAML{where}.", "spyglass prices export shows the form.") from None
    try:
        _check_keys(data, _LISTS, nested=("models", "resources"))
    except PriceError as error:
        raise InputFileError(path, error.problem, error.remedy) from None
    models = _rows(path, "models", data.get("models"), _model, ("provider", "model"))
    return PriceFile(models, _rows(path, "resources", data.get("resources"), _resource, ("resource", "label")))


def _rows(path: str, key: str, items: Any, build: Callable[[Any], Row], identity: tuple[str, str]) -> list[Row]:
    if not isinstance(items or [], list):
        raise InputFileError(path, f"{key} is no list.", "Begin each of its entries with a dash.")
    found: dict[tuple[str, str], list[Row]] = {}
    rows = []
    for number, item in enumerate(items or [], start=1):
        try:
            row = build(item)
            others = found.setdefault((row[identity[0]], row[identity[1]]), [])
            _check_free(row, others, identity)
        except PriceError as error:
            raise InputFileError(path, f"{key}, entry {number}: {error.problem}", error.remedy) from None
        others.append(row)
        rows.append(row)
    return rows


def _model(item: Any) -> Row:
    _check_keys(item, _MODEL, nested=("usd_per_million_tokens",))
    given = item["usd_per_million_tokens"]
    steps = given if isinstance(given, list) else [given]
    for step in steps:
        _check_keys(step, _STEP)
    name, request = (item["provider"], item["model"]), item.get("usd_per_request", "0")
    return stepped_price(name, _interval(item), steps, request, FILE).row()


def _resource(item: Any) -> Row:
    _check_keys(item, _RESOURCE)
    if item["resource"] not in RESOURCES:
        raise PriceError(f"{item['resource']!r} is no resource.", f"Choose among {', '.join(RESOURCES)}.")
    check_name(item.get("label", ""))
    start, end = _interval(item)
    return {
        "resource": item["resource"],
        "label": item.get("label", ""),
        "valid_from": int(start.timestamp()),
        "valid_to": int(end.timestamp()),
        "nano_usd": amount("usd_per_hour", item["usd_per_hour"]),
        "source": FILE,
    }


def _interval(item: Mapping[str, str]) -> Any:
    return interval(item["valid_from"], item.get("valid_to", ""))


def _check_free(row: Row, others: list[Row], identity: tuple[str, str]) -> None:
    other = overlapping(row, others)
    if other is not None:
        name = " ".join(row[key] for key in identity)
        problem = f"{name} {period(row)} overlaps the entry of the same name {period(other)}."
        raise PriceError(problem, "Give the earlier one a valid_to.")


def _check_keys(item: Any, keys: Mapping[str, bool], nested: tuple[str, ...] = ()) -> None:
    """Raise PriceError unless this is a mapping with these keys, whose values are texts where they are not nested."""
    known = ", ".join(keys)
    if not isinstance(item, dict):
        raise PriceError("there is no mapping of keys to values.", f"Its keys are {known}.")
    for key in [*item, *keys]:
        if key not in keys:
            raise PriceError(f"{key!r} is no key.", f"Its keys are {known}.")
        if keys[key] and key not in item:
            raise PriceError(f"{key} is missing.", f"Add {key}.")
        if key in item and key not in nested and not isinstance(item[key], str):
            raise PriceError(f"{key} is a list or a mapping.", "Write one value.")
        if keys[key] and not item[key] and key not in _MAY_BE_EMPTY:
            raise PriceError(f"{key} is empty.", f"Give {key} a value.")
