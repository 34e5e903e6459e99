"""What leaves the process, and what happens when nobody takes it."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

import spyglass
from spyglass.sdk.queue import BATCH_BYTES, BATCH_ITEMS
from spyglass.sdk.state import state
from spyglass.testing import capture
from tests.sdk.receiver import Receiver, receiving

QUIET: dict[str, Any] = {"probes": "none", "instrument": "none"}


def tools(count: int, prefix: str = "t") -> None:
    """Make spans."""
    for number in range(count):
        with spyglass.tool(f"{prefix}{number}"):
            pass


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_spans_logs_and_metrics_arrive_with_who_sent_them(receiver: Receiver) -> None:
    """Everything arrives by OTLP/HTTP with the resource that the settings describe."""
    spyglass.init(
        service="shop",
        organization="acme",
        project="web",
        environment="prod",
        release="1.2",
        demo=True,
        endpoint=receiver.endpoint + "/",
        **QUIET,
    )
    with spyglass.agent("a"):
        logging.getLogger("app").error("oh no")
    assert spyglass.flush(10)
    resource = receiver.spans()[0]["resource"]
    expected = {
        "service.name": "shop",
        "service.version": "1.2",
        "deployment.environment.name": "prod",
        "spyglass.organization": "acme",
        "spyglass.project": "web",
        "spyglass.demo": True,
        "host.name": socket.gethostname(),
    }
    assert expected.items() <= resource.items()
    assert {"service.instance.id", "process.pid", "telemetry.sdk.version"} <= resource.keys()
    assert receiver.spans()[0]["scope"] == "spyglass"
    assert receiver.logs()[0]["span_id"] == receiver.spans()[0]["span_id"]
    assert "spyglass.sdk.queue.size" in receiver.metric_names()


def test_absent_settings_are_absent_from_the_resource(receiver: Receiver) -> None:
    """Organization, project and the rest are not sent when they are not set."""
    spyglass.init(endpoint=receiver.endpoint, **QUIET)
    tools(1)
    spyglass.flush(10)
    resource = receiver.spans()[0]["resource"]
    assert not {"spyglass.organization", "spyglass.project", "spyglass.demo", "service.version"} & resource.keys()


def test_the_token_of_the_day_is_sent(receiver: Receiver, tmp_path: Path) -> None:
    """The bearer token is read from its file at each request, so a renewed one is used."""
    token = tmp_path / "token"
    token.write_text("first\n")
    spyglass.init(endpoint=receiver.endpoint, token_file=str(token), **QUIET)
    tools(1)
    assert spyglass.flush(10)
    token.write_text("second\n")
    tools(1)
    assert spyglass.flush(10)
    sent = [headers["Authorization"] for path, _, headers in receiver.requests if path == "/v1/traces"]
    assert sent == ["Bearer first", "Bearer second"]


def test_a_missing_token_file_is_named_and_nothing_is_sent_without_it(
    receiver: Receiver, tmp_path: Path, said: pytest.LogCaptureFixture
) -> None:
    """Without its token nothing is sent, and the warning names the file."""
    spyglass.init(endpoint=receiver.endpoint, token_file=str(tmp_path / "none"), **QUIET)
    tools(1)
    spyglass.flush(3)
    assert receiver.requests == []
    spyglass.shutdown()
    assert str(tmp_path / "none") in said.text


def test_without_a_collector_the_program_runs_on_with_one_warning(said: pytest.LogCaptureFixture) -> None:
    """Spans wait for the collector; the warning comes once, and the end of the process counts what was lost."""
    spyglass.init(endpoint=f"http://127.0.0.1:{free_port()}", export_interval_ms=10, **QUIET)
    runtime = state.runtime
    assert runtime is not None
    for _ in range(3):
        tools(5)
        spyglass.flush(0.3)
    assert spyglass.dropped() == {}
    started = time.monotonic()
    spyglass.shutdown()
    assert time.monotonic() - started < 5
    warnings = [record.getMessage() for record in said.records if record.levelno == logging.WARNING]
    assert len(warnings) == 2
    assert "does not answer (connection refused)" in warnings[0]
    assert warnings[1] == "spyglass: 15 spans and logs could not be sent before the end."
    assert {(s.value, r.value): n for (s, r), n in runtime.dropped().items()} == {("spans", "shutdown"): 15}


def test_the_collectors_return_is_said_and_what_waited_arrives(said: pytest.LogCaptureFixture) -> None:
    """When the collector comes back, everything that waited arrives, and one line says so."""
    port = free_port()
    spyglass.init(endpoint=f"http://127.0.0.1:{port}", export_interval_ms=10, **QUIET)
    tools(7)
    spyglass.flush(0.5)
    with receiving(port) as receiver:
        receiver.wait(lambda: len(receiver.spans()) == 7)
        receiver.wait(lambda: "answers again" in said.text)
        spyglass.shutdown()
    assert sorted(span["name"] for span in receiver.spans()) == [f"execute_tool t{number}" for number in range(7)]


def test_a_busy_collector_is_asked_again(receiver: Receiver) -> None:
    """503 and then 200: nothing is lost and nothing counted."""
    receiver.script = [503]
    spyglass.init(endpoint=receiver.endpoint, logs=False, metric_interval_ms=600_000, **QUIET)
    tools(3)
    assert spyglass.flush(20)
    assert len(receiver.spans()) == 3
    assert spyglass.dropped() == {}
    assert [status for path, status, _ in receiver.requests if path == "/v1/traces"] == [503, 200]


def test_a_connection_that_dies_in_the_middle_is_tried_again(receiver: Receiver) -> None:
    """A collector that dies while it reads gets the same spans again, each once."""
    receiver.script = [0, 0]
    spyglass.init(endpoint=receiver.endpoint, metric_interval_ms=600_000, **QUIET)
    tools(3)
    assert spyglass.flush(20)
    assert sorted(span["name"] for span in receiver.spans()) == [
        "execute_tool t0",
        "execute_tool t1",
        "execute_tool t2",
    ]
    assert spyglass.dropped() == {}


def test_a_slow_collector_never_blocks_the_caller(receiver: Receiver) -> None:
    """While a request hangs the program goes on, and what it ends meanwhile is sent afterwards."""
    release = threading.Event()

    def slowly(_: BaseHTTPRequestHandler) -> int:
        release.wait(20)
        return 200

    receiver.script = [slowly]
    spyglass.init(endpoint=receiver.endpoint, metric_interval_ms=600_000, **QUIET)
    tools(1, "first")
    assert not spyglass.flush(0.3)
    tools(1_000, "meanwhile")
    assert len(receiver.spans()) == 0
    release.set()
    assert spyglass.flush(20)
    assert len(receiver.spans()) == 1_001


def test_what_the_collector_refuses_is_dropped_and_counted(receiver: Receiver, said: pytest.LogCaptureFixture) -> None:
    """A 401 is not retried: counted as export_failed, said once, and visible as a metric."""
    receiver.script = [401, 401]
    spyglass.init(endpoint=receiver.endpoint, metric_interval_ms=600_000, **QUIET)
    tools(2)
    spyglass.flush(10)
    assert spyglass.dropped() == {"spans": {"export_failed": 2}}
    assert said.text.count("refused spans with HTTP 401") == 1
    assert "opentelemetry" not in {record.name.partition(".")[0] for record in said.records}


def test_a_full_queue_drops_what_is_new_and_counts_it() -> None:
    """Beyond the queue's size spans are dropped by reason queue_full, in dropped() and in the metric."""
    with capture(queue_size=10, export_interval_ms=600_000) as captured:
        tools(25)
        assert spyglass.dropped() == {"spans": {"queue_full": 15}}
        assert captured.points("spyglass.sdk.dropped") == [
            ({"spyglass.signal": "spans", "spyglass.drop.reason": "queue_full"}, 15)
        ]
        assert [span.name for span in captured.spans] == [f"execute_tool t{number}" for number in range(10)]


def test_requests_are_bounded_by_items_and_by_bytes(receiver: Receiver) -> None:
    """No request has more than 512 spans or much more than 4 MiB, unless one span alone is larger."""
    sizes: list[tuple[int, int]] = []
    take = receiver.take

    def measure(path: str, body: bytes) -> None:
        before = len(receiver.spans())
        take(path, body)
        sizes.append((len(receiver.spans()) - before, len(body)))

    receiver.take = measure  # type: ignore[method-assign]
    spyglass.init(endpoint=receiver.endpoint, metric_interval_ms=600_000, queue_size=20_000, logs=False, **QUIET)
    tools(1_500)
    for _ in range(20):
        with spyglass.tool("large") as handle:
            handle.set("text", "é" * 60_000)
            for number in range(8):
                handle.set(f"more{number}", "x" * 60_000)
    assert spyglass.flush(30)
    assert sum(count for count, _ in sizes) == 1_520
    assert max(count for count, _ in sizes) <= BATCH_ITEMS
    assert max(size for _, size in sizes) <= BATCH_BYTES * 1.1


def test_one_span_that_is_too_large_is_dropped_alone(said: pytest.LogCaptureFixture, receiver: Receiver) -> None:
    """A span above what receivers take is dropped and counted; the others arrive."""
    spyglass.init(endpoint=receiver.endpoint, metric_interval_ms=600_000, logs=False, **QUIET)
    with spyglass.tool("huge") as handle:
        for number in range(1_000):
            handle.set(f"text{number}", "x" * 65_000)
    tools(2)
    spyglass.flush(60)
    assert spyglass.dropped() == {"spans": {"too_large": 1}}
    assert sorted(span["name"] for span in receiver.spans()) == ["execute_tool t0", "execute_tool t1"]
    assert "drops spans above" in said.text


def test_a_request_that_is_too_large_for_the_collector_is_halved(receiver: Receiver) -> None:
    """413 for several spans sends them in halves; only a span refused alone is dropped."""
    receiver.script = [413, 413, 200, 200, 200]
    spyglass.init(endpoint=receiver.endpoint, metric_interval_ms=600_000, logs=False, **QUIET)
    tools(4)
    spyglass.flush(20)
    assert spyglass.dropped() == {}
    assert sorted(span["name"] for span in receiver.spans()) == [f"execute_tool t{number}" for number in range(4)]


def test_lone_surrogates_and_odd_numbers_spoil_nothing(receiver: Receiver) -> None:
    """Text that UTF-8 cannot say is mended in names, attributes, events and logs, of foreign spans too."""
    from opentelemetry import trace  # noqa: PLC0415 -- as a foreign instrumentor does

    spyglass.init(endpoint=receiver.endpoint, metric_interval_ms=600_000, **QUIET)
    broken = "a\ud800b"
    app = logging.getLogger("surrogates")
    app.propagate = False  # the test runner cannot report such a line either
    app.addHandler(logging.NullHandler())
    with trace.get_tracer("foreign").start_as_current_span(
        broken, attributes={broken: broken, "n": 2**70, "l": [broken]}
    ):
        app.error("log %s", broken)
    with suppress(ValueError), spyglass.tool(broken) as handle:
        handle.set("k", broken)
        raise ValueError(broken)
    assert spyglass.flush(10)
    assert spyglass.dropped() == {}
    alien, tool = receiver.spans()
    assert alien["name"] == "a?b"
    assert alien["attributes"]["a?b"] == "a?b"
    assert alien["attributes"]["l"] == ["a?b"]
    assert alien["attributes"]["n"] == hex(2**70)
    assert tool["attributes"]["k"] == "a?b"
    assert tool["message"] == "ValueError: a?b"
    assert tool["events"][0][1]["exception.message"] == "a?b"
    assert receiver.logs()[0]["body"] == "log a?b"


def test_everything_is_sent_when_the_process_ends(receiver: Receiver) -> None:
    """A short program's spans, logs and metrics arrive though it never calls flush()."""
    program = (
        "import logging, spyglass\n"
        f"spyglass.init(service='short', endpoint={receiver.endpoint!r}, probes='none', instrument='none')\n"
        "with spyglass.agent('a'): logging.getLogger('app').warning('bye')\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, timeout=60, check=True)
    assert [span["name"] for span in receiver.spans()] == ["invoke_agent a"]
    assert [log["body"] for log in receiver.logs()] == ["bye"]
    assert receiver.metric_names()
    assert done.stderr == b"bye\n"
