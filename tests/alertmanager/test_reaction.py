"""The shipped rules in a real Prometheus that gets counters by OTLP, as the collector sends them."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from spyglass import names
from spyglass.assets import folder
from spyglass.prometheus_names import STATUS_CODE_ERROR, STATUS_CODE_LABEL
from spyglass.stores import Prometheus
from tests.alertmanager.conftest import Program, eventually, free_port, post, running

pytestmark = pytest.mark.stack

EXTERNAL = {"spyglass_server_url": "http://127.0.0.1:8400", "spyglass_grafana_url": "http://127.0.0.1:3000"}
RESOURCE = [
    {"key": key, "value": {"stringValue": value}}
    for key, value in {names.SERVICE_NAME: "checkout", names.ORGANIZATION: "acme", names.PROJECT: "shop"}.items()
]


@contextmanager
def prometheus(program: Program, path: Path) -> Iterator[Prometheus]:
    """Run the real Prometheus with the shipped rules and the flags of the stack."""
    config = {
        "global": {"external_labels": EXTERNAL},
        "otlp": {"promote_resource_attributes": [names.SERVICE_NAME, names.ORGANIZATION, names.PROJECT]},
        "rule_files": [str(folder("alertmanager") / "rules" / "*.yaml")],
    }
    (path / "prometheus.yml").write_text(yaml.safe_dump(config))
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        program("prometheus"),
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--web.enable-otlp-receiver",
        "--enable-feature=exemplar-storage,created-timestamp-zero-ingestion",
    ]
    with running(command, f"{url}/-/ready", path):
        yield Prometheus(url)


def push(store: Prometheus, agent: str, began: int, counts: Mapping[str, int]) -> None:
    """Send the runs of an agent so far, by status, as cumulative counters that began at this Unix time (ns)."""
    points = [
        {
            "startTimeUnixNano": str(began),
            "timeUnixNano": str(time.time_ns()),
            "asInt": str(count),
            "attributes": [
                {"key": key, "value": {"stringValue": value}}
                for key, value in {names.KIND: "agent", names.AGENT_NAME: agent, STATUS_CODE_LABEL: status}.items()
            ],
        }
        for status, count in counts.items()
    ]
    counter = {
        "name": names.CALLS.name,
        "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": points},
    }
    body: dict[str, Any] = {
        "resourceMetrics": [{"resource": {"attributes": RESOURCE}, "scopeMetrics": [{"metrics": [counter]}]}]
    }
    post(f"{store.url}/api/v1/otlp/v1/metrics", body)


def test_the_first_runs_of_a_new_agent_fire_exactly(program: Program, tmp_path: Path) -> None:
    """10 failing of 20 runs, on counters that did not exist before, fire with exact numbers; 9 of 9 runs do not."""
    with prometheus(program, tmp_path) as store:
        began = time.time_ns()
        push(store, "few", began, {STATUS_CODE_ERROR: 9})
        push(store, "planner", began, {STATUS_CODE_ERROR: 10, "STATUS_CODE_OK": 10})
        eventually(lambda: store.value('agent:spyglass_runs:delta5m{gen_ai_agent_name="few"}'), lambda n: n == 9)
        (alert,) = eventually(store.alerts)
        assert alert["state"] == "firing"
        assert alert["labels"]["alertname"] == "AgentErrorRateHigh"
        assert (alert["labels"]["organization"], alert["labels"]["agent"]) == ("acme", "planner")
        assert alert["annotations"]["description"].startswith("10 of 20 runs of agent planner in service checkout ")
        assert alert["annotations"]["runbook_url"] == f"{EXTERNAL['spyglass_server_url']}/runbooks/AgentErrorRateHigh"
        assert alert["annotations"]["dashboard_url"].startswith(f"{EXTERNAL['spyglass_grafana_url']}/d/spyglass-")
        # increase() would have taken the 9 runs of the young counter for more than 10.
        assert store.value('increase(spyglass_calls_total{gen_ai_agent_name="few"}[5m])') != 9


def test_failures_that_appear_late_are_all_counted(program: Program, tmp_path: Path) -> None:
    """An agent that worked for long and then fails is judged by the failures of the very first sample that has any."""
    with prometheus(program, tmp_path) as store:
        began = time.time_ns() - 3_600 * 10**9
        push(store, "veteran", began, {"STATUS_CODE_OK": 12})
        eventually(lambda: store.value("sum(agent:spyglass_runs:delta5m)"), lambda n: n == 12)
        push(store, "veteran", began, {"STATUS_CODE_OK": 12, STATUS_CODE_ERROR: 12})
        (alert,) = eventually(store.alerts)
        assert alert["annotations"]["description"].startswith("12 of 24 runs ")
