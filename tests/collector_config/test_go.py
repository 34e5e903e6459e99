"""The collector's own components, which are written in Go."""

import os
import subprocess

import pytest

from spyglass.assets import folder
from spyglass.settings import load
from spyglass.stack import cache, toolchain
from spyglass.stack.catalogue import PROGRAMS


@pytest.mark.parametrize("package", ["normalise", "privacy", "room", "steady"])
def test_its_own_tests_pass(package: str) -> None:
    """The Go tests of the package pass with the toolchain that also builds the collector."""
    go = toolchain.find("collector", load().settings, cache.minimum(PROGRAMS["collector"].module)).go
    done = subprocess.run(
        [go, "test", "-mod=readonly", f"./{package}"],
        cwd=folder("deploy") / "go" / "collector",
        env=os.environ | {"GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[no test files]" not in done.stdout


def test_every_component_is_tested() -> None:
    """Each folder of Go code beside the generated main program is in the list above."""
    found = {path.parent.name for path in (folder("deploy") / "go" / "collector").glob("*/*.go")}
    assert found == {"normalise", "privacy", "room", "steady"}
