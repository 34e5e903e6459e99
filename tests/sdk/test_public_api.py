"""The public surface cannot change by accident."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import spyglass
import spyglass.testing


def test_all_is_the_sorted_public_surface() -> None:
    """__all__ names every public member of the package, sorted; nothing else is public."""
    public = sorted(
        name for name, value in vars(spyglass).items() if not name.startswith("_") and not isinstance(value, ModuleType)
    )
    assert spyglass.__all__ == public
    assert set(spyglass.testing.__all__) <= set(vars(spyglass.testing))


def test_everything_public_is_described() -> None:
    """Each public name has a docstring whose first line is a sentence."""
    for name in spyglass.__all__:
        first = (getattr(spyglass, name).__doc__ or "").strip().partition("\n")[0]
        assert first.endswith((".", ";", ",")), name


def test_the_types_of_the_api_are_as_promised() -> None:
    """typing_api.py, which uses the whole API as users do, passes mypy --strict."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(Path(__file__).parent / "typing_api.py")],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
