import json
import math

import pytest

from spyglass.bench.figures import Figure, lines, percentile


@pytest.mark.parametrize(
    ("figure", "ok"),
    [
        (Figure("a", 1.0, "s"), None),
        (Figure("a", 1.0, "s", 1.0), True),
        (Figure("a", 1.1, "s", 1.0), False),
        (Figure("a", 0.9, "s", 1.0, exact=True), False),
        (Figure("a", 1.0, "s", 1.0, exact=True), True),
        (Figure("a", 0.9, "x", 1.0, least=True), False),
        (Figure("a", 1.1, "x", 1.0, least=True), True),
        (Figure("a", math.nan, "s", 1.0), False),
        (Figure("a", math.nan, "s", 1.0, least=True), False),
    ],
)
def test_goals(figure: Figure, ok: bool | None) -> None:  # noqa: FBT001 -- the expectation
    """A goal is an upper or a lower bound or an exact value; a figure that could not be measured misses it."""
    assert figure.ok is ok


def test_percentile_is_a_value_that_was_measured() -> None:
    """The percentile is the nearest rank, so it is one of the values."""
    assert percentile([5.0, 1.0, 3.0], 0.5) == 3.0
    assert percentile(list(map(float, range(1, 201))), 0.95) == 190.0
    assert math.isnan(percentile([], 0.95))


def test_lines() -> None:
    """JSON has one object per figure with its verdict; the table says where a goal is missed."""
    missed = Figure("age", 2.0, "s", 1.0)
    (line,) = lines([missed], as_json=True)
    assert json.loads(line) == {"name": "age", "value": 2.0, "unit": "s", "goal": 1.0, "ok": False}
    assert lines([missed], as_json=False)[0].endswith("MISSED")


def test_whole_numbers_are_written_in_full() -> None:
    """A count that is one too small looks so in the table."""
    assert "19,999 spans" in lines([Figure("stored", 19_999, "spans", 20_000, exact=True)], as_json=False)[0]


def test_an_unknown_value_is_null() -> None:
    """JSON has no NaN: what could not be measured is null, and misses its goal."""
    (line,) = lines([Figure("age", math.nan, "s", 1.0)], as_json=True)
    assert (json.loads(line)["value"], json.loads(line)["ok"]) == (None, False)
