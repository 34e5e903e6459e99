"""Make the links that lead from a value in a panel to where one looks next."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from grafana.targets import TEMPO

PLACE = "TRACE_ID"


def trace(field: str) -> dict[str, Any]:
    """Return a link to the trace whose id stands in this field of the same row, opened in Grafana's Explore."""
    pane = {
        "datasource": TEMPO["uid"],
        "queries": [{"refId": "A", "datasource": TEMPO, "queryType": "traceql", "query": PLACE}],
        "range": {"from": "now-24h", "to": "now"},
    }
    # The id is put in by Grafana, so its placeholder must not be quoted with the rest.
    panes = quote(json.dumps({"trace": pane}, separators=(",", ":"))).replace(PLACE, f"${{__data.fields.{field}}}")
    return {"title": "Open the trace", "url": f"/explore?schemaVersion=1&panes={panes}", "targetBlank": False}
