"""Locate the programs of the stack: configured path, then PATH, then the cache, then a build."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from spyglass.errors import ProgramError
from spyglass.settings import Settings, variable
from spyglass.stack import cache
from spyglass.stack.catalogue import PROGRAMS, Program

PROBE_SECONDS = 10


class State(StrEnum):
    """Say where a program comes from."""

    CONFIGURED = "configured"
    ON_PATH = "on PATH"
    CACHED = "cached"
    TO_BUILD = "to build"


@dataclass(frozen=True, slots=True)
class Found:
    """Hold where a program is; ``path`` is None when it must be built, ``version`` when it does not tell."""

    name: str
    version: str | None
    state: State
    path: Path | None


def locate(name: str, settings: Settings) -> Path:
    """Return the path of a program, and build it first where there is none.

    Builds take minutes and tell their progress on stderr. Raises ProgramError, in one sentence with a remedy, when
    the program can neither be found nor built.
    """
    program = _program(name)
    found = _configured(program, settings) or _on_path(program)[0] or cache.lookup(program, settings)
    return found or cache.build(program, settings)


def find(name: str, settings: Settings) -> Found:
    """Say where a program is, without building it; raises ProgramError when its configured path is no program."""
    program = _program(name)
    configured = _configured(program, settings)
    if configured:
        return Found(name, _version(program, configured), State.CONFIGURED, configured)
    on_path, version = _on_path(program)
    if on_path:
        return Found(name, version, State.ON_PATH, on_path)
    cached = cache.lookup(program, settings)
    return Found(name, program.module.version, State.CACHED if cached else State.TO_BUILD, cached)


def _program(name: str) -> Program:
    if name not in PROGRAMS:
        raise ProgramError(name, "the stack has no such program.", f"It has {', '.join(sorted(PROGRAMS))}.")
    return PROGRAMS[name]


def _configured(program: Program, settings: Settings) -> Path | None:
    text = getattr(settings, program.setting)
    if not text:
        return None
    path = Path(text).expanduser().absolute()
    if path.is_file() and os.access(path, os.X_OK):
        return path
    what = "is not executable" if path.is_file() else "does not exist"
    name = variable(program.setting)
    raise ProgramError(program.name, f"{name} names {path}, which {what}.", f"Mend {name} or unset it.")


def _on_path(program: Program) -> tuple[Path | None, str | None]:
    """Return the program on PATH and its version when the version is accepted, else None twice."""
    found = shutil.which(program.binary)
    version = _version(program, Path(found)) if found else None
    return (Path(found), version) if found and version and program.accepts(version) else (None, None)


def _version(program: Program, path: Path) -> str | None:
    try:
        done = subprocess.run(
            [path, *program.probe], capture_output=True, text=True, timeout=PROBE_SECONDS, check=True, errors="replace"
        )
    except (OSError, subprocess.SubprocessError):
        return None
    # The version of Go that built it also stands in the text, but never first.
    match = re.search(r"\bv?(\d+\.\d+(?:\.\d+)?[-\w.]*)", done.stdout.partition("go version")[0])
    return match[1] if match else None
