"""Put the as-code folders into the wheel, below spyglass/_assets; an editable install reads them from the checkout."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The same list as spyglass.assets.FOLDERS (a test compares them): the build cannot import what it builds.
FOLDERS = ("alertmanager", "clickhouse", "collector-config", "deploy", "grafana")


class AssetsHook(BuildHookInterface[Any]):
    """Add each folder to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Extend force_include unless the install is editable."""
        if version != "editable":
            build_data["force_include"].update({name: f"spyglass/_assets/{name}" for name in FOLDERS})
