"""List the alerts that arrived in the local inbox."""

from __future__ import annotations

import argparse
import json

from spyglass.settings import load
from spyglass.stack.running import attach
from spyglass.warehouse import client

COLUMNS = ("received_at", "status", "severity", "alert", "agent", "summary", "receiver")
NOTIFICATIONS = """
SELECT toString(received_at) AS received_at, status, severity, alert, organization, project, agent, component, summary,
       description, toString(starts_at) AS starts_at, toString(ends_at) AS ends_at, fingerprint, receiver
FROM alert_notifications
ORDER BY received_at DESC
LIMIT {limit:UInt32}
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--limit", type=int, default=50, help="how many of the newest (default 50)")
    parser.add_argument("--json", action="store_true", help="print one JSON object per notification")


def run(arguments: argparse.Namespace) -> int:
    """Print the newest notifications first."""
    warehouse = client.reader(attach(load().settings))
    for row in warehouse.rows(NOTIFICATIONS, limit=arguments.limit):
        if arguments.json:
            print(json.dumps(row))
        else:
            print("  ".join(str(row[column]) for column in COLUMNS))
    return 0
