"""Make an environment for each framework, outside of the checkout; ``python -m tests.frameworks.environments`` locks.

An environment holds what its lock says and spyglass itself, editable, and is made anew when its lock changes.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import uv

from spyglass.paths import cache_directory
from spyglass.settings import load
from tests.frameworks.catalogue import Framework, frameworks

CHECKOUT = Path(__file__).parents[2]
_RESOLVE = ("--universal", "--python-version", "3.11", "--no-header", "--no-annotate", "--no-emit-index-url")


def lock(framework: Framework, to: Path, *, newest: bool = False) -> None:
    """Resolve what a framework and spyglass need; what ``to`` holds already stays, unless the ``newest`` is asked for.

    Raises CalledProcessError, and what is wrong stands on standard error.
    """
    upgrade = ["--upgrade"] if newest else []
    extras = [word for extra in framework.extras for word in ("--extra", extra)]
    sources = [str(framework.requirements), str(CHECKOUT / "pyproject.toml")]
    _uv("pip", "compile", *_RESOLVE, *upgrade, *extras, *sources, "--output-file", str(to))


class Environment(NamedTuple):
    """Hold a Python, and the lock by which its packages were installed."""

    python: Path
    lock: Path


def prepare(framework: Framework, *, newest: bool = False) -> Environment:
    """Return a framework's environment, which is made where it is not there yet.

    Raises CalledProcessError where something cannot be installed.
    """
    place = _place() / (f"{framework.name}-newest" if newest else framework.name)
    place.mkdir(parents=True, exist_ok=True)
    wanted = framework.lock
    if newest:
        wanted = place / "requirements.lock"
        lock(framework, wanted, newest=True)
    python, installed = place / "bin" / "python", place / "installed"
    if not (installed.exists() and installed.read_bytes() == wanted.read_bytes()):
        installed.unlink(missing_ok=True)
        _uv("venv", "--allow-existing", "--python", sys.executable, str(place))
        _uv("pip", "sync", "--python", str(python), str(wanted))
        _uv("pip", "install", "--python", str(python), "--no-deps", "--editable", str(CHECKOUT))
        installed.write_bytes(wanted.read_bytes())
    return Environment(python, wanted)


def _place() -> Path:
    """Return a folder of this checkout: what is installed editable points to it."""
    checkout = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:12]
    return cache_directory(load().settings) / "frameworks" / checkout


def _uv(*words: str) -> None:
    subprocess.run([uv.find_uv_bin(), *words, "--quiet"], check=True)


def main() -> None:
    """Resolve all locks."""
    for framework in frameworks().values():
        lock(framework, framework.lock)


if __name__ == "__main__":
    main()
