"""The file of prices: what it means, what is wrong with a bad one, and that an export is one."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from spyglass.errors import InputFileError, PriceError
from spyglass.warehouse.prices import amounts, export
from spyglass.warehouse.prices import book as price_book
from spyglass.warehouse.prices import file as price_file
from spyglass.warehouse.prices.file import RESOURCES
from spyglass.warehouse.prices.rows import PriceFile

FIRST, LAST = 0, 4_291_747_200  # 1970 and 2106
TOKENS = price_book.TOKENS
MOMENTS = st.one_of(st.integers(FIRST, LAST), st.integers(0, LAST // 86_400).map(lambda day: day * 86_400))
NAMES = st.text(st.characters(codec="utf-8"), max_size=12).filter(str.isprintable)
PRICES = st.integers(0, 10**18 - 1).map(amounts.usd)


def _entry(**changes: Any) -> dict[str, Any]:
    entry = {"provider": "vllm", "model": "m", "valid_from": "2026-01-01", "usd_per_million_tokens": {"input": "1"}}
    return {key: value for key, value in (entry | changes).items() if value is not None}


def _file(*models: Any) -> str:
    return yaml.safe_dump({"models": list(models)})


def test_fallbacks_and_units() -> None:
    """Cached tokens cost as input, reasoning as output, where only those two are given; all is nano-USD inside."""
    text = _file(_entry(usd_per_million_tokens={"input": "0.25", "output": 2}, usd_per_request="0.001"))
    (row,) = price_file.parse(text, "f").models
    assert {name: row[f"steps.{name}"] for name in TOKENS} == {
        "input": [250_000_000],
        "output": [2_000_000_000],
        "cache_read": [250_000_000],
        "cache_write": [250_000_000],
        "reasoning": [2_000_000_000],
        "cache_write_1h": [250_000_000],
        "audio_input": [250_000_000],
        "audio_cache_read": [250_000_000],
        "audio_output": [2_000_000_000],
    }
    assert (row["request"], row["source"]) == (1_000_000, "file")
    assert (row["valid_from"], row["valid_to"]) == (1_767_225_600, LAST)


def test_times_with_a_zone() -> None:
    """A time is converted to UTC; a date is its midnight in UTC."""
    text = _file(_entry(valid_from="2026-01-01T02:00:00+02:00", valid_to="2026-01-02"))
    (row,) = price_file.parse(text, "f").models
    assert row["valid_to"] - row["valid_from"] == 86_400


def test_resources() -> None:
    """A resource has a price per hour, for one host or, without a label, for all."""
    text = "resources:\n- {resource: gpu_hour, valid_from: 2026-01-01, usd_per_hour: 2.1}\n"
    (row,) = price_file.parse(text, "f").resources
    assert (row["resource"], row["label"], row["nano_usd"], row["source"]) == ("gpu_hour", "", 2_100_000_000, "file")


@pytest.mark.parametrize("text", ["", "# nothing\n", "models:\nresources: []\n", "{}"])
def test_an_empty_file_has_no_prices(text: str) -> None:
    """A file without entries is a file: it takes the earlier ones back."""
    assert price_file.parse(text, "f") == PriceFile([], [])


def test_intervals_that_touch_do_not_overlap() -> None:
    """An end is exclusive, so the next price may begin there; other models may have any interval."""
    text = _file(_entry(valid_to="2026-02-01"), _entry(valid_from="2026-02-01"), _entry(model="n"))
    assert len(price_file.parse(text, "f").models) == 3


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (_entry(colour="red"), "'colour' is no key. Its keys are provider, model,"),
        (_entry(usd_per_million_tokens={"inptu": 1}), "'inptu' is no key. Its keys are input, cache_read,"),
        (_entry(usd_per_million_tokens={"output": 1}), "input is missing. Add input."),
        (_entry(usd_per_million_tokens="1"), "there is no mapping of keys to values. Its keys are input,"),
        (_entry(usd_per_million_tokens={"input": ["1"]}), "input is a list or a mapping. Write one value."),
        (_entry(usd_per_million_tokens={"input": "-1"}), "input: -1 is no price. A price is finite and not negative"),
        (_entry(usd_per_million_tokens={"input": ".inf"}), "input: '.inf' is not a number."),
        (_entry(usd_per_million_tokens={"input": "Infinity"}), "input: Infinity is no price. A price is finite"),
        (_entry(usd_per_million_tokens={"input": "nan"}), "input: nan is no price."),
        (_entry(usd_per_million_tokens={"input": "cheap"}), "input: 'cheap' is not a number."),
        (_entry(usd_per_million_tokens={"input": "0.1234567891"}), "input: 0.1234567891 has more than 9 decimals."),
        (_entry(usd_per_million_tokens={"input": "1e-99999999"}), "input: 1e-99999999 has more than 9 decimals."),
        (_entry(usd_per_million_tokens={"input": "1e99999"}), "input: 1e99999 USD is too much."),
        (_entry(usd_per_request="1e-10"), "request: 1e-10 has more than 9 decimals."),
        (_entry(valid_to="2026-01-01"), "It ends at 2026-01-01, not after its start."),
        (_entry(valid_to="2025-12-31"), "It ends at 2025-12-31, not after its start."),
        (_entry(valid_from="yesterday"), "'yesterday' is no time. Write a date (2026-01-31)"),
        (_entry(valid_from="2026-02-30"), "'2026-02-30' is no time."),
        (_entry(valid_from="2026-01-01T00:00:00"), "'2026-01-01T00:00:00' is no time."),
        (_entry(valid_from="0001-01-01T00:00:00+23:00"), "'0001-01-01T00:00:00+23:00' is no time."),
        (_entry(valid_from="1969-12-31"), "1969-12-31 is out of range."),
        (_entry(valid_from=""), "valid_from is empty."),
        (_entry(model=None), "model is missing. Add model."),
        (_entry(model=""), "model is empty."),
        (_entry(model="a\tb"), "'a\\tb' is no name."),
        ("gpt-4o", "there is no mapping of keys to values."),
        (_entry(), "vllm m from 2026-01-01 overlaps the entry of the same name from 2026-01-01."),
    ],
)
def test_bad_models(entry: Any, sentence: str) -> None:
    """Each mistake is a sentence that names the file, the entry, what is wrong and how to mend it."""
    with pytest.raises(InputFileError) as caught:
        price_file.parse(_file(_entry(), entry), "p.yaml")
    assert str(caught.value).startswith(f"p.yaml: models, entry 2: {sentence}")
    assert caught.value.remedy.endswith((".", "free."))
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("{resource: disk, valid_from: 2026-01-01, usd_per_hour: 1}", "'disk' is no resource. Choose among cpu_core"),
        ("{resource: gpu_hour, valid_from: 2026-01-01}", "usd_per_hour is missing."),
        ("{resource: gpu_hour, valid_from: 2026-01-01, usd_per_hour: -1}", "usd_per_hour: -1 is no price."),
        ("{resource: gpu_hour, valid_from: 2026-01-01, usd_per_hour: 1, host: x}", "'host' is no key."),
        ('{resource: gpu_hour, label: "\\u0007", valid_from: 2026-01-01, usd_per_hour: 1}', "'\\x07' is no name."),
    ],
)
def test_bad_resources(entry: str, sentence: str) -> None:
    """Resources are checked as models are."""
    with pytest.raises(InputFileError) as caught:
        price_file.parse(f"resources:\n- {entry}\n", "p.yaml")
    assert str(caught.value).startswith(f"p.yaml: resources, entry 1: {sentence}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("models: [", "p.yaml: it is not YAML (line 2)."),
        ("[" * 100_000, "p.yaml: it is not YAML"),
        ("? {a: b}\n: c", "p.yaml: it is not YAML"),
        ("just words", "p.yaml: there is no mapping of keys to values. Its keys are models, resources."),
        ("prices: []", "p.yaml: 'prices' is no key."),
        ("models: 3", "p.yaml: models is no list."),
        ("models: {a: b}", "p.yaml: models is no list."),
    ],
)
def test_bad_files(text: str, sentence: str) -> None:
    """What is no file of prices at all is said so."""
    with pytest.raises(InputFileError) as caught:
        price_file.parse(text + "\n" if text == "models: [" else text, "p.yaml")
    assert str(caught.value).startswith(sentence)


def test_unreadable_files(tmp_path: Path) -> None:
    """A file that is absent, a folder or no text is one sentence."""
    with pytest.raises(InputFileError, match=r"it cannot be read \(No such file or directory\)\. Mend SPYGLASS_PRICES"):
        price_file.read(str(tmp_path / "absent.yaml"))
    with pytest.raises(InputFileError, match=r"it cannot be read \(Is a directory\)"):
        price_file.read(str(tmp_path))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputFileError, match="it is not text"):
        price_file.read(str(tmp_path / "binary"))


@given(nano=st.integers(0, 10**18 - 1))
def test_no_price_is_rounded(nano: int) -> None:
    """Every whole nano-USD below a billion USD is written and read as itself."""
    assert amounts.nano_usd(amounts.usd(nano)) == nano
    assert Decimal(amounts.usd(nano)) * 10**9 == nano


@given(text=st.one_of(st.text(), st.floats().map(repr), st.decimals().map(str)))
def test_any_text_is_a_price_or_a_sentence(text: str) -> None:
    """Whatever is given for a price is read exactly, or refused as a PriceError."""
    try:
        nano = amounts.nano_usd(text)
    except PriceError:
        return
    assert Decimal(nano).scaleb(-9) == Decimal(text)


@given(text=st.text())
def test_any_text_is_a_file_or_a_sentence(text: str) -> None:
    """Whatever is in the file, reading it gives prices or an InputFileError."""
    with contextlib.suppress(InputFileError):
        price_file.parse(text, "f")


@st.composite
def files(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """Draw a file's entries: any names, prices and intervals that follow each other."""
    models = []
    for provider, model in draw(st.lists(st.tuples(NAMES, NAMES.filter(bool)), max_size=4, unique=True)):
        for interval in draw(_intervals()):
            steps = draw(st.one_of(_tokens(), _steps()))
            entry = {"provider": provider, "model": model, **interval, "usd_per_million_tokens": steps}
            models.append(entry | ({"usd_per_request": draw(PRICES)} if draw(st.booleans()) else {}))
    resources = [
        {"resource": resource, "label": label, **interval, "usd_per_hour": draw(PRICES)}
        for resource, label in draw(st.lists(st.tuples(st.sampled_from(RESOURCES), NAMES), max_size=3, unique=True))
        for interval in draw(_intervals())
    ]
    return {"models": models, "resources": resources}


@st.composite
def _tokens(draw: st.DrawFn) -> dict[str, str]:
    return {name: draw(PRICES) for name in TOKENS if name == "input" or draw(st.booleans())}


@st.composite
def _steps(draw: st.DrawFn) -> list[dict[str, str]]:
    """Draw the steps of a price: of the standard and of tiers, from midnight and from other times, for all inputs."""
    seconds = st.integers(0, 86_399).map(amounts.time_of_day)
    counts = st.integers(1, 10**12 - 1).map(str)
    steps = []
    for tier in ["", *draw(st.lists(st.sampled_from(["batch", "flex", "x-2"]), max_size=2, unique=True))]:
        for daily_from in {"00:00", *draw(st.lists(seconds, max_size=2))}:
            for above in {"0", *draw(st.lists(counts, max_size=2))}:
                when = {"tier": tier, "daily_from": daily_from, "above": above}
                steps.append(when | draw(_tokens()))
    return draw(st.permutations(steps))


@st.composite
def _intervals(draw: st.DrawFn) -> list[dict[str, str]]:
    ends = sorted(draw(st.lists(MOMENTS, min_size=2, max_size=5, unique=True)))
    pairs = itertools.pairwise(ends)
    return [{"valid_from": amounts.date(start), "valid_to": amounts.date(end)} for start, end in pairs]


@settings(deadline=None)
@given(entries=files(), form=st.sampled_from(["yaml", "json"]))
def test_an_export_is_a_file(entries: dict[str, list[dict[str, Any]]], form: str) -> None:
    """What is exported, as YAML or JSON, reads as the same prices; writing that again gives the same text."""
    book = price_file.parse(yaml.safe_dump(entries), "f")
    text = export.export(book.models, book.resources, form)
    again = price_file.parse(text, "exported")
    assert sorted(map(str, again.models)) == sorted(map(str, book.models))
    assert sorted(map(str, again.resources)) == sorted(map(str, book.resources))
    assert export.export(again.models, again.resources, form) == text


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_every_price_of_the_package_can_be_in_a_file(form: str) -> None:
    """A row with steps by tier, time of the day or size of the input is exported and read as the same price."""
    packaged = [price for name in sorted(set(price_book.names())) for price in price_book.prices(*name)]
    given_rows = [
        replace(price, source="file", source_model="", source_version="").row()
        for price in packaged
        if len(price.steps) > 1
    ]
    assert {tier for row in given_rows for tier in row["steps.tier"]} == {"", *price_book.TIERS}
    read = price_file.parse(export.export(given_rows, [], form), "exported").models
    assert sorted(map(str, read)) == sorted(map(str, given_rows))


def test_yaml_is_plain() -> None:
    """People read the export: prices are numbers without quotes or exponents, open ends are left out."""
    text = _file(_entry(usd_per_million_tokens={"input": "0.000000001", "output": "20"}))
    exported = export.export(price_file.parse(text, "f").models, [], "yaml")
    assert "    input: 0.000000001\n" in exported
    assert "    output: 20\n" in exported
    assert "valid_to" not in exported


def test_csv_has_a_line_per_price() -> None:
    """A table program gets models and resources under one line of names."""
    text = (
        _file(_entry(model="a,b")) + "resources:\n- {resource: gpu_hour, valid_from: 2026-01-01, usd_per_hour: 2.1}\n"
    )
    book = price_file.parse(text, "f")
    model, resource = csv.DictReader(io.StringIO(export.export(book.models, book.resources, "csv")))
    assert (model["model"], model["input"], model["output"], model["resource"]) == ("a,b", "1", "0", "")
    assert (resource["resource"], resource["usd_per_hour"], resource["model"]) == ("gpu_hour", "2.1", "")
