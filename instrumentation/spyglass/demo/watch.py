"""Watch which alerts fire while the fleet works, and where Alertmanager sends them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from spyglass import stores
from spyglass.errors import StoreError
from spyglass.settings import Settings


class AlertWatch:
    """Remember every alert that was seen firing."""

    def __init__(self, settings: Settings) -> None:
        self._prometheus = stores.prometheus(settings)
        self._alertmanager = stores.alertmanager(settings)
        self._seen: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}

    def look(self) -> None:
        """Ask Prometheus what fires, and Alertmanager who is told; a store that is away is asked again next time."""
        with suppress(StoreError):
            for alert in self._prometheus.alerts():
                if alert["state"] == "firing":
                    self._note(alert["labels"], state="firing", active_at=alert["activeAt"])
            for alert in self._alertmanager.alerts():
                receivers = [receiver["name"] for receiver in alert["receivers"]]
                self._note(alert["labels"], receivers=receivers, summary=alert["annotations"].get("summary", ""))

    def alerts(self) -> list[dict[str, Any]]:
        """Return what was seen, each with alert, labels, state, active_at, receivers and summary."""
        return list(self._seen.values())

    def _note(self, labels: dict[str, str], **found: object) -> None:
        empty = {"alert": labels["alertname"], "labels": labels, "state": "", "active_at": "", "receivers": []}
        self._seen.setdefault(tuple(sorted(labels.items())), empty).update(found)
