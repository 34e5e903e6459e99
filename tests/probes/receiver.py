"""Receive OTLP metrics over HTTP on loopback."""

from __future__ import annotations

import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from spyglass.names import Instrument

CUMULATIVE = 2


class Point(NamedTuple):
    """Hold one received point."""

    name: str
    attributes: dict[str, str]
    instrument: Instrument
    unit: str
    value: float
    start_ns: int
    time_ns: int


class Request(NamedTuple):
    """Hold one request: its headers, resource attributes and points."""

    headers: dict[str, str]
    resource: dict[str, str]
    scope: str
    points: list[Point]


def decode(body: bytes) -> tuple[dict[str, str], str, list[Point]]:
    """Return resource attributes, scope and points of a request that has one resource and one scope."""
    (group,) = ExportMetricsServiceRequest.FromString(body).resource_metrics
    (scope,) = group.scope_metrics
    points = [point for metric in scope.metrics for point in _points(metric)]
    return _pairs(group.resource.attributes), scope.scope.name, points


def _points(metric: Any) -> list[Point]:
    kind = metric.WhichOneof("data")
    data = getattr(metric, kind)
    instrument = Instrument.GAUGE
    if kind == "sum":
        assert data.aggregation_temporality == CUMULATIVE
        instrument = Instrument.COUNTER if data.is_monotonic else Instrument.UPDOWNCOUNTER
    return [
        Point(
            metric.name,
            _pairs(point.attributes),
            instrument,
            metric.unit,
            getattr(point, point.WhichOneof("value")),
            point.start_time_unix_nano,
            point.time_unix_nano,
        )
        for point in data.data_points
    ]


def _pairs(attributes: Any) -> dict[str, str]:
    return {pair.key: pair.value.string_value for pair in attributes}


class Receiver:
    """Take metrics: answer with success, or with the next of ``answers`` (status, body)."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.answers: deque[tuple[int, bytes]] = deque()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.receiver = self
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def wait_for(self, count: int, seconds: float = 30.0) -> list[Request]:
        """Return the requests when there are so many."""
        end = time.monotonic() + seconds
        while len(self.requests) < count:
            assert time.monotonic() < end, f"{len(self.requests)} of {count} requests came"
            time.sleep(0.01)
        return self.requests

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    receiver: Receiver

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: the sender may go away while it is answered."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.receiver.connections += 1

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, answer = receiver.answers.popleft() if receiver.answers else (200, b"")
        if self.path == "/v1/metrics" and status == 200:
            receiver.requests.append(Request(dict(self.headers.items()), *decode(body)))
        self.send_response(status if self.path == "/v1/metrics" else 404)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 -- the name of the base class
        pass
