"""Keep built programs outside the checkout, by the hash of what they are built from.

A build is a folder ``<cache>/programs/<module>/<key>/`` with its programs and a record of their sizes. The record is
written last and the folder renamed into place, so what is there without a matching record is half-written and is
built again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spyglass import assets
from spyglass.errors import ProgramError
from spyglass.paths import cache_directory
from spyglass.settings import Settings
from spyglass.stack import compiler, toolchain
from spyglass.stack.catalogue import Module, Program, siblings

RECORD = "build.json"
SOURCES = ("go.mod", "go.sum", "*.go")
TESTS = "_test.go"
KEY_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Place:
    """Hold where the build of a module stands: ``sources`` identifies all that it is made from but the Go release."""

    module: Module
    root: Path
    sources: str
    platform: str

    def folder(self, go: str) -> Path:
        """Return the folder of the build made with this Go release line."""
        return self.root / hashlib.sha256(f"{self.sources} {go}".encode()).hexdigest()[:KEY_LENGTH]


def lookup(program: Program, settings: Settings) -> Path | None:
    """Return the cached program, or None; without a Go toolchain, one made by any release of Go will do."""
    try:
        place = _place(program, settings)
        go = toolchain.find(program.name, settings, minimum(program.module))
    except ProgramError:
        return _of_any_release(program, settings)
    return complete(place.folder(go.line), program)


def build(program: Program, settings: Settings) -> Path:
    """Build the program's module, all its programs at once, into the cache, and return the program's path.

    Only one process builds a module; others wait and use the result. Raises ProgramError.
    """
    place = _place(program, settings)
    go = toolchain.find(program.name, settings, minimum(program.module))
    folder = place.folder(go.line)
    try:
        place.root.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_suffix(".lock"), program.name):
            return complete(folder, program) or _build(program, place, folder, go)
    except OSError as error:
        raise compiler.failure(program.name, str(error), place.root) from None


def complete(folder: Path, program: Program) -> Path | None:
    """Return the program's path in a finished build; None when the build is missing or half-written."""
    path = folder / program.binary
    try:
        sizes = json.loads((folder / RECORD).read_text(encoding="utf-8"))["bytes"]
        whole = all((folder / name).stat().st_size == size > 0 for name, size in sizes.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return path if whole and program.binary in sizes and os.access(path, os.X_OK) else None


def source_folder(module: Module) -> Path:
    """Return the folder of a module's go.mod; raises AssetMissingError in a broken installation."""
    return assets.folder("deploy") / "go" / module.folder


def minimum(module: Module) -> toolchain.Release:
    """Return the release of Go that building a module takes."""
    return toolchain.minimum_release((source_folder(module) / "go.mod").read_text(encoding="utf-8"))


def _build(program: Program, place: Place, folder: Path, go: toolchain.Toolchain) -> Path:
    # What a killed builder left behind: only the holder of the lock comes here.
    for left in [folder, *place.root.glob(f".{folder.name}-*")]:
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=place.root, prefix=f".{folder.name}-") as name:
        made = Path(name) / "build"
        made.mkdir()
        compiler.compile_module(program, source_folder(place.module), made, go, log=folder.with_suffix(".log"))
        binaries = [sibling.binary for sibling in siblings(program)]
        record = {
            "module": place.module.folder,
            "version": place.module.version,
            "sources": place.sources,
            "platform": place.platform,
            "go": go.line,
            "bytes": {binary: (made / binary).stat().st_size for binary in binaries},
        }
        (made / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        for path in made.iterdir():
            _sync(path)
        made.rename(folder)
    return folder / program.binary


def _sync(path: Path) -> None:
    """Put a file on the disk: after a loss of power a file may otherwise have its size but not its content."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _place(program: Program, settings: Settings) -> Place:
    platform = toolchain.target(program.name)
    module = program.module
    flags = (module.tags, module.ldflags, platform, *(f"{one.package}={one.binary}" for one in siblings(program)))
    digest = hashlib.sha256("\n".join(flags).encode())
    for path, name in _sources(source_folder(module)):
        content = path.read_bytes()
        digest.update(f"\n{name} {len(content)}\n".encode() + content)
    root = cache_directory(settings) / "programs" / module.folder
    return Place(module, root, digest.hexdigest(), platform)


def _sources(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of a module and of modules beside it that it replaces, with names free of machine paths."""
    replaced = re.findall(r"=>\s+(\.{1,2}/\S+)", (folder / "go.mod").read_text(encoding="utf-8"))
    for root in (".", *replaced):
        for pattern in SOURCES:
            for path in sorted((folder / root).rglob(pattern)):
                if path.name.endswith(TESTS):
                    continue
                yield path, f"{root}/{path.relative_to(folder / root)}"


def _of_any_release(program: Program, settings: Settings) -> Path | None:
    try:
        place = _place(program, settings)
    except ProgramError:
        return None
    for record in sorted(place.root.glob(f"*/{RECORD}")):
        path = complete(record.parent, program)
        if path and json.loads(record.read_text(encoding="utf-8")).get("sources") == place.sources:
            return path
    return None


@contextmanager
def _locked(path: Path, name: str) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write(f"{name}: another process is building it; waiting\n")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
