"""How OTLP names become Prometheus names: by the examples of the library, and by the real Prometheus."""

import json
import time
import urllib.request
from typing import Any

import pytest

from spyglass import names, stores
from spyglass.names import Instrument, Metric
from spyglass.probes.catalog import ENTRIES
from spyglass.prometheus_names import PART_METRICS, Described, label_name, part_metric, series_name, series_names
from spyglass.stack.local import LocalStack

COUNTER, UPDOWN, GAUGE, HISTOGRAM = (
    Instrument.COUNTER,
    Instrument.UPDOWNCOUNTER,
    Instrument.GAUGE,
    Instrument.HISTOGRAM,
)
CUMULATIVE = 2

# Computed with the library that Prometheus pins.
EXAMPLES = [
    ("gen_ai.client.operation.duration", HISTOGRAM, "s", "gen_ai_client_operation_duration_seconds"),
    ("gen_ai.client.token.usage", HISTOGRAM, "{token}", "gen_ai_client_token_usage"),
    (
        "gen_ai.client.inference.usage.input_tokens",
        COUNTER,
        "{token}",
        "gen_ai_client_inference_usage_input_tokens_total",
    ),
    (
        "gen_ai.client.inference.time_to_first_chunk",
        HISTOGRAM,
        "s",
        "gen_ai_client_inference_time_to_first_chunk_seconds",
    ),
    ("gen_ai.invoke_agent.tool_calls", HISTOGRAM, "{tool_call}", "gen_ai_invoke_agent_tool_calls"),
    ("mcp.client.operation.duration", HISTOGRAM, "s", "mcp_client_operation_duration_seconds"),
    ("hw.gpu.utilization", GAUGE, "1", "hw_gpu_utilization_ratio"),
    ("hw.gpu.memory.usage", UPDOWN, "By", "hw_gpu_memory_usage_bytes"),
    ("hw.power", GAUGE, "W", "hw_power_watts"),
    ("hw.energy", COUNTER, "J", "hw_energy_joules_total"),
    ("hw.temperature", GAUGE, "Cel", "hw_temperature_celsius"),
    ("hw.errors", COUNTER, "{error}", "hw_errors_total"),
    ("hw.status", UPDOWN, "1", "hw_status"),
    ("system.cpu.time", COUNTER, "s", "system_cpu_time_seconds_total"),
    ("process.memory.usage", UPDOWN, "By", "process_memory_usage_bytes"),
    ("cpython.gc.collections", COUNTER, "{collection}", "cpython_gc_collections_total"),
    ("messaging.client.sent.messages", COUNTER, "{message}", "messaging_client_sent_messages_total"),
]
# What the rules say beyond those.
CORNERS = [
    ("bytes.total.read", COUNTER, "By", "bytes_read_total"),
    ("hw.fan.speed_ratio", GAUGE, "1", "hw_fan_speed_ratio"),
    ("disk.rate", GAUGE, "By/s", "disk_rate_bytes_per_second"),
    ("3d.prints", COUNTER, "{print}", "_3d_prints_total"),
    ("a..b", GAUGE, "USD", "a_b_USD"),
    ("calls", COUNTER, "", "calls_total"),
    ("share", GAUGE, "%", "share_percent"),
    ("fan.speed", GAUGE, "rpm/{fan}", "fan_speed_rpm"),
    ("events", GAUGE, "{event}/s", "events_per_second"),
]


@pytest.mark.parametrize(("name", "instrument", "unit", "expected"), EXAMPLES + CORNERS)
def test_names_are_translated(name: str, instrument: Instrument, unit: str, expected: str) -> None:
    """A metric is called in Prometheus as the library that Prometheus uses calls it."""
    metric = Metric(name, instrument, unit, "")
    assert series_name(metric) == expected
    suffixes = ("_bucket", "_sum", "_count") if instrument is HISTOGRAM else ("",)
    assert series_names(metric) == tuple(expected + suffix for suffix in suffixes)


@pytest.mark.parametrize(
    ("attribute", "label"),
    [
        ("gen_ai.request.model", "gen_ai_request_model"),
        ("error.type", "error_type"),
        ("service.instance.id", "service_instance_id"),
        ("le", "le"),
        ("2nd.try", "key_2nd_try"),
        ("_hidden", "key_hidden"),
        ("a-b c", "a_b_c"),
    ],
)
def test_labels_are_translated(attribute: str, label: str) -> None:
    """An attribute is called in Prometheus as the library that Prometheus uses calls it."""
    assert label_name(attribute) == label


def test_a_part_metric_that_is_not_listed_is_refused() -> None:
    """A query can only name metrics of the parts that the table lists, each once and with a sentence."""
    assert part_metric("up") == "up"
    with pytest.raises(KeyError):
        part_metric("otelcol_exporter_queue_length")
    assert len({metric.name for metric in PART_METRICS}) == len(PART_METRICS)
    assert all(metric.sentence.endswith(".") for metric in PART_METRICS)


def otlp(metric: Described, now_ns: int) -> dict[str, Any]:
    """Return a metric with one point as OTLP/JSON."""
    point: dict[str, Any] = {"timeUnixNano": str(now_ns), "startTimeUnixNano": str(now_ns - 10**9), "asDouble": 0.5}
    made: dict[str, Any] = {"name": metric.name, "unit": metric.unit}
    if metric.instrument is GAUGE:
        return made | {"gauge": {"dataPoints": [point]}}
    if metric.instrument is HISTOGRAM:
        del point["asDouble"]
        point |= {"count": "1", "sum": 0.5, "bucketCounts": ["1", "0"], "explicitBounds": [1.0]}
        return made | {"histogram": {"dataPoints": [point], "aggregationTemporality": CUMULATIVE}}
    kind = {"dataPoints": [point], "aggregationTemporality": CUMULATIVE, "isMonotonic": metric.instrument is COUNTER}
    return made | {"sum": kind}


@pytest.mark.stack
def test_prometheus_calls_every_metric_as_we_do() -> None:
    """Every metric of the vocabulary and of the probes' catalogue, sent by OTLP, is found under the name we say."""
    everything: list[Described] = [*names.METRICS, *ENTRIES.values()]
    resource = {"attributes": [{"key": names.SERVICE_NAME, "value": {"stringValue": "names"}}]}
    metrics = [otlp(metric, time.time_ns()) for metric in everything]
    body = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}
    with LocalStack(only=["prometheus"]) as stack:
        store = stores.prometheus(stack.settings)
        request = urllib.request.Request(
            f"{store.url}/api/v1/otlp/v1/metrics", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200
        found = {sample.labels["__name__"] for sample in store.query('{service_name="names"}')}
    expected = {name for metric in everything for name in series_names(metric)}
    assert expected - found == set()
    assert found - expected <= {"target_info"}
