"""Which libraries are instrumented, how often a call is counted, and what happens when it goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import spyglass
from spyglass.sdk import autoinstrument
from spyglass.sdk.registry.tables import Role, Route, Tokens, Variable, Way, ways
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
        "mcp": "instrumented",
    }
    assert recorded["after"] == {
        "openai": ["instrumented", "openinference-instrumentation-openai"],
        "langchain": ["instrumented", "openinference-instrumentation-langchain"],
        "openai-agents": ["instrumented", "openinference-instrumentation-openai-agents"],
        "anthropic": ["instrumented", "native"],
        "mcp": ["instrumented", "native"],
    }
    assert sorted(set(recorded["events"])) == ["anthropic", "langchain", "mcp", "openai", "openai-agents"]
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


def way(library: str, distribution: str, *, activate: str = "", **given: Any) -> Way:
    """Return a way to instrument a library that this test process has installed."""
    options: dict[str, Any] = {
        "versions": "",
        "module": distribution,
        "role": Role.MODEL,
        "route": Route.OTEL,
        "package": "hypothesis" if activate else "",
        "package_versions": "",
        "model_tokens": Tokens.ALL,
        "environment": (),
        "off_when": None,
        "note": "",
    }
    return Way(library=library, distribution=distribution, activate=activate, **{**options, **given})


def outcomes(monkeypatch: pytest.MonkeyPatch, *tried: Way, **settings: Any) -> dict[str, tuple[Outcome, str]]:
    """Return outcome and detail of the libraries of these ways."""
    registry: dict[str, tuple[Way, ...]] = {}
    for one in tried:
        registry[one.library] = (*registry.get(one.library, ()), one)
    monkeypatch.setattr(autoinstrument, "ways", lambda: registry)
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


class Working:
    """An instrumentor that works, and stays on."""

    is_instrumented_by_opentelemetry = False

    def instrument(self, **_: object) -> None:
        """Switch it on."""
        type(self).is_instrumented_by_opentelemetry = True

    def uninstrument(self) -> None:
        """Switch it off."""
        type(self).is_instrumented_by_opentelemetry = False


def test_a_failing_instrumentor_is_a_row_and_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """An instrumentor that raises, does nothing or is missing is a row of the table; the others go on."""
    module("broken_instrumentor", monkeypatch, Broken=Broken)
    module("refusing_instrumentor", monkeypatch, Refusing=Refusing)
    module("working_instrumentor", monkeypatch, Working=Working)
    found = outcomes(
        monkeypatch,
        way("raises", "pytest", activate="broken_instrumentor:Broken"),
        way("refuses", "pytest", activate="refusing_instrumentor:Refusing"),
        way("missing", "pytest", activate="no_such_instrumentor:X", package="no-such-instrumentor"),
        way("renamed", "pytest", activate="broken_instrumentor:Renamed"),
        way("unimportable", "pytest", activate="no_such_instrumentor:X"),
        way("absent", "no-such-distribution", activate="broken_instrumentor:Broken"),
        way("old", "pytest", versions=">=99", route=Route.NATIVE),
        way("works", "pytest", activate="working_instrumentor:Working"),
    )
    assert found["raises"] == (Outcome.FAILED, "ImportError: no module named moved.elsewhere")
    assert found["refuses"][0] is Outcome.FAILED
    assert "did nothing" in found["refuses"][1]
    assert found["missing"] == (Outcome.NO_INSTRUMENTOR, "Install one with: pip install 'spyglass[missing]'")
    assert found["renamed"][0] is Outcome.FAILED
    assert found["unimportable"] == (Outcome.FAILED, "ModuleNotFoundError: No module named 'no_such_instrumentor'")
    assert found["old"] == (
        Outcome.NO_INSTRUMENTOR,
        f"pytest {pytest.__version__} is installed; it reports itself in versions >=99.",
    )
    assert found["works"] == (Outcome.INSTRUMENTED, "")
    assert "absent" not in found
    assert not Working.is_instrumented_by_opentelemetry


def test_the_first_way_that_works_is_taken_and_no_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A way whose package is missing or too old is passed over; after the first that works none is switched on."""
    module("broken_instrumentor", monkeypatch, Broken=Broken)
    module("working_instrumentor", monkeypatch, Working=Working)
    found = outcomes(
        monkeypatch,
        way("library", "pytest", activate="broken_instrumentor:Broken", package="no-such-instrumentor"),
        way("library", "pytest", activate="broken_instrumentor:Broken", package_versions=">=9999"),
        way("library", "pytest", activate="working_instrumentor:Working"),
        way("library", "pytest", activate="broken_instrumentor:Broken"),
    )
    assert found == {"library": (Outcome.INSTRUMENTED, "")}


def test_after_a_way_that_does_nothing_the_next_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """An instrumentor that silently does nothing gives way to the next; after one that raises none is tried."""
    module("refusing_instrumentor", monkeypatch, Refusing=Refusing)
    module("broken_instrumentor", monkeypatch, Broken=Broken)
    module("working_instrumentor", monkeypatch, Working=Working)
    working = way("library", "pytest", activate="working_instrumentor:Working")
    silent = way("library", "pytest", activate="refusing_instrumentor:Refusing")
    raising = way("library", "pytest", activate="broken_instrumentor:Broken")
    assert outcomes(monkeypatch, silent, working)["library"][0] is Outcome.INSTRUMENTED
    assert outcomes(monkeypatch, raising, working)["library"][0] is Outcome.FAILED


def test_what_the_application_switched_on_stays_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the application has switched on any instrumentor of a library, spyglass adds none and takes none back."""
    module("broken_instrumentor", monkeypatch, Broken=Broken)
    module("working_instrumentor", monkeypatch, Working=Working)
    monkeypatch.setattr(Working, "is_instrumented_by_opentelemetry", True)
    found = outcomes(
        monkeypatch,
        way("library", "pytest", activate="broken_instrumentor:Broken"),
        way("library", "pytest", activate="working_instrumentor:Working", route=Route.OPENINFERENCE),
    )
    assert found == {"library": (Outcome.INSTRUMENTED, "The application did it.")}
    assert Working.is_instrumented_by_opentelemetry


def test_a_way_without_tokens_waits_for_a_library_that_reports_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents' spans without tokens are taken first only where the model's client is instrumented too."""
    module("broken_instrumentor", monkeypatch, Broken=Broken)
    module("working_instrumentor", monkeypatch, Working=Working)
    bare = way("agents", "pytest", role=Role.AGENT, model_tokens=Tokens.NONE, activate="working_instrumentor:Working")
    rich = way("agents", "pytest", role=Role.AGENT, activate="broken_instrumentor:Broken")
    client = way("client", "hypothesis", route=Route.NATIVE)
    assert outcomes(monkeypatch, bare, rich)["agents"][0] is Outcome.FAILED
    assert outcomes(monkeypatch, bare, rich, client)["agents"] == (Outcome.INSTRUMENTED, "")
    outcome, detail = outcomes(monkeypatch, bare)["agents"]
    assert outcome is Outcome.INSTRUMENTED
    assert "without tokens" in detail


def test_the_users_own_settings_are_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that the user switched off stays off, by its own variable or by OpenTelemetry's list."""
    native = way("library", "pytest", route=Route.NATIVE, off_when=Variable("TELL_NOBODY", "true", ""))
    assert outcomes(monkeypatch, native)["library"][0] is Outcome.INSTRUMENTED
    monkeypatch.setenv("TELL_NOBODY", "TRUE")
    assert outcomes(monkeypatch, native)["library"] == (Outcome.OFF, "TELL_NOBODY=true switches it off.")
    monkeypatch.delenv("TELL_NOBODY")
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "other, library")
    assert outcomes(monkeypatch, native)["library"][0] is Outcome.OFF


@pytest.mark.parametrize(("content", "expected"), [("full", "all"), ("metadata", None)])
def test_variables_of_a_library_are_set_for_a_time(
    monkeypatch: pytest.MonkeyPatch, content: str, expected: str | None
) -> None:
    """What a library reads is set before its import where the user has not set it, and taken back at the end."""
    monkeypatch.setenv("CHOSEN_BY_USER", "no")
    monkeypatch.delenv("SHOWS_TEXTS", raising=False)
    variables = (Variable("SHOWS_TEXTS", "all", "full"), Variable("CHOSEN_BY_USER", "yes", ""))
    registry = {"library": (way("library", "pytest", route=Route.NATIVE, environment=variables),)}
    monkeypatch.setattr(autoinstrument, "ways", lambda: registry)
    with capture(instrument="auto", content=content):
        assert os.environ.get("SHOWS_TEXTS") == expected
        assert os.environ["CHOSEN_BY_USER"] == "no"
    assert "SHOWS_TEXTS" not in os.environ


def test_a_library_that_was_imported_too_early_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a library reads at its import what nobody has set, an import before init() is a failure with its reason."""
    monkeypatch.delenv("SPEAK_UP", raising=False)
    early = way("library", "pytest", route=Route.NATIVE, environment=(Variable("SPEAK_UP", "1", ""),))
    assert outcomes(monkeypatch, early)["library"] == (
        Outcome.FAILED,
        "pytest was imported before spyglass started.",
    )


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("auto", list(ways())),
        ("none", []),
        ("", []),
        ("openai, anthropic", ["openai", "anthropic"]),
        ("langchian,openai", ["openai"]),
    ],
)
def test_the_setting_chooses_libraries(setting: str, expected: list[str], said: pytest.LogCaptureFixture) -> None:
    """auto, none, or a list of names; a name that is none is a warning with the nearest."""
    assert autoinstrument.wanted(setting) == expected
    if "langchian" in setting:
        assert "no library 'langchian'. Did you mean langchain?" in said.text
