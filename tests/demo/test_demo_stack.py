"""Run the demo on a real stack, and look at what it says about it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from spyglass.cli import main
from spyglass.stack.local import LocalStack


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """Start a whole stack for the tests of this module."""
    with LocalStack() as running:
        yield running


def _demo(stack: LocalStack, *words: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "SPYGLASS_DATA_DIR": stack.settings.data_dir,
        "SPYGLASS_PORT_OFFSET": str(stack.settings.port_offset),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "spyglass", "demo", "--json", *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_demo_needs_a_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a running stack the demo is one sentence that says how to start it."""
    monkeypatch.setenv("SPYGLASS_DATA_DIR", str(tmp_path))
    assert main(["demo"]) == 1
    assert "No stack runs" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--seconds", "0"], ["--rate", "-1"], ["--seconds", "inf"], ["--content", "some"]])
def test_bad_options_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A time or rate that is not positive, and an unknown level of content, are refused with usage."""
    with pytest.raises(SystemExit) as raised:
        main(["demo", *words])
    assert raised.value.code == 2
    assert words[0] in capsys.readouterr().err


@pytest.mark.stack
def test_a_demo_shows_everything(stack: LocalStack) -> None:
    """Spans, runs and tokens are exact, costs are there and unpriced ones visible, all stores fresh, the alert sent."""
    process = _demo(stack, "--seconds", "25", "--content", "full")
    out, err = process.communicate(timeout=180)
    summary = json.loads(out)
    assert summary["missing"] == [], err
    assert process.returncode == 0
    assert summary["spans"]["stored"] == summary["spans"]["expected"] > 200
    models = {model["model"]: model for model in summary["models"]}
    assert all(model["exact"] for model in models.values())
    assert models["gpt-5-mini"]["cost_usd"] > 0
    assert (models["acme-7b-slow"]["cost_usd"], models["acme-7b-slow"]["unpriced"] > 0) == (None, True)
    assert set(summary["freshness"]) == {"warehouse", "tempo", "prometheus"}
    assert any(row["alert"] == "AgentErrorRateHigh" for row in summary["notifications"])


@pytest.mark.stack
def test_ctrl_c_ends_a_demo_in_order(stack: LocalStack) -> None:
    """Ctrl-C stops the fleet at once, the summary comes all the same, and no program is left."""
    process = _demo(stack, "--seconds", "600")
    assert process.stderr is not None
    line = next(line for line in process.stderr if " spans; " in line and not line.startswith("0 runs"))
    programs = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    summary = json.loads(out)
    assert line
    assert summary["seconds"] < 300
    assert summary["spans"]["stored"] == summary["spans"]["expected"] > 0
    assert programs
    assert not any(program.is_running() for program in programs)
