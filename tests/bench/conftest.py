"""What tests of the benches share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """Provide a folder that the engine's user may enter, which those of pytest are not."""
    with TemporaryDirectory(prefix="spyglass-bench-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
