"""Ask Prometheus, Tempo and Alertmanager over their HTTP APIs; the warehouse has its own client."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple

from spyglass.errors import StoreError
from spyglass.settings import Settings

TIMEOUT_SECONDS = 10.0
NOT_FOUND = 404
# The stores are on loopback, where a proxy of the environment cannot reach them.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Sample(NamedTuple):
    """Hold one series of an instant query: its labels and its value."""

    labels: Mapping[str, str]
    value: float


class _Store:
    """Fetch JSON from one store; every failure is a StoreError naming it."""

    name = ""

    def __init__(self, url: str) -> None:
        self.url = url

    def _get(self, path: str, **parameters: object) -> Any:
        query = urllib.parse.urlencode({key: value for key, value in parameters.items() if value is not None})
        address = f"{self.url}{path}?{query}" if query else self.url + path
        try:
            with OPENER.open(address, timeout=TIMEOUT_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == NOT_FOUND:
                return None
            raise StoreError(
                f"{self.name} at {self.url} answered {error.code}: {error.read(300).decode()!r}."
            ) from None
        except (OSError, ValueError) as error:
            raise StoreError(f"{self.name} at {self.url} does not answer ({error}).") from None


class Prometheus(_Store):
    """Ask PromQL."""

    name = "Prometheus"

    def query(self, expression: str) -> list[Sample]:
        """Return the samples of an instant query; an empty list where there is no series."""
        answer = self._get("/api/v1/query", query=expression)
        result = answer["data"]["result"]
        if answer["data"]["resultType"] == "scalar":
            return [Sample({}, float(result[1]))]
        return [Sample(row["metric"], float(row["value"][1])) for row in result]

    def value(self, expression: str) -> float | None:
        """Return the value of a query for one series; None where there is no series."""
        samples = self.query(expression)
        return samples[0].value if samples else None

    def range(self, expression: str, start: float, end: float, step_seconds: float) -> list[dict[str, Any]]:
        """Return the series of a range query, each with ``metric`` and ``values`` as Prometheus sends them."""
        answer = self._get("/api/v1/query_range", query=expression, start=start, end=end, step=step_seconds)
        series: list[dict[str, Any]] = answer["data"]["result"]
        return series

    def exemplars(self, expression: str, start: float, end: float) -> list[dict[str, Any]]:
        """Return the exemplars of a query's series, each with ``labels``, ``timestamp`` and ``value`` (text)."""
        answer = self._get("/api/v1/query_exemplars", query=expression, start=start, end=end)
        return [exemplar for series in answer["data"] for exemplar in series["exemplars"]]

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that are pending or firing."""
        alerts: list[dict[str, Any]] = self._get("/api/v1/alerts")["data"]["alerts"]
        return alerts


class Tempo(_Store):
    """Ask for traces by id or by TraceQL."""

    name = "Tempo"

    def trace(self, trace_id: str) -> dict[str, Any] | None:
        """Return a trace as OTLP/JSON (key ``batches``); None where Tempo has none of this id."""
        answer: dict[str, Any] | None = self._get(f"/api/traces/{trace_id}")
        return answer

    def search(self, traceql: str, start: int, end: int, limit: int = 20) -> list[dict[str, Any]]:
        """Return the traces that match between two Unix times in seconds, newest first."""
        answer = self._get("/api/search", q=traceql, start=start, end=end, limit=limit)
        found: list[dict[str, Any]] = answer.get("traces") or []
        return found


class Alertmanager(_Store):
    """Ask for alerts and where they go."""

    name = "Alertmanager"

    def alerts(self) -> list[dict[str, Any]]:
        """Return the active alerts, each with ``labels``, ``annotations``, ``status`` and ``receivers``."""
        alerts: list[dict[str, Any]] = self._get("/api/v2/alerts")
        return alerts


def prometheus(settings: Settings) -> Prometheus:
    """Return the client of the local stack's Prometheus."""
    return Prometheus(address(settings, "prometheus"))


def tempo(settings: Settings) -> Tempo:
    """Return the client of the local stack's Tempo."""
    return Tempo(address(settings, "tempo"))


def alertmanager(settings: Settings) -> Alertmanager:
    """Return the client of the local stack's Alertmanager."""
    return Alertmanager(address(settings, "alertmanager"))


def address(settings: Settings, port: str) -> str:
    """Return the loopback address of a part by the name of its port setting."""
    return f"http://127.0.0.1:{settings.port(port)}"
