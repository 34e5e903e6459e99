"""Which libraries are instrumented, how often a call is counted, and what happens when it goes wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import spyglass
from spyglass.sdk import autoinstrument
from spyglass.sdk.libraries import LIBRARIES, Library
from spyglass.sdk.report import Outcome
from spyglass.testing import capture

FRAMEWORKS = Path(__file__).parent / "scripts" / "frameworks.py"
CALLS = ("openai", "openai_in_llm_call", "langchain", "langchain_asynchronous", "openai_agents", "anthropic")


@pytest.fixture(scope="module", params=["metadata", "full"])
def recorded(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Run the frameworks script with this setting of content."""
    done = subprocess.run(
        [sys.executable, str(FRAMEWORKS), request.param], capture_output=True, timeout=120, check=True, text=True
    )
    return {"content": request.param, **json.loads(done.stdout.splitlines()[-1])}


def test_libraries_are_instrumented_when_the_program_imports_them(recorded: dict[str, Any]) -> None:
    """init() imports no framework; each is instrumented at its import, and the outcome table says so."""
    assert recorded["imported"] == []
    assert recorded["before"] == {
        "openai": "waiting",
        "langchain": "waiting",
        "openai-agents": "waiting",
        "anthropic": "instrumented",
    }
    assert recorded["after"] == {
        "openai": ["instrumented", "openinference-instrumentation-openai"],
        "langchain": ["instrumented", "openinference-instrumentation-langchain"],
        "openai-agents": ["instrumented", "openinference-instrumentation-openai-agents"],
        "anthropic": ["instrumented", "native"],
    }
    assert sorted(set(recorded["events"])) == ["anthropic", "langchain", "openai", "openai-agents"]
    assert recorded["points"] == [[library, "instrumented", 1] for library in sorted(recorded["after"])]


def test_one_model_call_is_one_model_span(recorded: dict[str, Any]) -> None:
    """A call through a framework, or inside llm_call, is not reported a second time by the client's instrumentor."""
    for call in CALLS:
        assert len(recorded[call]) == 1, call
        assert recorded[call][0]["tokens"], call
        assert recorded[call][0]["session"] == "s", call
    assert recorded["openai_in_llm_call"][0]["scope"] == "spyglass"
    assert recorded["langchain"][0]["scope"].endswith("langchain")
    assert recorded["openai_agents"][0]["scope"].endswith("openai_agents")


def test_instrumentors_capture_texts_only_when_content_is_full(recorded: dict[str, Any]) -> None:
    """The setting content holds for instrumentors too."""
    for call in CALLS:
        if call != "openai_in_llm_call":
            assert recorded[call][0]["text"] is (recorded["content"] == "full"), call


def test_openai_agents_sends_nothing_to_its_vendor(recorded: dict[str, Any]) -> None:
    """The processor that posts traces to the vendor is taken away."""
    assert recorded["agents_processors"] == ["OpenInferenceTracingProcessor"]


def outcomes(monkeypatch: pytest.MonkeyPatch, *libraries: Library, **settings: Any) -> dict[str, tuple[Outcome, str]]:
    """Return outcome and detail of these libraries."""
    monkeypatch.setattr(autoinstrument, "LIBRARIES", libraries)
    with capture(**{"instrument": "auto", **settings}):
        return {row.library: (row.outcome, row.detail) for row in spyglass.instrumented()}


def module(name: str, monkeypatch: pytest.MonkeyPatch, **content: Any) -> None:
    """Make a module that can be imported."""
    made = ModuleType(name)
    made.__dict__.update(content)
    made.__spec__ = pytest.__spec__
    monkeypatch.setitem(sys.modules, name, made)


class Broken:
    """An instrumentor that fails."""

    is_instrumented_by_opentelemetry = False

    def instrument(self, **_: object) -> None:
        """Fail."""
        raise ImportError("no module named moved.elsewhere")


class Refusing(Broken):
    """An instrumentor that does nothing, as those do that find an unknown version."""

    def instrument(self, **_: object) -> None:
        """Do nothing."""


def test_a_failing_instrumentor_is_a_row_and_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """An instrumentor that raises, refuses or is missing is a row of the table; the others go on."""
    module("broken_instrumentor", monkeypatch, Broken=Broken)
    module("refusing_instrumentor", monkeypatch, Refusing=Refusing)
    found = outcomes(
        monkeypatch,
        Library("raises", "pytest", "pytest", "hypothesis", "broken_instrumentor:Broken"),
        Library("refuses", "pytest", "pytest", "hypothesis", "refusing_instrumentor:Refusing"),
        Library("missing", "pytest", "pytest", "no-such-instrumentor", "no_such_instrumentor:X"),
        Library("renamed", "pytest", "pytest", "hypothesis", "broken_instrumentor:Renamed"),
        Library("unimportable", "pytest", "pytest", "hypothesis", "no_such_instrumentor:X"),
        Library("absent", "no-such-distribution", "nothing", "p", "broken_instrumentor:Broken"),
        Library("old", "pytest", "pytest", native_since=99),
    )
    assert found["raises"] == (Outcome.FAILED, "ImportError: no module named moved.elsewhere")
    assert found["refuses"] == (Outcome.FAILED, "Its version is not supported.")
    assert found["missing"] == (Outcome.NO_INSTRUMENTOR, "Install no-such-instrumentor.")
    assert found["renamed"][0] is Outcome.FAILED
    assert found["unimportable"] == (Outcome.FAILED, "ModuleNotFoundError: No module named 'no_such_instrumentor'")
    assert found["old"][0] is Outcome.NO_INSTRUMENTOR
    assert "absent" not in found


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("auto", [library.name for library in LIBRARIES]),
        ("none", []),
        ("", []),
        ("openai, anthropic", ["openai", "anthropic"]),
        ("langchian,openai", ["openai"]),
    ],
)
def test_the_setting_chooses_libraries(setting: str, expected: list[str], said: pytest.LogCaptureFixture) -> None:
    """auto, none, or a list of names; a name that is none is a warning with the nearest."""
    assert [library.name for library in autoinstrument.wanted(setting)] == expected
    if "langchian" in setting:
        assert "no library 'langchian'. Did you mean langchain?" in said.text


def test_each_library_has_one_instrumentor() -> None:
    """The registry names every library once, and either an instrumentor or since when it reports itself."""
    assert len({library.name for library in LIBRARIES}) == len(LIBRARIES)
    for library in LIBRARIES:
        assert bool(library.instrumentor) != bool(library.native_since)
        assert bool(library.instrumentor) == bool(library.package)
