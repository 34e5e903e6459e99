"""Measure the time from failing runs to the message in a receiver's sink."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import spyglass
from spyglass import stores
from spyglass.bench.figures import Figure, percentile
from spyglass.errors import BenchError
from spyglass.stack.local import LocalStack

REPEATS = 10
RUNS = 20
RUN_PAUSE_SECONDS = 0.2
GOAL_SECONDS = 8.0
PATIENCE_SECONDS = 60.0
ALERT = "AgentErrorRateHigh"


class Sink:
    """Receive Alertmanager's webhook on loopback and remember when which agent's alert arrived."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}
        self.news = threading.Condition()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sink.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Return the address that Alertmanager shall call."""
        return f"http://127.0.0.1:{self.server.server_port}/"

    def take(self, message: dict[str, list[dict[str, dict[str, str]]]]) -> None:
        """Note the time of the first message about each agent."""
        with self.news:
            for alert in message["alerts"]:
                if alert["labels"].get("alertname") == ALERT:
                    self.arrived.setdefault(alert["labels"].get("agent", ""), time.time())
            self.news.notify_all()

    def wait(self, agent: str) -> float | None:
        """Return when the agent's alert arrived, waiting for it; None when patience ends."""
        with self.news:
            self.news.wait_for(lambda: agent in self.arrived, timeout=PATIENCE_SECONDS)
            return self.arrived.get(agent)

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()


def measure(*, running: bool) -> list[Figure]:
    """Return the seconds from the first failing run, and from the last run, to the message: p95 of 10."""
    if running:
        raise BenchError("bench alert needs a receiver of its own and so a stack of its own.", "Leave out --stack.")
    sink = Sink()
    with tempfile.TemporaryDirectory() as folder:
        address = Path(folder, "webhook")
        address.write_text(sink.url, encoding="utf-8")
        with LocalStack(settings={"webhook_url_file": str(address)}) as stack:
            endpoint = stores.address(stack.settings, "otlp_http")
            spyglass.init(service="bench-alert", endpoint=endpoint, probes="none", instrument="none")
            times = [_trial(sink) for _ in range(REPEATS)]
            spyglass.shutdown()
    sink.close()
    from_first, from_last = zip(*times, strict=True)
    return [
        Figure("last of 20 runs (10 fail) to message, p50", percentile(from_last, 0.5), "s"),
        Figure(
            f"last of 20 runs (10 fail) to message, p95 of {REPEATS}", percentile(from_last, 0.95), "s", GOAL_SECONDS
        ),
        Figure(f"first failing run to message, p95 of {REPEATS}", percentile(from_first, 0.95), "s"),
    ]


def _trial(sink: Sink) -> tuple[float, float]:
    agent = f"flaky-{uuid.uuid4().hex[:8]}"
    first_failure, last = _runs(agent)
    arrived = sink.wait(agent)
    if arrived is None:
        return PATIENCE_SECONDS, PATIENCE_SECONDS
    return arrived - first_failure, arrived - last


class _PlannedError(Exception):
    """The failure of a run that is meant to fail."""


def _runs(agent: str) -> tuple[float, float]:
    """Make 20 runs of which every second fails; return when the first failed and when the last ended."""
    ended = []
    for at in range(RUNS):
        with contextlib.suppress(_PlannedError), spyglass.agent(agent):
            if at % 2 == 0:
                raise _PlannedError
        ended.append(time.time())
        time.sleep(RUN_PAUSE_SECONDS)
    return ended[0], ended[-1]
