"""What senders do wrong: each has a clear answer, and nothing else is lost by it."""

import http.client
import json
import math
import time
import uuid
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spyglass.bench.senders import Sender, Tally, spans
from tests.conftest import Running, eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

PROTOBUF, JSON = "application/x-protobuf", "application/json"
MEGABYTE = 1_000_000


def _post(running: Running, signal: str, body: bytes, content_type: str = PROTOBUF) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", running.settings.port("otlp_http"), timeout=120)
    try:
        connection.request("POST", f"/v1/{signal}", body, {"Content-Type": content_type})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except ConnectionError as error:  # the collector may close before a huge body is sent
        return 0, str(error)
    finally:
        connection.close()


def _span(service: str, **changes: Any) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest.FromString(spans(service, [int(uuid.uuid4()) >> 65]))
    span = request.resource_spans[0].scope_spans[0].spans[0]
    for name, value in changes.items():
        setattr(span, name, value)
    return request


def _count(running: Running, service: str, table: str = "spans") -> int:
    rows = running.warehouse.rows(f"SELECT count() AS n FROM {table} WHERE service = {{s:String}}", s=service)
    return int(rows[0]["n"])


@pytest.mark.parametrize(
    ("body", "content_type"), [(b"\xff\xff garbage", PROTOBUF), (b"{]", JSON), (b'{"resourceSpans": 1}', JSON)]
)
def test_malformed_otlp_is_refused_with_a_sentence(running: Running, body: bytes, content_type: str) -> None:
    """A request that is no OTLP is answered with 400 and what is wrong."""
    status, text = _post(running, "traces", body, content_type)
    assert status == 400
    assert text.strip()


def test_sixty_megabytes_are_stored(running: Running) -> None:
    """A request of 60 MB, spans with long texts, is acknowledged and stored whole."""
    service, count = f"big-{uuid.uuid4().hex[:8]}", 600
    request = ExportTraceServiceRequest.FromString(spans(service, range(1, count + 1)))
    for span in request.resource_spans[0].scope_spans[0].spans:
        attribute = span.attributes.add(key="note")
        attribute.value.string_value = f"{uuid.uuid4().hex} plain words " * (100_000 // 45)
    body = request.SerializeToString()
    assert 59 * MEGABYTE < len(body) < 64 * MEGABYTE
    assert _post(running, "traces", body)[0] == 200
    eventually(lambda: _count(running, service), lambda n: n == count, seconds=120)


def test_a_hundred_megabytes_are_refused_and_named(running: Running) -> None:
    """A request above 64 MiB is refused, counted by the collector, and leaves everything else alone."""
    counter = 'sum(http_server_request_duration_count{http_response_status_code=~"4..|5.."}) or vector(0)'
    before = running.prometheus.value(counter) or 0.0
    status, text = _post(running, "traces", b"\x0a" * (100 * MEGABYTE))
    assert status in (0, 400, 413), text
    eventually(lambda: running.prometheus.value(counter), lambda now: (now or 0.0) > before)
    service = f"after-{uuid.uuid4().hex[:8]}"
    sender = Sender(running.settings.port("otlp_http"), Tally())
    sender.post("/v1/traces", _span(service).SerializeToString())  # 503 while its memory is short means: come again
    sender.close()
    eventually(lambda: _count(running, service))


def test_ten_thousand_attributes(running: Running) -> None:
    """A span with 10,000 attributes is stored with all of them."""
    service = f"wide-{uuid.uuid4().hex[:8]}"
    request = _span(service)
    for at in range(10_000):
        request.resource_spans[0].scope_spans[0].spans[0].attributes.add(key=f"k{at}").value.int_value = at
    assert _post(running, "traces", request.SerializeToString())[0] == 200
    query = "SELECT length(attributes) AS n, attributes['k9999'] AS last FROM spans WHERE service = {s:String}"
    (row,) = eventually(lambda: running.warehouse.rows(query, s=service))
    assert row["n"] >= 10_000
    assert row["last"] == "9999"


def test_values_that_are_no_numbers(running: Running) -> None:
    """NaN and infinite metric values are stored as they are, and the points beside them too."""
    service = f"nan-{uuid.uuid4().hex[:8]}"
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    metrics = resource.scope_metrics.add().metrics
    for at, value in enumerate((math.nan, math.inf, -math.inf, 1.5)):
        point = metrics.add(name=f"odd.level.{at}").gauge.data_points.add(time_unix_nano=time.time_ns())
        point.as_double = value
    assert _post(running, "metrics", request.SerializeToString())[0] == 200
    query = "SELECT MetricName AS name, toString(Value) AS value FROM metrics_gauge WHERE ServiceName = {s:String}"
    rows = eventually(lambda: running.warehouse.rows(query, s=service), lambda found: len(found) == 4)
    assert {row["name"][-1]: row["value"] for row in rows} == {"0": "nan", "1": "inf", "2": "-inf", "3": "1.5"}
    level = f'odd_level_3{{service_name="{service}"}}'
    assert eventually(lambda: running.prometheus.value(level)) == 1.5


def test_invalid_utf8(running: Running) -> None:
    """Text that is no UTF-8 is stored with replacement characters or as bytes, and the spans beside it are not lost."""
    service = f"bytes-{uuid.uuid4().hex[:8]}"
    request = _span(service, name="PLACEHOLDER")
    request.resource_spans[0].scope_spans[0].spans.add().CopyFrom(
        _span(service).resource_spans[0].scope_spans[0].spans[0]
    )
    body = request.SerializeToString().replace(b"PLACEHOLDER", b"caf\xe9 \xff\xfe bad")
    status, text = _post(running, "traces", body)
    assert status == 200, text
    eventually(lambda: _count(running, service), lambda n: n == 2)
    here = f'sum(spyglass_calls_total{{service_name="{service}"}})'
    assert eventually(lambda: running.prometheus.value(here), lambda n: n == 2) == 2


@pytest.mark.parametrize("year", [1970, 2100])
def test_times_that_cannot_be(running: Running, year: int) -> None:
    """A span of 1970 or 2100 is a dead letter with the reason; the span beside it is stored."""
    service, start = f"time-{uuid.uuid4().hex[:8]}", (year - 1970) * 31_557_600 * 10**9 + 1
    request = _span(service, start_time_unix_nano=start, end_time_unix_nano=start + 10**9)
    request.resource_spans[0].scope_spans[0].spans.add().CopyFrom(
        _span(service).resource_spans[0].scope_spans[0].spans[0]
    )
    assert _post(running, "traces", request.SerializeToString())[0] == 200
    eventually(lambda: _count(running, service), lambda n: n == 1)
    query = "SELECT reason, body FROM dead_letters WHERE position(body, {s:String}) > 0"
    (letter,) = eventually(lambda: running.warehouse.rows(query, s=service))
    assert letter["reason"]
    assert json.loads(letter["body"])["ServiceName"] == service
