"""Every query of every panel answers with data on its real store."""

import json
import subprocess
import sys
import time
import uuid
from typing import Any

import pytest

from grafana import build
from grafana.live import PanelQuery
from spyglass.bench.senders import Sender, Tally
from spyglass.probes.catalog import maker
from spyglass.probes.export.points import Points
from tests.conftest import Running, eventually
from tests.e2e.test_alerting import FLAKY
from tests.e2e.test_spine import run_agent

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

DASHBOARDS = [json.loads(path.read_text()) for path in sorted(build.GENERATED.glob("*.json"))]
# What the GPU probe sends of one GPU; there is none where tests run.
GPU = {"hw.id": "GPU-0", "hw.name": "0", "hw.model": "H100", "hw.vendor": "NVIDIA"}


@pytest.fixture(scope="module")
def fleet(running: Running) -> Running:
    """Send what a fleet sends: runs that work and fail, their models and logs, a host's and a GPU's readings."""
    run_agent(running, f"shop-{uuid.uuid4().hex[:8]}")
    subprocess.run([sys.executable, "-c", FLAKY, running.endpoint, f"flaky-{uuid.uuid4().hex[:8]}"], check=True)
    series = maker(time.time_ns())
    samples = [
        (series("hw.gpu.utilization", GPU | {"hw.gpu.task": "general"}), 0.5),
        (series("hw.gpu.memory.utilization", GPU), 0.25),
    ]
    host = eventually(lambda: running.prometheus.query("group by (host_name) (system_memory_limit_bytes)"))
    resource = {"service.name": "gpus", "host.name": host[0].labels["host_name"]}
    sender = Sender(running.settings.port("otlp_http"), Tally())
    sender.post("/v1/metrics", Points(resource).serialise(samples, time.time_ns()))
    sender.close()
    return running


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard["uid"])
def test_every_panel_has_data(fleet: Running, dashboard: dict[str, Any]) -> None:
    """No query of the dashboard fails, and none is empty, not even those that may be on a quiet day."""
    stores = build.Stores(fleet.prometheus, fleet.tempo, fleet.warehouse)
    silent: list[PanelQuery] = []

    def ask() -> list[PanelQuery]:
        silent[:] = [query for query in build.queries(dashboard, step_seconds=5) if not stores.run(query)]
        return silent

    eventually(ask, lambda found: not found)


def test_durations_carry_exemplars_that_lead_to_a_trace(fleet: Running) -> None:
    """The dots over the chart of durations name traces that Tempo has."""
    stores = build.Stores(fleet.prometheus, fleet.tempo, fleet.warehouse)
    asked = [query for query in build.queries(DASHBOARDS[0]) if query.exemplars]
    assert asked
    dots = eventually(lambda: [dot for query in asked for dot in stores.exemplars(query)])
    assert fleet.tempo.trace(dots[-1]["trace_id"])
