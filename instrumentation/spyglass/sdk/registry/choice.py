"""Choose how each library is instrumented here: one way for each library, never two.

The preferred way that works is taken; one whose spans of model calls have no tokens only where another library reports
the calls of models, or where there is no better one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from spyglass.sdk.registry.installed import fits, misfits, version
from spyglass.sdk.registry.tables import Breakage, Role, Route, Tokens, Way, breakages

Registry = Mapping[str, tuple[Way, ...]]


class Obstacle(NamedTuple):
    """Say why a way cannot be taken: nothing is installed for it, the user declined it, or versions do not fit."""

    sentence: str
    missing: bool = False
    declined: bool = False


class Choice(NamedTuple):
    """Hold the ways that work for a library that is installed, the preferred one first, and what the others lack."""

    library: str
    distribution: str
    version: str
    module: str
    ways: tuple[Way, ...]
    obstacles: tuple[Obstacle, ...] = ()
    models_reported: bool = True

    @property
    def declined(self) -> bool:
        """Say whether there is no way because the user declined it."""
        return not self.ways and any(obstacle.declined for obstacle in self.obstacles)

    @property
    def why_not(self) -> str:
        """Return in sentences why there is no way, and what installs one."""
        told = [obstacle.sentence for obstacle in self.obstacles if not obstacle.missing]
        missing = any(obstacle.missing for obstacle in self.obstacles) and not self.declined
        return " ".join([*told, f"Install one with: pip install 'spyglass[{self.library}]'"] if missing else told)

    @property
    def warning(self) -> str:
        """Return a sentence where the preferred way leaves the tokens of model calls unknown."""
        if not self.ways or _is_complete(self.ways[0], models_reported=self.models_reported):
            return ""
        return f"{self.library}'s model calls come without tokens: install the instrumentor of its client as well."


def choose(libraries: Iterable[str], registry: Registry) -> Iterator[Choice]:
    """Yield the choice for each of these libraries that is installed."""
    tried = {library: list(_tried(each)) for library, each in registry.items()}
    models_reported = any(
        way.role is Role.MODEL and obstacle is None for found in tried.values() for way, obstacle in found
    )
    for library in libraries:
        if tried[library]:
            yield _choice(library, tried[library], models_reported=models_reported)


def broken() -> Iterator[tuple[Breakage, str, str]]:
    """Yield each pair of the registry that is installed here and does not work, with both versions."""
    for breakage in breakages():
        library, package = version(breakage.library), version(breakage.package)
        if library and package and _fails(breakage, library, package):
            yield breakage, library, package


def _choice(library: str, tried: list[tuple[Way, Obstacle | None]], *, models_reported: bool) -> Choice:
    good = [way for way, obstacle in tried if obstacle is None]
    good.sort(key=lambda way: not _is_complete(way, models_reported=models_reported))  # else in the registry's order
    first = good[0] if good else tried[0][0]
    obstacles = tuple(obstacle for _, obstacle in tried if obstacle is not None)
    found = version(first.distribution) or ""
    return Choice(library, first.distribution, found, first.module, tuple(good), obstacles, models_reported)


def _is_complete(way: Way, *, models_reported: bool) -> bool:
    return way.model_tokens is not Tokens.NONE or way.role is Role.TOOL or models_reported


def _tried(ways: Iterable[Way]) -> Iterator[tuple[Way, Obstacle | None]]:
    """Yield each way to a library that is installed, with what stands against it."""
    for way in ways:
        found = version(way.distribution)
        if found is not None:
            yield way, _obstacle(way, found)


def _obstacle(way: Way, found: str) -> Obstacle | None:
    if way.off_when and os.environ.get(way.off_when.name, "").lower() == way.off_when.value:
        return Obstacle(f"{way.off_when} switches it off.", declined=True)
    if not fits(found, way.versions):
        fitting = f"{way.by} takes {way.versions}" if way.package else f"it reports itself in versions {way.versions}"
        return Obstacle(f"{way.distribution} {found} is installed; {fitting}.")
    return _obstacle_of_package(way, found) if way.package else None


def _obstacle_of_package(way: Way, found: str) -> Obstacle | None:
    package = version(way.package)
    if package is None:
        return Obstacle(f"{way.package} is not installed.", missing=True)
    if not fits(package, way.package_versions):
        return Obstacle(f"{way.package} {package} is installed; {way.package_versions} is needed.")
    for breakage in breakages():
        if (breakage.library, breakage.package) == (way.distribution, way.package) and _fails(breakage, found, package):
            return Obstacle(f"{way.package} {package} is broken with {way.distribution} {found}. {breakage.remedy}")
    found_wrong = misfits(way.package, all_instrumented=way.route is Route.OTEL)
    return next((Obstacle(str(misfit)) for misfit in found_wrong), None)


def _fails(breakage: Breakage, library: str, package: str) -> bool:
    return (
        fits(library, breakage.versions)
        and fits(package, breakage.package_versions)
        and not (breakage.without and version(breakage.without))
    )
