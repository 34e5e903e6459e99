"""Look up what is installed, and whether versions fit; asked of metadata, for looking for a module imports packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from packaging.requirements import Requirement

OPENTELEMETRY = "opentelemetry-"
ALL_OF, ANY_OF = "instruments", "instruments-any"


class Misfit(NamedTuple):
    """Hold what a package requires, and the version that is there instead; None means that it is not installed."""

    package: str
    requires: str
    found: str | None

    def __str__(self) -> str:
        """Return it as a sentence."""
        there = f"{self.found} is installed" if self.found else "it is not installed"
        return f"{self.package} {version(self.package)} needs {self.requires}; {there}."


def version(distribution: str) -> str | None:
    """Return the version of a distribution, None where it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def fits(found: str, versions: str) -> bool:
    """Say whether a version lies in a range; one that PEP 440 does not know lies in every range."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 -- a program without known libraries need not read it
    from packaging.version import InvalidVersion  # noqa: PLC0415 -- as above

    try:
        return not versions or SpecifierSet(versions).contains(found, prereleases=True)
    except InvalidVersion:
        return True


def misfits(package: str, *, all_instrumented: bool) -> Iterator[Misfit]:
    """Yield what a package requires of OpenTelemetry, and of what it instruments, and does not find.

    OpenTelemetry's instrumentors name what they instrument in an extra, with the versions that they know. With
    ``all_instrumented`` all of it must be installed, as OpenTelemetry's own demand; else only the versions must fit.
    """
    for requirement, extra in _requirements(metadata.requires(package) or (), (ALL_OF, ANY_OF)):
        found = _misfit(package, requirement, needed=not extra or (all_instrumented and extra == ALL_OF))
        if found is not None:
            yield found


def every_misfit() -> Iterator[Misfit]:
    """Yield what any installed package requires of OpenTelemetry and does not find, by name of the package."""
    for distribution in sorted(metadata.distributions(), key=lambda one: one.name):
        for requirement, _ in _requirements(distribution.requires or (), ()):
            found = _misfit(distribution.name, requirement, needed=True)
            if found is not None:
                yield found


def _requirements(texts: Iterable[str], extras: tuple[str, ...]) -> Iterator[tuple[Requirement, str]]:
    """Yield what is required of OpenTelemetry, and what these extras require, with the extra's name."""
    from packaging.requirements import Requirement  # noqa: PLC0415 -- as above

    for text in texts:
        if not (text.startswith(OPENTELEMETRY) or "extra" in text):  # all others cost more to parse than to skip
            continue
        requirement = Requirement(text)
        if _applies(requirement, ""):
            if requirement.name.startswith(OPENTELEMETRY):
                yield requirement, ""
        else:
            yield from ((requirement, extra) for extra in extras if _applies(requirement, extra))


def _misfit(package: str, requirement: Requirement, *, needed: bool) -> Misfit | None:
    found = version(requirement.name)
    fitting = not needed if found is None else fits(found, str(requirement.specifier))
    return None if fitting else Misfit(package, f"{requirement.name} {requirement.specifier}".rstrip(), found)


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
