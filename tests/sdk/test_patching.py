"""Replacing methods of somebody else's classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from spyglass.sdk.patching import replace, replace_all


class Base:
    """Have a method."""

    def word(self) -> str:
        """Say it."""
        return "word"


class Child(Base):
    """Inherit it."""


def louder(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make what it says louder."""
    return lambda self: original(self).upper()


def test_a_replacement_is_taken_back() -> None:
    """The method keeps its name, and after undo the class is as it was, an inherited method included."""
    for owner in (Base, Child):
        before = dict(vars(owner))
        undo = replace(owner, "word", louder)
        assert (owner().word(), owner.word.__name__) == ("WORD", "word")
        undo()
        assert dict(vars(owner)) == before
        undo()
        assert owner().word() == "word"


def test_a_replacement_on_top_stays() -> None:
    """Undo leaves alone what somebody else has put on top since."""
    undo = replace(Base, "word", louder)
    theirs = replace(Base, "word", lambda original: lambda self: original(self) + "!")
    undo()
    assert Base().word() == "WORD!"
    theirs()
    assert Base().word() == "WORD"
    undo()
    assert Base().word() == "word"


def test_where_a_name_is_missing_nothing_is_replaced() -> None:
    """Several replacements are all or none."""
    with pytest.raises(AttributeError):
        replace_all((Base, "word", louder), (Base, "missing", louder))
    assert Base().word() == "word"
