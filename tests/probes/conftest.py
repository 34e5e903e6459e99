"""Give the tests of the probes a false machine, a clock, and a place for metrics to arrive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spyglass.probes.host import HostProbe
from tests.probes.receiver import Receiver
from tests.probes.trees import Clock, Make, Tree, space


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Return the false /proc and /sys of a modern machine."""
    return Tree(tmp_path)


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still."""
    return Clock()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a running OTLP receiver."""
    with Receiver() as running:
        yield running


@pytest.fixture
def make(tree: Tree, clock: Clock) -> Make:
    """Return a function that makes the host probe of the false machine."""
    fixed: dict[str, Any] = {"clock": clock, "statvfs": lambda _: space(), "ticks_per_second": 100}
    return lambda **changed: HostProbe(tree.root, **{**fixed, **changed})
