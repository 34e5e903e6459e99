"""List the dashboards, in the order of the menu; a new one is a module here with a name DASHBOARD."""

from __future__ import annotations

from typing import Final

from grafana.dashboards import overview
from grafana.panels import Dashboard

DASHBOARDS: Final[tuple[Dashboard, ...]] = (overview.DASHBOARD,)
