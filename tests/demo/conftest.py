from __future__ import annotations

from collections.abc import Iterator

import pytest

from spyglass.demo.provider import Provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Serve the fake provider on a free port, without any waiting."""
    with Provider(seed="test") as running:
        yield running
