"""Install libraries that this environment does not have, or not in these versions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = [sys.executable, "-m", "uv"]
INSTALL_SECONDS = 900  # Claude Code is 170 MB


def environment(home: Path, *wanted: str) -> Path:
    """Make a virtual environment with spyglass and these packages; return its Python."""
    python = home / "bin" / "python"
    subprocess.run([*UV, "venv", "--quiet", "--python", sys.executable, str(home)], check=True, timeout=120)
    install = [*UV, "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*install, "--editable", str(ROOT), *wanted], check=True, timeout=INSTALL_SECONDS)
    return python


def beside(folder: Path, *packages: str) -> str:
    """Install packages, without what they require, into a folder; return it as an entry for PYTHONPATH."""
    install = [*UV, "pip", "install", "--quiet", "--no-deps", "--python", sys.executable, "--target", str(folder)]
    subprocess.run([*install, *packages], check=True, timeout=INSTALL_SECONDS)
    return str(folder)
