"""Run the whole stack: every part, as a user has it."""

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from spyglass.settings import Settings, load
from spyglass.stack import doctor, status
from spyglass.stack.finding import Verdict
from spyglass.stack.local import LocalStack
from spyglass.stack.parts import PARTS
from spyglass.warehouse import client
from tests.stack.conftest import LISTENING, eventually, post

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]
REQUESTS, SPANS = 40, 25
COUNT = "SELECT count() AS rows, uniqExact(span_id) AS spans FROM spans WHERE service = {service:String}"


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """Run every part but Grafana."""
    with LocalStack() as running:
        yield running


def _send(settings: Settings, service: str, spans: int, size: int = 10) -> None:
    now, trace = time.time_ns(), secrets.token_hex(16)
    text = {"key": "text", "value": {"stringValue": "x" * size}}
    made = [
        {
            "traceId": trace,
            "spanId": secrets.token_hex(8),
            "name": "work",
            "startTimeUnixNano": str(now - 10**6),
            "endTimeUnixNano": str(now),
            "attributes": [text],
        }
        for _ in range(spans)
    ]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": made}]}]}
    post(settings.port("otlp_http"), "/v1/traces", body)


def test_every_part_gets_ready(stack: LocalStack) -> None:
    """All parts run, are ready, and have not been restarted."""
    rows = {row.part: (row.state, row.ready, row.restarts) for row in status.rows(stack.settings)}
    assert set(rows) == {*PARTS, "process-compose"} - {"grafana"}
    assert set(rows.values()) == {("running", True, 0)}


def test_parts_start_after_what_they_need(stack: LocalStack) -> None:
    """Each part's process is younger than those of the parts that it needs."""
    started = {part: psutil.Process(pid).create_time() for part, pid in stack.processes().items()}
    for part in PARTS.values():
        assert all(started[need] < started[part.name] for need in part.needs if part.name in started)


def test_every_socket_of_every_part_is_loopback(stack: LocalStack) -> None:
    """The whole stack listens on loopback only, on ports of its settings, and on all of them but what nobody needs."""
    family = [process for pid in stack.processes().values() for process in _family(pid)]
    found = [one for process in family for one in process.net_connections(kind="inet") if one.status in LISTENING]
    assert {one.laddr.ip for one in found} == {"127.0.0.1"}
    settings = stack.settings
    # Tempo's one member of its rings has nobody to gossip with, so it does not listen for gossip.
    unused = {settings.port("grafana"), settings.port("tempo_memberlist")}
    assert {one.laddr.port for one in found} | unused == set(settings.ports().values())


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def test_the_doctor_finds_a_whole_stack_well(stack: LocalStack) -> None:
    """On a whole, fresh stack no check about it fails."""
    found = list(doctor.examine(load({"data_dir": stack.settings.data_dir, "instrument": "none"})))
    assert [finding.sentence for _, finding in found if finding.verdict is Verdict.FAILED] == []
    assert ("collector", "nothing refused and nothing lost since it started") in [(n, f.sentence) for n, f in found]


def test_down_loses_nothing_that_was_acknowledged(data: Path) -> None:
    """What was acknowledged a moment before the stack was stopped is in the warehouse when it runs again, once."""
    service = f"down-{secrets.token_hex(4)}"
    with LocalStack(("warehouse", "collector"), data_dir=data) as stack:
        for _ in range(REQUESTS):
            _send(stack.settings, service, SPANS)
    with LocalStack(("warehouse", "collector"), data_dir=data) as stack:
        reader = client.reader(stack.settings)
        eventually(lambda: int(reader.rows(COUNT, service=service)[0]["spans"]) == REQUESTS * SPANS)
        (row,) = reader.rows(COUNT, service=service)
        assert int(row["rows"]) == REQUESTS * SPANS


def test_a_request_that_is_too_large_is_refused_and_named(stack: LocalStack) -> None:
    """A request over 64 MiB is refused, and the doctor counts it and names the counter."""
    with pytest.raises(OSError, match=r"400|reset|pipe"):
        _send(stack.settings, "large", 1, size=70 << 20)
    found = doctor.examine(load({"data_dir": stack.settings.data_dir, "instrument": "none"}))
    sentences = [one.sentence for name, one in found if name == "collector" and one.verdict is Verdict.FAILED]
    counter = "larger than 64 MiB (http_server_request_duration_count, /v1/traces)"
    assert [sentence for sentence in sentences if counter in sentence]
