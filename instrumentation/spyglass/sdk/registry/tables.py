"""Read the registry: ``ways.csv`` says how a library comes to be instrumented, ``breakages.csv`` which pairs fail.

The ways of one library stand in the order in which they are preferred: what the library does itself, then
OpenTelemetry's instrumentors for generative AI, then OpenInference's, then OpenLLMetry's, unless a note says why not.
Ranges of versions are those of PEP 440; an empty range takes every version.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_HERE = Path(__file__).parent


class Role(StrEnum):
    """Say what of an agent's work a library does, and so reports."""

    MODEL = "model"
    AGENT = "agent"
    TOOL = "tool"


class Route(StrEnum):
    """Say who makes a library's spans."""

    NATIVE = "native"
    OTEL = "otel"
    OPENINFERENCE = "openinference"
    OPENLLMETRY = "openllmetry"


class Tokens(StrEnum):
    """Say whether the spans of model calls that a way makes, if it makes any, have the tokens of the call."""

    ALL = "all"
    PART = "part"
    NONE = "none"


class Variable(NamedTuple):
    """Hold a variable that a library reads; ``when`` is empty, or the content it is for: full, or less than that."""

    name: str
    value: str
    when: str

    def __str__(self) -> str:
        """Return it as it would be set."""
        return f"{self.name}={self.value}"


class Way(NamedTuple):
    """Describe one way to instrument a library.

    ``module`` is what a program imports. ``activate`` is ``module:Class`` of an OpenTelemetry instrumentor, for a
    native way ``module:function`` of ours, or empty where there is nothing to do; ``off_when`` is the setting by which
    a user declines it.
    """

    library: str
    distribution: str
    versions: str
    module: str
    role: Role
    route: Route
    package: str
    package_versions: str
    model_tokens: Tokens
    activate: str
    environment: tuple[Variable, ...]
    off_when: Variable | None
    note: str

    @property
    def by(self) -> str:
        """Return who makes the spans: the instrumentor's package, or native."""
        return self.package or self.route.value


class Breakage(NamedTuple):
    """Describe a pair that does not work together; ``without`` names what must be missing for it to fail."""

    library: str
    versions: str
    package: str
    package_versions: str
    without: str
    fault: str
    remedy: str


@cache
def ways() -> dict[str, tuple[Way, ...]]:
    """Return the ways of each library, the preferred one first."""
    found: dict[str, tuple[Way, ...]] = {}
    for row in _rows("ways.csv"):
        way = _way(row)
        found[way.library] = (*found.get(way.library, ()), way)
    return found


@cache
def scopes_without_tokens() -> frozenset[str]:
    """Return the instrumentation scopes whose spans of model calls do not have all of the call's tokens."""
    every = (way for found in ways().values() for way in found if way.model_tokens is not Tokens.ALL)
    return frozenset(way.activate.partition(":")[0] for way in every if way.package)


@cache
def breakages() -> tuple[Breakage, ...]:
    """Return the pairs that do not work together."""
    return tuple(Breakage(**row) for row in _rows("breakages.csv"))


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_HERE / name).open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _way(row: dict[str, str]) -> Way:
    typed: dict[str, Any] = {
        "role": Role(row["role"]),
        "route": Route(row["route"]),
        "model_tokens": Tokens(row["model_tokens"]),
        "environment": tuple(_variable(word) for word in row["environment"].split()),
        "off_when": _variable(row["off_when"]) if row["off_when"] else None,
    }
    return Way(**{**row, **typed})


def _variable(word: str) -> Variable:
    setting, _, when = word.partition("@")
    name, _, value = setting.partition("=")
    return Variable(name, value, when)
