"""See that the Prometheus of the stack takes OTLP as the rest of the stack needs it."""

import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from spyglass.stack.local import LocalStack
from tests.stack.conftest import eventually, get, post

pytestmark = pytest.mark.stack
SECOND = 10**9
RESOURCE = {
    "service.name": "prometheus-test",
    "service.namespace": "space",
    "service.version": "1.2",
    "service.instance.id": "one",
    "deployment.environment.name": "test",
    "host.name": "here",
    "spyglass.organization": "acme",
    "spyglass.project": "support",
    "process.pid": "7",
}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """Run a Prometheus with an Alertmanager to send alerts to."""
    with LocalStack(("prometheus", "alertmanager")) as running:
        yield running


def _send(stack: LocalStack, metric: dict[str, Any]) -> None:
    resource = {"attributes": [{"key": key, "value": {"stringValue": value}} for key, value in RESOURCE.items()]}
    body = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}
    post(stack.settings.port("prometheus"), "/api/v1/otlp/v1/metrics", body)


def _counter(name: str, value: int, at: int, start: int) -> dict[str, Any]:
    point = {"asInt": str(value), "timeUnixNano": str(at), "startTimeUnixNano": str(start)}
    return {"name": name, "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [point]}}


def _query(stack: LocalStack, expression: str, **more: object) -> list[dict[str, Any]]:
    words = urllib.parse.urlencode({"query": expression, **more})
    found: list[dict[str, Any]] = get(stack.settings.port("prometheus"), f"/api/v1/query?{words}")["data"]["result"]
    return found


def test_resource_attributes_become_labels(stack: LocalStack) -> None:
    """The promoted attributes of a resource are labels of its series; others are not."""
    now = time.time_ns()
    _send(stack, _counter("labels", 1, now, now - SECOND))
    (row,) = _query(stack, "labels_total")
    promoted = {key.replace(".", "_"): value for key, value in RESOURCE.items() if key != "process.pid"}
    assert row["metric"] == {"__name__": "labels_total", "job": "space/prometheus-test", "instance": "one"} | promoted


def test_the_first_increase_of_a_counter_counts(stack: LocalStack) -> None:
    """A counter that starts with 35 has increased by 35: its start time is taken as a 0."""
    now = time.time_ns()
    _send(stack, _counter("first", 35, now - SECOND, now - 20 * SECOND))
    _send(stack, _counter("first", 40, now, now - 20 * SECOND))
    (row,) = _query(stack, "increase(first_total[1m])")
    assert float(row["value"][1]) >= 40


def test_late_samples_are_taken(stack: LocalStack) -> None:
    """A sample that is 20 minutes older than the newest is stored: the collector's queue may hold it so long."""
    now = time.time_ns()
    start = now - 3_600 * SECOND
    _send(stack, _counter("late", 9, now, start))
    _send(stack, _counter("late", 4, now - 1_200 * SECOND, start))
    (row,) = _query(stack, "late_total", time=(now // SECOND) - 1_199)
    assert row["value"][1] == "4"


def test_exemplars_are_kept(stack: LocalStack) -> None:
    """An exemplar of a histogram can be asked for with the trace that it comes from."""
    now, trace = time.time_ns(), "0af7651916cd43dd8448eb211c80319c"
    exemplar = {"timeUnixNano": str(now), "asDouble": 0.3, "traceId": trace, "spanId": "b7ad6b7169203331"}
    point = {
        "timeUnixNano": str(now),
        "startTimeUnixNano": str(now - SECOND),
        "count": "1",
        "sum": 0.3,
        "bucketCounts": ["0", "1", "0"],
        "explicitBounds": [0.1, 1],
        "exemplars": [exemplar],
    }
    _send(stack, {"name": "took", "unit": "s", "histogram": {"aggregationTemporality": 2, "dataPoints": [point]}})
    words = urllib.parse.urlencode(
        {"query": "took_seconds_bucket", "start": now // SECOND - 60, "end": now // SECOND + 1}
    )
    found = get(stack.settings.port("prometheus"), f"/api/v1/query_exemplars?{words}")["data"]
    assert [one["labels"]["trace_id"] for series in found for one in series["exemplars"]] == [trace]


def test_every_part_is_scraped_and_alertmanager_is_known(stack: LocalStack) -> None:
    """Prometheus asks each part for its own metrics, and knows where to send alerts."""
    port = stack.settings.port("prometheus")
    jobs = {"collector", "warehouse", "prometheus", "tempo", "alertmanager", "server"}
    eventually(lambda: {row["metric"]["job"] for row in _query(stack, "up")} == jobs)
    assert {row["metric"]["job"] for row in _query(stack, "up == 1")} == {"prometheus", "alertmanager"}
    known = eventually(lambda: get(port, "/api/v1/alertmanagers")["data"]["activeAlertmanagers"])
    assert known == [{"url": f"http://127.0.0.1:{stack.settings.port('alertmanager')}/api/v2/alerts"}]


def test_the_rules_of_the_project_are_loaded(stack: LocalStack) -> None:
    """Every file of rules is loaded and healthy."""
    groups = get(stack.settings.port("prometheus"), "/api/v1/rules")["data"]["groups"]
    assert groups
    assert {rule["health"] for group in groups for rule in group["rules"]} <= {"ok", "unknown"}
    assert all("/alertmanager/rules/" in group["file"] for group in groups)


def test_it_has_a_page(stack: LocalStack) -> None:
    """A browser that opens Prometheus gets a page that says where to look."""
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.settings.port('prometheus')}/query", timeout=10) as answer:
        page = answer.read().decode()
    assert "<h1>Prometheus</h1>" in page
    assert "/api/v1/alerts" in page
