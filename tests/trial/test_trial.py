"""Real libraries tried in processes of their own: what is instrumented, what a call leaves, what is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from spyglass.demo.provider import Provider
from spyglass.sdk.registry.choice import Choice, choose
from spyglass.sdk.registry.tables import ways
from spyglass.sdk.report import Outcome
from spyglass.trial import trying
from spyglass.trial.calls import CALLS
from spyglass.trial.report import Trial
from tests.sdk.environments import beside
from tests.sdk.receiver import receiving

PROGRAM = """
from openai import OpenAI
print(OpenAI().chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "hello"}]).model)
"""
BROKEN = (
    "opentelemetry-instrumentation-mcp==0.62.4",
    "opentelemetry-instrumentation-openai-v2==2.4b0",
    "opentelemetry-instrumentation-genai-openai==1.3b0",  # without opentelemetry-util-genai, which it requires
    "openinference-instrumentation-anthropic==3.1.0",
)


def chosen(*libraries: str) -> list[Choice]:
    """Return what the registry chooses for these libraries here."""
    return list(choose(libraries, ways()))


def test_every_call_is_through_a_library_of_the_registry() -> None:
    """Each library that can be called is one that can be instrumented."""
    assert set(CALLS) <= set(ways())


@pytest.mark.parametrize("library", ["openai", "anthropic", "openai-agents", "langchain"])
def test_a_call_shows_what_arrives(library: str) -> None:
    """A call through an instrumented library leaves a span with the tokens and the text of the call."""
    (trial,) = trying.calls(chosen(library), "auto")
    assert (trial.outcome, trial.error, trial.tried) == (Outcome.INSTRUMENTED, "", True)
    assert trial.spans
    assert trial.input_tokens
    assert trial.output_tokens
    assert trial.content
    assert trial.traced is (library == "anthropic")


def test_a_tool_protocol_is_tried_without_a_model() -> None:
    """A call of an MCP tool leaves spans, no tokens, and asks no provider."""
    (trial,) = trying.calls(chosen("mcp"), "auto")
    assert trial.spans
    assert (trial.input_tokens, trial.traced) == (None, None)


def test_without_an_instrumentor_a_call_leaves_nothing() -> None:
    """A library that is not to be instrumented is called all the same, and its call leaves no span and no outcome."""
    (trial,) = trying.calls(chosen("openai"), "langchain")
    assert (trial.outcome, trial.tried, trial.spans, trial.input_tokens) == (None, True, 0, None)


def test_a_library_that_kills_its_process_costs_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a library takes the process down or cannot be imported, its row says so and the others are tried."""
    (tmp_path / "killing.py").write_text("import os, sys\nsys.stderr.write('out of order\\n')\nos._exit(3)\n")
    (tmp_path / "failing.py").write_text("raise ImportError('no module named moved')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (openai,) = chosen("openai")
    odd = [openai._replace(library=name, module=name) for name in ("failing", "killing")]
    found = list(trying.imports([*odd, openai], "auto"))
    assert found[0] == Trial("failing", None, error="ImportError: no module named moved")
    assert found[1] == Trial("killing", None, error="out of order")
    assert found[2].outcome is Outcome.INSTRUMENTED


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a path with packages that do not work with what is installed here."""
    return beside(tmp_path_factory.mktemp("broken"), *BROKEN)


def findings(path: str, *words: str, **environment: str) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    """Return the exit code of the doctor with these packages on the path, and its findings by check."""
    done = subprocess.run(
        [sys.executable, "-m", "spyglass", "doctor", "--json", *words],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in done.stdout.splitlines():
        row = json.loads(line)
        found[row["check"]].append(row)
    return done.returncode, found


def test_the_doctor_names_broken_pairs_with_their_remedies(broken: str, tmp_path: Path) -> None:
    """Each broken pair is a failure with its remedy; what works with them goes on working, and is named as well."""
    code, found = findings(broken, "--probe", "--data-dir", str(tmp_path), SPYGLASS_INSTRUMENT="openai,anthropic,mcp")
    assert code == 1
    said = [f"{row['sentence']} {row['remedy']}" for row in found["broken pairs"]]
    assert any("instrumentation-mcp 0.62.4 with mcp 2" in row and "Uninstall" in row for row in said)
    assert any("instrumentation-openai-v2 2.4b0 with openai 3" in row and "genai-openai instead" in row for row in said)
    assert any("instrumentation-genai-openai 1.3b0 needs opentelemetry-util-genai" in row for row in said)
    assert {row["verdict"] for row in found["broken pairs"]} == {"failed"}
    assert [row["verdict"] for row in found["instrumentation"]] == ["ok", "ok", "ok"]
    assert "openinference-instrumentation-openai" in found["instrumentation"][0]["sentence"]
    assert "anthropic 2" in found["instrumentation"][1]["sentence"]
    assert found["instrumentation"][1]["sentence"].endswith("reports itself")
    assert [row["verdict"] for row in found["calls"]] == ["ok", "ok", "ok"]


def test_the_doctor_says_what_is_switched_off(tmp_path: Path) -> None:
    """A library that the user switched off is a note that names the setting."""
    _, found = findings(
        "", "--data-dir", str(tmp_path), SPYGLASS_INSTRUMENT="anthropic", ANTHROPIC_OPEN_TELEMETRY="false"
    )
    (row,) = found["instrumentation"]
    assert row["verdict"] == "note"
    assert "ANTHROPIC_OPEN_TELEMETRY=false switches it off." in row["sentence"]


def test_a_program_runs_among_broken_pairs(broken: str, tmp_path: Path) -> None:
    """With broken instrumentors installed the program runs as before, and its call arrives once."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    with Provider() as provider, receiving() as receiver:
        done = subprocess.run(
            [sys.executable, "-m", "spyglass", "run", str(program)],
            env={
                **os.environ,
                **provider.environment(),
                "PYTHONPATH": broken,
                "SPYGLASS_ENDPOINT": receiver.endpoint,
                "SPYGLASS_PROBES": "none",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert len(provider.truth.calls()) == 1
        assert len(receiver.spans()) == 1
    assert (done.returncode, done.stdout) == (0, "gpt-5\n")
    assert "Traceback" not in done.stderr
