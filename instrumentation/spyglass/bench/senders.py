"""Send OTLP to a collector as many small agents do, and keep sending until each request is acknowledged."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from spyglass import names

HEADERS = {"Content-Type": "application/x-protobuf"}
OK = 200
SPAN_SECONDS = 0.05
INPUT_TOKENS, OUTPUT_TOKENS = 7, 3
RETRY_SECONDS = 0.2


@dataclass
class Tally:
    """Count what happened to requests; safe to use from many threads because each adds through ``add``."""

    acknowledged: int = 0
    refused: int = 0
    reconnects: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *, acknowledged: int = 0, refused: int = 0, reconnects: int = 0) -> None:
        """Add to the counts."""
        with self.lock:
            self.acknowledged += acknowledged
            self.refused += refused
            self.reconnects += reconnects


def spans(service: str, ids: Iterable[int], instance: str = "", agent: str = "bench") -> bytes:
    """Return a trace request with one llm span per id; span ids are the ids, so that they can be counted."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.extend(
        [_text(names.SERVICE_NAME, service), _text(names.SERVICE_INSTANCE_ID, instance)]
    )
    made, now = resource.scope_spans.add().spans, time.time_ns()
    for number in ids:
        span = made.add(name="chat gpt-5-mini", kind=3, start_time_unix_nano=now - int(SPAN_SECONDS * 1e9))
        span.end_time_unix_nano = now
        span.trace_id = number.to_bytes(16, "big")
        span.span_id = number.to_bytes(8, "big")
        span.attributes.extend(
            [
                _text(names.OPERATION_NAME, names.Operation.CHAT),
                _text(names.PROVIDER_NAME, "openai"),
                _text(names.REQUEST_MODEL, "gpt-5-mini"),
                _text(names.AGENT_NAME, agent),
                _number(names.INPUT_TOKENS, INPUT_TOKENS),
                _number(names.OUTPUT_TOKENS, OUTPUT_TOKENS),
            ]
        )
    return request.SerializeToString()


def counters(service: str, instance: str, value: int, start_ns: int) -> bytes:
    """Return a metrics request with one counter and one gauge of an instance."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.extend(
        [_text(names.SERVICE_NAME, service), _text(names.SERVICE_INSTANCE_ID, instance)]
    )
    metrics, now = resource.scope_metrics.add().metrics, time.time_ns()
    total = metrics.add(name="bench.requests", unit="{request}").sum
    total.is_monotonic = True
    total.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    total.data_points.add(as_int=value, start_time_unix_nano=start_ns, time_unix_nano=now)
    metrics.add(name="bench.level", unit="1").gauge.data_points.add(as_double=value / 2, time_unix_nano=now)
    return request.SerializeToString()


class Sender:
    """Post requests over one kept connection, each until it is acknowledged."""

    def __init__(self, port: int, tally: Tally) -> None:
        self.port = port
        self.tally = tally
        self.connection = self._connect()

    def post(self, path: str, body: bytes) -> None:
        """Return when the collector acknowledged the request."""
        while not self._acknowledged(path, body):
            time.sleep(RETRY_SECONDS)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _acknowledged(self, path: str, body: bytes) -> bool:
        try:
            self.connection.request("POST", path, body, HEADERS)
            answer = self.connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = self._connect()
            self.tally.add(reconnects=1)
            return False
        if answer.status != OK:
            self.tally.add(refused=1)
            return False
        self.tally.add(acknowledged=1)
        return True

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)


class Burst(NamedTuple):
    """Describe a burst: whose spans, how many, from how many senders at once, how many in a request."""

    service: str
    spans: int
    senders: int
    per_request: int
    first_id: int = 1


def send(port: int, burst: Burst) -> Tally:
    """Send the burst and return when all of it is acknowledged."""
    tally, share = Tally(), burst.spans // burst.senders
    threads = [
        threading.Thread(target=_send_share, args=(Sender(port, tally), burst, at, share), daemon=True)
        for at in range(burst.senders)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def _send_share(sender: Sender, burst: Burst, at: int, share: int) -> None:
    first = burst.first_id + at * share
    for start in range(first, first + share, burst.per_request):
        ids = range(start, min(start + burst.per_request, first + share))
        sender.post("/v1/traces", spans(burst.service, ids, str(at)))
    sender.close()


def _text(key: str, value: str) -> KeyValue:
    made = KeyValue(key=key)
    made.value.string_value = value
    return made


def _number(key: str, value: int) -> KeyValue:
    made = KeyValue(key=key)
    made.value.int_value = value
    return made
