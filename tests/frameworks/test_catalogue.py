"""What stands in the folder of each framework is whole."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.frameworks.catalogue import FOLDER, Framework, frameworks
from tests.frameworks.environments import CHECKOUT
from tests.frameworks.page import PAGE, versions

_PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ALL = list(frameworks().values())


def _names(text: str) -> list[str]:
    return [re.split(r"[=<>\[; ]", line, maxsplit=1)[0] for line in text.splitlines()]


def _of_spyglass(framework: Framework) -> set[str]:
    """Return what spyglass and its extras bring, less what extras take from each other."""
    extras = [line for extra in framework.extras for line in _PROJECT["optional-dependencies"][extra]]
    return {*_names("\n".join([*_PROJECT["dependencies"], *extras]))} - {"spyglass"}


def test_each_program_has_a_row() -> None:
    """Each folder with a program is in the table, and the table names no other."""
    assert sorted(path.parent.name for path in FOLDER.glob("*/app.py")) == [framework.name for framework in ALL]


@pytest.mark.parametrize("framework", ALL, ids=lambda framework: framework.name)
def test_locks_hold_what_is_required(framework: Framework) -> None:
    """A lock has an exact version of each requirement, shown package and part of spyglass, and no address."""
    lock = framework.lock.read_text(encoding="utf-8")
    required = _names(framework.requirements.read_text(encoding="utf-8"))
    assert {*required, *framework.shown, *_of_spyglass(framework)} <= set(_names(lock))
    assert all("==" in line for line in lock.splitlines())
    assert "://" not in lock


@pytest.mark.parametrize("framework", ALL, ids=lambda framework: framework.name)
def test_the_page_shows_what_is_locked(framework: Framework) -> None:
    """The page has a row of each framework in its locked version, so that other versions mean another run."""
    start = f"| {framework.name} | {versions(framework, framework.lock)} | "
    (row,) = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(start)]
    assert "different" not in row
