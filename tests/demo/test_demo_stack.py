"""Run the demo on a real stack, and look at what it says about it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, Page

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
def test_a_demo_shows_everything(stack: LocalStack, tmp_path: Path, chromium: Browser) -> None:
    """Spans, runs and tokens are exact, costs visible, stores fresh, the alert sent, and a page shows it all."""
    process = _demo(stack, "--seconds", "25", "--content", "full", "--report", str(tmp_path / "report.html"))
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
    assert summary["addresses"]["report"] == str(tmp_path / "report.html")
    _check_page(chromium, tmp_path / "report.html", summary)


def _check_page(chromium: Browser, path: Path, summary: dict[str, Any]) -> None:
    """Open the report as a user would, and find the summary's figures and every section's content on it."""
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    totals = dict(
        zip(page.locator("#totals dt").all_inner_texts(), page.locator("#totals dd").all_inner_texts(), strict=True)
    )
    assert totals["Runs"] == str(summary["runs"]["stored"])
    assert totals["Failed runs"] == str(summary["failed_runs"]["stored"])
    assert totals["Runs of single agents"] == str(summary["agent_runs"])
    assert totals["Model calls"] == str(sum(model["calls"]["stored"] for model in summary["models"]))
    assert page.locator("#runs tr").count() > 10
    answered = _column(page, "#models", 2)  # models as they call themselves: gpt-4o-2024-08-06
    assert all(any(name.startswith(model["model"]) for name in answered) for model in summary["models"])
    assert "AgentErrorRateHigh" in _column(page, "#alerts", 4)
    bars = [box for bar in page.locator(".lane i").all() if (box := bar.bounding_box())]
    assert len(bars) > 3
    assert all(box["width"] >= 2 and box["height"] > 5 for box in bars)
    assert max(box["width"] for box in bars) > 300
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert (asked, complaints) == ([path.as_uri()], [])


def _column(page: Page, section: str, number: int) -> set[str]:
    return set(page.locator(f"{section} td:nth-child({number})").all_inner_texts())


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
