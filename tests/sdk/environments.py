"""Make environments of their own, for libraries in versions that this one does not have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = [sys.executable, "-m", "uv"]


def environment(home: Path, *wanted: str) -> Path:
    """Make a virtual environment with spyglass and these packages; return its Python."""
    python = home / "bin" / "python"
    subprocess.run([*UV, "venv", "--quiet", "--python", sys.executable, str(home)], check=True, timeout=120)
    install = [*UV, "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*install, "--editable", str(ROOT), *wanted], check=True, timeout=300)
    return python
