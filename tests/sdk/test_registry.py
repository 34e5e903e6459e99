"""The registry of libraries and their instrumentors: whole, consistent, and right about real packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from spyglass.sdk.registry.tables import Route, Way, breakages, scopes_without_tokens, ways
from tests.sdk.environments import beside

ROOT = Path(__file__).parents[2]
EVERY = [way for found in ways().values() for way in found]


def extras() -> dict[str, list[Requirement]]:
    """Return the extras of spyglass, parsed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {name: [Requirement(text) for text in texts] for name, texts in project["optional-dependencies"].items()}


def test_native_ways_come_first_and_then_by_route() -> None:
    """Ways stand in the order native, OpenTelemetry, OpenInference, OpenLLMetry, but where a note says why not."""
    order = list(Route)
    for library, found in ways().items():
        if found[0].note.startswith("preferred, for"):
            continue
        assert [way.route for way in found] == sorted((way.route for way in found), key=order.index), library


@pytest.mark.parametrize("way", EVERY, ids=lambda way: f"{way.library}-{way.route}")
def test_every_way_is_whole(way: Way) -> None:
    """A way names its import and valid ranges, and a package and an instrumentor where it is not native."""
    assert way.distribution
    assert way.module
    SpecifierSet(way.versions)
    SpecifierSet(way.package_versions)
    assert bool(way.package) is (way.route is not Route.NATIVE)
    assert way.activate or way.route is Route.NATIVE
    assert all(variable.value and variable.when in ("", "full", "less") for variable in way.environment)


def test_breakages_are_whole() -> None:
    """A breakage names two distributions, valid ranges, what happens and what to do, in sentences."""
    for breakage in breakages():
        assert breakage.library
        assert breakage.package
        SpecifierSet(breakage.versions)
        SpecifierSet(breakage.package_versions)
        assert breakage.fault.endswith(".")
        assert breakage.remedy.endswith(".")


def test_every_library_that_needs_an_instrumentor_has_an_extra() -> None:
    """``pip install 'spyglass[LIBRARY]'``, as the outcome table recommends, brings one of the registry."""
    found = extras()
    for library, tried in ways().items():
        packages = {way.package: way.package_versions for way in tried if way.package}
        if packages:
            requirement = found[library][0]
            assert str(requirement.specifier) == packages[requirement.name]


def test_scopes_without_tokens_are_those_of_instrumentors() -> None:
    """The scopes whose model spans do not report their call are known, and those that report are not among them."""
    assert "openinference.instrumentation.dspy" in scopes_without_tokens()
    assert "openinference.instrumentation.openai" not in scopes_without_tokens()
    assert "" not in scopes_without_tokens()


PLAN = """
import json
from spyglass.sdk.registry.choice import broken, choose
from spyglass.sdk.registry.tables import ways
choices = {c.library: [c.ways[0].by if c.ways else None, c.why_not] for c in choose(ways(), ways())}
print(json.dumps({"choices": choices, "broken": [[b.package, b.remedy] for b, _, _ in broken()]}))
"""


def planned(folder: Path, *packages: str) -> dict[str, Any]:
    """Install real packages, without what they require, and return what the registry says of them."""
    path = os.pathsep.join([beside(folder, "packaging", *packages), str(ROOT / "instrumentation")])
    done = subprocess.run(
        [sys.executable, "-S", "-c", PLAN],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": path},
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("packages", "broken", "remedy"),
    [
        (("mcp==2.3.0", "opentelemetry-instrumentation-mcp==0.62.4"), 1, "mcp 2 reports itself"),
        (("haystack-ai==3.4.1", "opentelemetry-instrumentation-haystack==0.62.4"), 1, "openinference-"),
        (("google-genai==3.4.0", "opentelemetry-instrumentation-google-genai==1.3b0"), 1, "openinference-"),
        (("openai==3.52.0", "opentelemetry-instrumentation-openai-v2==2.4b0"), 1, "-genai-openai"),
        (("ag2==1.2.1", "openinference-instrumentation-ag2==0.1.12"), 1, "AG2 1 reports itself"),
        (("openai==3.52.0", "traceloop-sdk==0.62.4"), 1, "pip install httpx"),
        (("openai==2.8.0", "openinference-instrumentation-openai==0.1.66"), 0, ""),
    ],
    ids=lambda value: value[-1].partition("==")[0] if isinstance(value, tuple) else "",
)
def test_broken_pairs_of_real_packages_are_named(
    tmp_path: Path, packages: tuple[str, ...], broken: int, remedy: str
) -> None:
    """Each pair that does not work together is found in the installed versions, with its remedy."""
    found = planned(tmp_path, *packages)["broken"]
    assert len(found) == broken
    assert all(remedy in sentence for _, sentence in found)


def test_an_instrumentor_that_needs_a_newer_opentelemetry_is_passed_over(tmp_path: Path) -> None:
    """Where the installed OpenTelemetry is older than an instrumentor takes, the reason names both versions."""
    older = planned(
        tmp_path,
        "openai==3.52.0",
        "opentelemetry-api==1.40.0",
        "opentelemetry-instrumentation-genai-openai==1.3b0",
        "opentelemetry-util-genai==1.3b0",
        "opentelemetry-instrumentation==0.66b2",
    )
    way, why = older["choices"]["openai"]
    assert way is None
    assert (
        "opentelemetry-instrumentation-genai-openai 1.3b0 needs opentelemetry-api ~=1.43; 1.40.0 is installed." in why
    )


def test_an_instrumentor_of_another_range_gives_way_to_the_next(tmp_path: Path) -> None:
    """What an instrumentor itself says of the versions that it takes is heeded before it is switched on."""
    found = planned(
        tmp_path,
        "google-genai==3.4.0",
        "opentelemetry-instrumentation-google-genai==1.3b0",
        "openinference-instrumentation-google-genai==1.4.14",
        "openinference-instrumentation==0.1.71",
        "opentelemetry-api==1.45.2",
        "opentelemetry-instrumentation==0.66b2",
        "opentelemetry-semantic-conventions==0.66b2",
    )
    assert found["choices"]["google-genai"][0] == "openinference-instrumentation-google-genai"
