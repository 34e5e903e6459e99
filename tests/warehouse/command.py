"""Run the spyglass command against a warehouse of the tests."""

from __future__ import annotations

import subprocess
import sys

from tests.warehouse.wire import Server


def spyglass(server: Server, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "spyglass", *words],
        env=server.environment | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
