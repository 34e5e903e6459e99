"""Receive OTLP over HTTP on loopback, as JSON or protobuf, and keep every request."""

from __future__ import annotations

import gzip
import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue


class Request(NamedTuple):
    """Hold one request as it came."""

    path: str
    content_type: str
    authorization: str
    body: bytes


class Span(NamedTuple):
    """Hold one received span with its resource and scope."""

    name: str
    trace_id: str
    span_id: str
    parent_span_id: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    scope: str
    error: bool


class Receiver:
    """Answer every request with success, or with the next of ``answers``: (status, headers, body)."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: deque[tuple[int, dict[str, str], bytes]] = deque()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.receiver = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def documents(self, path: str) -> list[dict[str, Any]]:
        """Return the JSON requests to one path."""
        return [json.loads(request.body) for request in self.requests if request.path == path]

    def spans(self) -> list[Span]:
        """Return all spans that came as protobuf."""
        exports = [ExportTraceServiceRequest.FromString(body) for body in self._bodies("/v1/traces")]
        return [
            Span(
                span.name,
                span.trace_id.hex(),
                span.span_id.hex(),
                span.parent_span_id.hex(),
                _plain(span.attributes),
                _plain(resource.resource.attributes),
                scope.scope.name,
                span.status.code == span.status.STATUS_CODE_ERROR,
            )
            for export in exports
            for resource in export.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def logs(self) -> list[tuple[str, str]]:
        """Return body and trace id of all logs that came as protobuf."""
        exports = [ExportLogsServiceRequest.FromString(body) for body in self._bodies("/v1/logs")]
        return [
            (record.body.string_value, record.trace_id.hex())
            for export in exports
            for resource in export.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def _bodies(self, path: str) -> list[bytes]:
        return [request.body for request in self.requests if request.path == path]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    receiver: Receiver


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        receiver = self.server.receiver
        headers = self.headers
        answer = b"{}" if headers["content-type"] == "application/json" else b""
        status, extra, answer = receiver.answers.popleft() if receiver.answers else (200, {}, answer)
        if status == 200:
            receiver.requests.append(
                Request(self.path, headers["content-type"], headers.get("authorization", ""), body)
            )
        self.send_response(status)
        for name, value in {
            "content-type": headers["content-type"],
            "content-length": str(len(answer)),
            **extra,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it
        pass


def _plain(attributes: Any) -> dict[str, Any]:
    pairs: list[KeyValue] = list(attributes)
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None
