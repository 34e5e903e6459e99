"""The SDK works on every OpenTelemetry from 1.39 on, because one process holds frameworks that disagree about it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sdk.receiver import Receiver

ROOT = Path(__file__).parents[2]
SMOKE = Path(__file__).parent / "scripts" / "smoke.py"
QUIET_FORK = "ignore:This process:DeprecationWarning"  # Python 3.12 and newer, at every fork beside a thread
PACKAGES = ("opentelemetry-api", "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http")


def check(python: Path, endpoint: str, receiver: Receiver) -> str:
    """Run the smoke program, look at what arrived, and return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "instrumentation")}
    done = subprocess.run(
        [str(python), "-W", QUIET_FORK, str(SMOKE), endpoint],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "WARNING:app:working\n"
    names = sorted(span["name"] for span in receiver.spans())
    assert names == [
        "chat m",
        "execute_tool add",
        "execute_tool broken",
        "execute_tool child",
        "execute_tool numbers",
        "invoke_agent a",
    ]
    agent = next(span for span in receiver.spans() if span["name"] == "invoke_agent a")
    assert "[redacted] ?" in agent["attributes"]["gen_ai.input.messages"]
    child, other = (next(s["resource"] for s in receiver.spans() if s["name"] == n) for n in (names[3], names[1]))
    assert child["service.instance.id"] != other["service.instance.id"]
    assert {log["event_name"] for log in receiver.logs()} == {"", "gen_ai.evaluation.result"}
    assert "spyglass.sdk.queue.size" in receiver.metric_names()
    return done.stdout.strip()


def test_the_installed_version_works(receiver: Receiver) -> None:
    """The smoke program works with the OpenTelemetry of this environment."""
    assert check(Path(sys.executable), receiver.endpoint, receiver)


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv makes the environment")
def test_the_oldest_supported_version_works(receiver: Receiver, tmp_path: Path) -> None:
    """The smoke program works with OpenTelemetry 1.39, in an environment of its own."""
    uv = str(shutil.which("uv"))
    home = tmp_path / "environment"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(home)], check=True, timeout=120)
    python = home / "bin" / "python"
    wanted = [*(f"{package}==1.39.*" for package in PACKAGES), "packaging"]
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), *wanted], check=True, timeout=300)
    assert check(python, receiver.endpoint, receiver).startswith("1.39.")
