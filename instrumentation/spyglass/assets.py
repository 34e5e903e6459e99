"""Find the folders of the project that are not Python: configurations, SQL, dashboards, rules."""

from __future__ import annotations

from pathlib import Path

from spyglass.errors import AssetMissingError

# The folders that travel in the wheel; hatch_build.py copies the same ones.
FOLDERS = ("alertmanager", "clickhouse", "collector-config", "deploy", "grafana")


def folder(name: str) -> Path:
    """Return the folder of this name: the wheel's copy where there is one, else the checkout's.

    Raises AssetMissingError when neither exists, which means a broken installation.
    """
    package = Path(__file__).parent
    for place in (package / "_assets" / name, package.parents[1] / name):
        if place.is_dir():
            return place
    raise AssetMissingError(name)
