import http.client
import subprocess
import sys
import uuid

import pytest

from tests.conftest import Running, eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

FLAKY = """
import contextlib, sys, spyglass
spyglass.init(service="shop", endpoint=sys.argv[1], organization="acme", probes="none", instrument="none")
for at in range(20):
    with contextlib.suppress(ValueError), spyglass.agent(sys.argv[2]):
        if at % 2:
            raise ValueError("a tool exploded")
spyglass.shutdown()
"""


def test_failing_calls_of_an_agent_reach_the_receiver_and_the_inbox(running: Running) -> None:
    """Ten of twenty runs fail: a message reaches the webhook, and the alert is listed by `spyglass alerts`."""
    agent = f"flaky-{uuid.uuid4().hex[:8]}"
    subprocess.run([sys.executable, "-c", FLAKY, running.endpoint, agent], check=True)
    assert running.sink.wait(agent), "no message arrived"
    query = "SELECT status, severity, organization, summary FROM alert_notifications WHERE agent = {agent:String}"
    (row,) = eventually(lambda: running.warehouse.rows(query, agent=agent))
    assert (row["status"], row["severity"], row["organization"]) == ("firing", "high", "acme")
    assert row["summary"] == f"Agent {agent} fails 50% of its runs"


@pytest.mark.parametrize("body", [b"not JSON", b'{"version": "3"}'])
def test_the_inbox_refuses_what_is_no_alert(running: Running, body: bytes) -> None:
    """A message that Alertmanager did not send is answered with 400 and a sentence."""
    server = http.client.HTTPConnection("127.0.0.1", running.settings.port("server"), timeout=10)
    server.request("POST", "/api/alerts/inbox", body)
    answer = server.getresponse()
    assert (answer.status, len(answer.read().splitlines())) == (400, 1)
    server.close()


def test_runbooks_are_served(running: Running) -> None:
    """The address in an alert's runbook_url answers with the runbook; another name with the list of those there are."""
    server = http.client.HTTPConnection("127.0.0.1", running.settings.port("server"), timeout=10)
    for name, status, text in (("AgentErrorRateHigh", 200, "# AgentErrorRateHigh"), ("Nope", 404, "HostMemoryHigh")):
        server.request("GET", f"/runbooks/{name}")
        answer = server.getresponse()
        assert (answer.status, text in answer.read().decode()) == (status, True)
    server.close()
