"""Hold what a check of spyglass doctor found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from spyglass.settings import Loaded, Settings
from spyglass.stack.files import Files


class Verdict(StrEnum):
    """Say how a check ended: all well, something to know, or something to mend."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold what a check found in a sentence, and how to mend it where there is something to mend."""

    verdict: Verdict
    sentence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """Hold what checks look at: the settings, the data directory, and the running stack's settings, if one runs."""

    loaded: Loaded
    place: Files
    running: Settings | None

    @property
    def settings(self) -> Settings:
        """Return the settings as resolved."""
        return self.loaded.settings


Check = Callable[[Machine], Iterator[Finding]]


def ok(sentence: str) -> Finding:
    """Say that all is well."""
    return Finding(Verdict.OK, sentence)


def note(sentence: str, remedy: str = "") -> Finding:
    """Say something that is good to know and no fault."""
    return Finding(Verdict.NOTE, sentence, remedy)


def failed(sentence: str, remedy: str) -> Finding:
    """Say what is wrong and how to mend it."""
    return Finding(Verdict.FAILED, sentence, remedy)
