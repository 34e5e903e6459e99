"""A real OTLP/HTTP receiver on loopback that decodes what it gets and answers as a test scripts it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

Answer = Callable[[BaseHTTPRequestHandler], int]


def plain(value: AnyValue) -> Any:
    """Return a value of OTLP as Python's."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return attributes(value.kvlist_value.values)
    return None if kind is None else getattr(value, kind)


def attributes(pairs: Any) -> dict[str, Any]:
    """Return attributes of OTLP as a dictionary."""
    found: list[KeyValue] = list(pairs)
    return {pair.key: plain(pair.value) for pair in found}


class Receiver:
    """Hold what arrived; ``script`` holds the next answers (statuses, or functions), after which all is taken."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, int, dict[str, str]]] = []
        self.script: list[int | Answer] = []
        self.port = 0
        self._traces: list[ExportTraceServiceRequest] = []
        self._logs: list[ExportLogsServiceRequest] = []
        self._metrics: list[ExportMetricsServiceRequest] = []

    @property
    def endpoint(self) -> str:
        """Return the address for the setting ``endpoint``."""
        return f"http://127.0.0.1:{self.port}"

    def take(self, path: str, body: bytes) -> None:
        """Decode and keep a request."""
        kinds: dict[str, tuple[Any, list[Any]]] = {
            "/v1/traces": (ExportTraceServiceRequest, self._traces),
            "/v1/logs": (ExportLogsServiceRequest, self._logs),
            "/v1/metrics": (ExportMetricsServiceRequest, self._metrics),
        }
        kind, kept = kinds[path]
        kept.append(kind.FromString(body))

    def spans(self) -> list[dict[str, Any]]:
        """Return all spans with their attributes and resource."""
        return [
            {
                "name": span.name,
                "trace_id": span.trace_id.hex(),
                "span_id": span.span_id.hex(),
                "parent_span_id": span.parent_span_id.hex(),
                "attributes": attributes(span.attributes),
                "status": span.status.code,
                "message": span.status.message,
                "events": [(event.name, attributes(event.attributes)) for event in span.events],
                "resource": attributes(group.resource.attributes),
                "scope": scope.scope.name,
            }
            for request in list(self._traces)
            for group in request.resource_spans
            for scope in group.scope_spans
            for span in scope.spans
        ]

    def span(self, name: str) -> dict[str, Any]:
        """Return the one span of this name."""
        (found,) = [span for span in self.spans() if span["name"] == name]
        return found

    def logs(self) -> list[dict[str, Any]]:
        """Return all log records with their attributes."""
        return [
            {
                "body": plain(record.body),
                "event_name": record.event_name,
                "severity": record.severity_text,
                "trace_id": record.trace_id.hex(),
                "span_id": record.span_id.hex(),
                "attributes": attributes(record.attributes),
                "scope": scope.scope.name,
            }
            for request in list(self._logs)
            for group in request.resource_logs
            for scope in group.scope_logs
            for record in scope.log_records
        ]

    def metric_names(self) -> set[str]:
        """Return the names of all metrics that arrived."""
        return {
            metric.name
            for request in list(self._metrics)
            for group in request.resource_metrics
            for scope in group.scope_metrics
            for metric in scope.metrics
        }

    def wait(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        """Wait until something is true; raises TimeoutError when it does not become so."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{[(s['name'], s['resource'].get('process.pid')) for s in self.spans()]}")
            time.sleep(0.02)


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            answer = receiver.script.pop(0) if receiver.script else 200
            status = answer if isinstance(answer, int) else answer(self)
            receiver.requests.append((self.path, status, dict(self.headers)))
            if status == 0:
                self.connection.close()
                self.close_connection = True
                return
            if status == 200:
                receiver.take(self.path, body)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be silent."""

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (ConnectionError, ValueError, OSError):
                self.close_connection = True

    return Handler


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """Run a receiver on a port of loopback; 0 takes a free one."""
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(receiver))
    server.daemon_threads = True
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
