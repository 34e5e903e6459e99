"""Provide warehouses to the tests: one for all that leave it as it was, and new ones for those that break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.warehouse.fleet import Fleet, fill
from tests.warehouse.wire import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Run one warehouse for all tests that only add rows of their own."""
    running = Server()
    try:
        yield running.start()
    finally:
        running.remove()


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """Run one warehouse for the tests of a module, which may empty its tables."""
    running = Server()
    try:
        yield running.start()
    finally:
        running.remove()


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """Run one warehouse with two weeks of a fleet for all tests that only ask."""
    running = Server()
    try:
        yield fill(running.start())
    finally:
        running.remove()


@pytest.fixture
def new_server() -> Iterator[Callable[..., Server]]:
    """Give warehouses of the test's own, not yet started, with these settings."""
    made: list[Server] = []

    def make(**settings: str) -> Server:
        made.append(Server({f"SPYGLASS_{name.upper()}": value for name, value in settings.items()}))
        return made[-1]

    try:
        yield make
    finally:
        for running in made:
            running.remove()
