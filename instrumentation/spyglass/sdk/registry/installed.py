"""Look up what is installed, and whether versions fit; asked of metadata, for looking for a module imports packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from packaging.requirements import Requirement

OPENTELEMETRY = "opentelemetry-"
INSTRUMENTS = ("instruments", "instruments-any")


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


def misfits(package: str) -> Iterator[Misfit]:
    """Yield what a package requires of OpenTelemetry, and of what it instruments, and does not find.

    OpenTelemetry's instrumentors name what they instrument in an extra, with the versions that they know.
    """
    yield from _misfits(package, metadata.requires(package) or (), (*INSTRUMENTS, ""))


def every_misfit() -> Iterator[Misfit]:
    """Yield what any installed package requires of OpenTelemetry and does not find, by name of the package."""
    for found in sorted(metadata.distributions(), key=lambda one: one.name):
        yield from _misfits(found.name, found.requires or (), ("",))


def _misfits(package: str, requires: Iterable[str], extras: tuple[str, ...]) -> Iterator[Misfit]:
    from packaging.requirements import Requirement  # noqa: PLC0415 -- as above

    for text in requires:
        if not (text.startswith(OPENTELEMETRY) or "extra" in text):
            continue
        requirement = Requirement(text)
        always = _applies(requirement, "")
        of_extra = not always and any(_applies(requirement, extra) for extra in extras)
        if not of_extra and not (always and requirement.name.startswith(OPENTELEMETRY)):
            continue
        found = version(requirement.name)
        if (found is None and always) or (found is not None and not fits(found, str(requirement.specifier))):
            yield Misfit(package, f"{requirement.name} {requirement.specifier}".rstrip(), found)


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
