"""The end of a bench that somebody stops."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from spyglass.cli import INTERRUPTED
from tests.stack.conftest import alive

PATIENCE_SECONDS = 120


@contextmanager
def _bench(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Yield the command at work, with this folder for temporary files; it does not outlive the test."""
    command = [sys.executable, "-m", "spyglass", "bench", "warehouse", *words]
    environment = os.environ | {"TMPDIR": str(folder)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as bench:
        try:
            yield bench
        finally:
            bench.kill()


def _wait_until_it_says(bench: subprocess.Popen[str], words: str) -> None:
    assert bench.stderr
    assert any(words in line for line in bench.stderr), f"it ended before it said {words!r}"


@pytest.mark.stack
def test_sigterm_leaves_nothing(folder: Path) -> None:
    """A bench that gets SIGTERM, even twice, stops its warehouses, removes their files, and ends as by Ctrl-C."""
    with _bench(folder, "--parts", "questions", "--spans", "20000") as bench:
        _wait_until_it_says(bench, "loaded until")
        started = [process.pid for process in psutil.Process(bench.pid).children(recursive=True)]
        bench.terminate()
        bench.terminate()
        _, said = bench.communicate(timeout=PATIENCE_SECONDS)
    assert len(started) >= 4, "two warehouses, each with its supervisor"
    assert (bench.returncode, alive(started)) == (INTERRUPTED, [])
    assert "Traceback" not in said
    assert list(folder.iterdir()) == []
