"""Read which frameworks there are, and what their programs need."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
_TABLE = FOLDER / "frameworks.csv"


class Framework(NamedTuple):
    """Describe a framework and its program.

    ``shown`` are the packages whose versions are told; ``extras`` are those of spyglass that are installed with it;
    ``agents`` is how many runs of agents the program makes; ``here`` says that it also runs in the development
    environment.
    """

    name: str
    shown: tuple[str, ...]
    extras: tuple[str, ...]
    agents: int
    here: bool
    environment: dict[str, str]

    @property
    def program(self) -> Path:
        """Return the program that a user would write."""
        return FOLDER / self.name / "app.py"

    @property
    def requirements(self) -> Path:
        """Return what its environment holds, as a user would ask for it."""
        return FOLDER / self.name / "requirements.in"

    @property
    def lock(self) -> Path:
        """Return what its environment holds, in exact versions."""
        return FOLDER / self.name / "requirements.lock"


def frameworks() -> dict[str, Framework]:
    """Return all frameworks by name."""
    lines = [line for line in _TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {row["framework"]: _read(row) for row in csv.DictReader(lines)}


def _read(row: dict[str, str]) -> Framework:
    return Framework(
        row["framework"],
        tuple(row["shown"].split()),
        tuple(row["extras"].split()),
        int(row["agents"]),
        row["here"] == "yes",
        dict(word.split("=", 1) for word in row["environment"].split()),
    )
