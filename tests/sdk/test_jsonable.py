"""Objects of all kinds as JSON, within bounds."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spyglass
from spyglass.sdk.jsonable import MAX_NODES, Jsonable, encode
from spyglass.testing import capture
from tests.sdk.values import JSON


class Colour(enum.Enum):
    """An enumeration."""

    RED = "red"


@dataclasses.dataclass
class Point:
    """A dataclass."""

    x: int
    y: Any


class Model:
    """An object as pydantic makes them."""

    def model_dump(self) -> dict[str, Any]:
        """Return the fields."""
        return {"model": True}


class Hostile:
    """An object that raises whatever is asked of it."""

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return Hostile
        raise RuntimeError(name)

    def __str__(self) -> str:
        raise RuntimeError("str")


class Text(str):  # noqa: SLOT000 -- an ordinary subclass
    """A subclass of str that lies."""

    def __str__(self) -> str:
        return "lie"


class Endless(dict[str, Any]):
    """A mapping that never ends."""

    def items(self) -> Iterator[tuple[str, Any]]:  # type: ignore[override]
        """Return items without end."""
        while True:
            yield "k", 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({1: "a", None: "b"}, {"1": "a", "None": "b"}),
        ((1, 2), [1, 2]),
        ({3}, [3]),
        (Colour.RED, "red"),
        (Point(1, Colour.RED), {"x": 1, "y": "red"}),
        (Model(), {"model": True}),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (Decimal("1.50"), "1.50"),
        (b"abc", "<3 bytes>"),
        (float("inf"), "inf"),
        (Text("true"), "true"),
        (Point, "Point"),
    ],
)
def test_objects_become_json(value: Any, expected: Any) -> None:
    """Objects of all kinds have a readable form, and nothing raises."""
    assert Jsonable(1_000)(value) == expected


def test_an_object_that_raises_at_every_touch_is_a_word() -> None:
    """An unreadable object does not keep the others from being read."""
    assert Jsonable(1_000)([Hostile(), 1]) == ["<unreadable Hostile>", 1]


def test_cycles_depth_and_size_are_bounded() -> None:
    """A cycle, an endless mapping, a deep and a huge object end within bounds, and say that they were cut."""
    cycle: list[Any] = [1]
    cycle.append(cycle)
    assert Jsonable(100)(cycle) == [1, "<cycle>"]
    assert Jsonable(100)(10**5_000) == hex(10**5_000)[:256]
    deep: Any = "bottom"
    for _ in range(10_000):
        deep = [deep]
    for value in (deep, list(range(10 * MAX_NODES)), Endless(), ["x" * 100] * 1_000):
        converter = Jsonable(100)
        assert len(encode(converter(value))) < 200_000
        assert converter.truncated


@settings(max_examples=300)
@given(JSON, st.integers(min_value=0, max_value=50))
def test_any_object_like_json_can_be_an_argument(value: Any, limit: int) -> None:
    """Arguments of any shape become JSON that can be read, never longer texts than the limit."""

    def check(found: Any) -> None:
        if isinstance(found, str):
            assert len(found) <= max(limit, 32)
        elif isinstance(found, list):
            for item in found:
                check(item)
        elif isinstance(found, dict):
            for item in found.values():
                check(item)

    found = json.loads(encode(Jsonable(limit)(value)))
    if not isinstance(value, int | float):
        check(found)


def test_a_card_number_as_a_number_leaves_json_that_can_be_read() -> None:
    """A bare number that is redacted becomes text first, so the JSON stays JSON."""
    with capture(content="full") as captured, spyglass.tool("t") as tool:
        tool.arguments({"card": 4111111111111111, "order": 1763718000000})
    assert json.loads(captured.attributes("execute_tool t")["gen_ai.tool.call.arguments"]) == {
        "card": "[redacted]",
        "order": 1763718000000,
    }
