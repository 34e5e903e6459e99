"""Real frameworks of the development environment through ``spyglass run``: what they did is what is counted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.frameworks import live
from tests.frameworks.catalogue import Framework, frameworks

HERE = [framework for framework in frameworks().values() if framework.here]
pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("frameworks")]


@pytest.fixture(scope="module")
def stack() -> Iterator[live.Live]:
    """Run a warehouse and a collector."""
    with live.started() as running:
        yield running


@pytest.mark.parametrize("framework", HERE, ids=lambda framework: framework.name)
def test_what_a_program_did_is_counted(framework: Framework, stack: live.Live, tmp_path: Path) -> None:
    """Calls, tokens, tool calls and agents are counted as they were, or what is missing is named."""
    outcome = stack.run(framework, Path(sys.executable), tmp_path)
    assert outcome.problem == ""
    assert outcome.verdict.exact


def test_a_program_that_fails_is_named(stack: live.Live, tmp_path: Path) -> None:
    """A program that ends with another code than 0 is no outcome."""
    missing = HERE[0]._replace(name="missing")
    with pytest.raises(live.ProgramFailedError, match="its program ended with 2: spyglass: There is no file"):
        stack.run(missing, Path(sys.executable), tmp_path)
