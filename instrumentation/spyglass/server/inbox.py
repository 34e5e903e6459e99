"""Turn Alertmanager's webhook messages into rows of the warehouse's table ``alert_notifications``.

The message's form (version 4): https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from spyglass.errors import UsageError

VERSION = "4"
# Alertmanager writes the year 1 for an alert that has not ended.
NOT_ENDED = "0001-01-01"


class InboxMessageError(UsageError):
    """A message is not what Alertmanager sends."""


def rows(message: object, received_at: datetime) -> list[dict[str, object]]:
    """Return one row per alert in the message; raises InboxMessageError naming the place that is wrong."""
    top = _mapping(message, "the message")
    if top.get("version") != VERSION:
        raise InboxMessageError(f"version is {top.get('version')!r}, not {VERSION!r}: is this Alertmanager's webhook?")
    alerts = top.get("alerts")
    if not isinstance(alerts, list):
        raise InboxMessageError("alerts is not a list.")
    return [_row(_mapping(alert, f"alerts[{at}]"), top, received_at) for at, alert in enumerate(alerts)]


def _row(alert: Mapping[str, Any], top: Mapping[str, Any], received_at: datetime) -> dict[str, object]:
    labels = _texts(alert.get("labels"), "labels")
    annotations = _texts(alert.get("annotations"), "annotations")
    ends_at = str(alert.get("endsAt", NOT_ENDED))
    return {
        "received_at": received_at,
        "status": alert.get("status", "firing"),
        "alert": labels.get("alertname", ""),
        "severity": labels.get("severity", ""),
        "organization": labels.get("organization", ""),
        "project": labels.get("project", ""),
        "agent": labels.get("agent", ""),
        "component": labels.get("component", ""),
        "summary": annotations.get("summary", ""),
        "description": annotations.get("description", ""),
        "labels": labels,
        "annotations": annotations,
        "starts_at": _time(str(alert.get("startsAt")), "startsAt"),
        "ends_at": None if ends_at.startswith(NOT_ENDED) else _time(ends_at, "endsAt"),
        "fingerprint": alert.get("fingerprint", ""),
        "group_key": top.get("groupKey", ""),
        "receiver": top.get("receiver", ""),
    }


def _mapping(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InboxMessageError(f"{place} is not an object.")
    return value


def _texts(value: object, place: str) -> dict[str, str]:
    return {str(key): str(text) for key, text in _mapping(value or {}, place).items()}


def _time(text: str, place: str) -> datetime:
    """Read RFC 3339 with up to nanoseconds, of which Python keeps microseconds."""
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        raise InboxMessageError(f"{place} is {text!r}, which is no time.") from None
    return moment.astimezone(UTC)
