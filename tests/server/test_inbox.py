from datetime import UTC, datetime
from typing import Any

import pytest

from spyglass.server.inbox import InboxMessageError, rows

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ALERT: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "AgentErrorRateHigh", "severity": "high", "agent": "planner", "organization": "acme"},
    "annotations": {"summary": "planner fails", "description": "half of its runs"},
    "startsAt": "2026-11-21T11:59:58.123456789Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "fingerprint": "abc",
}
MESSAGE: dict[str, Any] = {"version": "4", "receiver": "inbox", "groupKey": "{}", "alerts": [ALERT]}


def test_an_alert_becomes_a_row() -> None:
    """Labels and annotations are columns, times are UTC, and an alert that goes on has no end."""
    (row,) = rows(MESSAGE, NOW)
    assert (row["alert"], row["severity"], row["agent"], row["project"]) == (
        "AgentErrorRateHigh",
        "high",
        "planner",
        "",
    )
    assert row["starts_at"] == datetime(2026, 11, 21, 11, 59, 58, 123456, tzinfo=UTC)
    assert row["ends_at"] is None
    assert (row["received_at"], row["receiver"], row["summary"]) == (NOW, "inbox", "planner fails")


def test_a_resolved_alert_has_an_end() -> None:
    """The end of a resolved alert is read, whatever its time zone."""
    (row,) = rows(MESSAGE | {"alerts": [ALERT | {"status": "resolved", "endsAt": "2026-11-21T13:00:00+01:00"}]}, NOW)
    assert (row["status"], row["ends_at"]) == ("resolved", datetime(2026, 11, 21, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ([], "the message is not an object"),
        ({}, "version is None"),
        (MESSAGE | {"version": "3"}, "version is '3'"),
        (MESSAGE | {"alerts": {}}, "alerts is not a list"),
        (MESSAGE | {"alerts": [1]}, r"alerts\[0\] is not an object"),
        (MESSAGE | {"alerts": [ALERT | {"labels": 1}]}, "labels is not an object"),
        (MESSAGE | {"alerts": [ALERT | {"startsAt": "soon"}]}, "startsAt is 'soon'"),
    ],
)
def test_other_messages_are_refused(message: object, sentence: str) -> None:
    """What is not Alertmanager's message is refused in one sentence that names the place."""
    with pytest.raises(InboxMessageError, match=sentence):
        rows(message, NOW)
