"""Build the dashboards' JSON, and compare it with what is committed; the front door of this folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from grafana.dashboards import DASHBOARDS
from grafana.lint import Finding, findings
from grafana.live import PanelQuery, queries
from grafana.panels import Dashboard
from grafana.stores import Stores

__all__ = ["DASHBOARDS", "GENERATED", "PanelQuery", "Stores", "check", "generated", "queries", "text", "write"]

GENERATED: Final = Path(__file__).parent / "generated"


def text(dashboard: Dashboard) -> str:
    """Return the JSON of a dashboard as it is committed: the same bytes every time."""
    return json.dumps(dashboard.to_json_data(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def generated(dashboard: Dashboard, folder: Path = GENERATED) -> Path:
    """Return the path of a dashboard's JSON."""
    return folder / f"{dashboard.name}.json"


def write(folder: Path = GENERATED) -> list[Path]:
    """Write the JSON of all dashboards and remove that of others; return the paths that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = [path for path in folder.glob("*.json") if path not in {generated(each, folder) for each in DASHBOARDS}]
    for path in changed:
        path.unlink()
    for dashboard in DASHBOARDS:
        path = generated(dashboard, folder)
        if not path.exists() or path.read_text(encoding="utf-8") != text(dashboard):
            path.write_text(text(dashboard), encoding="utf-8")
            changed.append(path)
    return changed


def check(folder: Path = GENERATED) -> list[Finding]:
    """Return what is wrong: JSON that is not what the code makes, and what the lint finds in it."""
    return [*_differences(folder), *(found for each in DASHBOARDS for found in findings(each.to_json_data()))]


def _differences(folder: Path) -> Iterator[Finding]:
    wanted = {generated(dashboard, folder): dashboard for dashboard in DASHBOARDS}
    for path, dashboard in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text(dashboard):
            yield Finding(dashboard.uid, "", "generated", f"{path.name} is not what the code makes: build it again")
    for path in sorted(folder.glob("*.json")):
        if path not in wanted:
            yield Finding("", "", "generated", f"{path.name} belongs to no dashboard: build again to remove it")
