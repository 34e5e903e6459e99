"""Write the connectors that make metrics from spans, so that every sender has them and sampling changes no number.

span_metrics counts and times all spans; signal_to_metrics adds up tokens and waiting times. Settings that look odd were
each found by a trial that failed without them (collector-config/README.md).
"""

from __future__ import annotations

from spyglass import names
from spyglass.dialects.ottl import attribute
from spyglass.dialects.spans import ABSURD

SPAN_DIMENSIONS = (
    names.ORGANIZATION,
    names.PROJECT,
    names.KIND,
    names.AGENT_NAME,
    names.PROVIDER_NAME,
    names.REQUEST_MODEL,
    names.TOOL_NAME,
    names.ERROR_TYPE,
)
MODEL_LABELS = (names.ORGANIZATION, names.PROJECT, names.AGENT_NAME, names.PROVIDER_NAME, names.REQUEST_MODEL)
INVALID_LABELS = (names.ORGANIZATION, names.PROJECT, names.DIALECT)
QUEUE_LABELS = (names.ORGANIZATION, names.PROJECT, names.QUEUE_NAME)
RESOURCE_KEYS = (names.SERVICE_NAME, names.SERVICE_NAMESPACE, names.DEPLOYMENT_ENVIRONMENT_NAME)
DURATION_BUCKETS = [
    "10ms",
    "50ms",
    "100ms",
    "250ms",
    "500ms",
    "1s",
    "2500ms",
    "5s",
    "10s",
    "30s",
    "60s",
    "300s",
    "900s",
    "3600s",
]
FIRST_TOKEN_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0]
WAIT_BUCKETS = [0.01, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0]
# Above this many series of one kind the rest is one series with otel_metric_overflow="true".
CARDINALITY_LIMIT = 20_000

IS_MODEL_CALL = f'{attribute(names.KIND)} == "{names.Kind.LLM}"'
SUMS = {
    names.LLM_INPUT_TOKENS: names.INPUT_TOKENS,
    names.LLM_OUTPUT_TOKENS: names.OUTPUT_TOKENS,
    names.LLM_CACHE_READ_TOKENS: names.CACHE_READ_TOKENS,
    names.LLM_CACHE_WRITE_TOKENS: names.CACHE_WRITE_TOKENS,
    names.LLM_REASONING_TOKENS: names.REASONING_TOKENS,
}


def connectors() -> dict[str, object]:
    """Return the configuration of both connectors."""
    return {
        "span_metrics": _span_metrics(),
        "signal_to_metrics": {"error_mode": "silent", "spans": _sums() + _histograms()},
    }


def _span_metrics() -> dict[str, object]:
    return {
        "namespace": "spyglass",
        "dimensions": [{"name": key} for key in SPAN_DIMENSIONS],
        "exclude_dimensions": ["span.name", "span.kind"],
        "resource_metrics_key_attributes": list(RESOURCE_KEYS),
        "histogram": {"unit": "s", "explicit": {"buckets": DURATION_BUCKETS}},
        "exemplars": {"enabled": True, "max_per_data_point": 5},
        "aggregation_cardinality_limit": CARDINALITY_LIMIT,
        "metrics_flush_interval": "1s",
    }


def _sums() -> list[dict[str, object]]:
    tokens = [
        _metric(metric, MODEL_LABELS, f"{IS_MODEL_CALL} and {_count(key)}")
        | {"sum": {"value": f"Int({attribute(key)})", "monotonic": True}}
        for metric, key in SUMS.items()
    ]
    missing = f'{IS_MODEL_CALL} and {attribute(names.USAGE_SOURCE)} == "{names.UsageSource.MISSING}"'
    unknown = _metric(names.LLM_CALLS_WITHOUT_USAGE, MODEL_LABELS, missing) | {"sum": {"value": "1", "monotonic": True}}
    odd = _metric(names.NORMALISE_INVALID_SPANS, INVALID_LABELS, f"{attribute(names.NORMALISE_INVALID)} != nil")
    return [*tokens, unknown, odd | {"sum": {"value": "1", "monotonic": True}}]


def _count(key: str) -> str:
    """Return the condition that an attribute is a count that can be: a whole number, neither negative nor absurd."""
    return f"IsInt({attribute(key)}) and {attribute(key)} >= 0 and {attribute(key)} < {ABSURD}"


def _histograms() -> list[dict[str, object]]:
    first, wait = attribute(names.TIME_TO_FIRST_CHUNK), attribute(names.QUEUE_WAIT)
    return [
        _metric(names.LLM_TIME_TO_FIRST_TOKEN, MODEL_LABELS, f"{IS_MODEL_CALL} and {first} >= 0")
        | {"histogram": {"buckets": FIRST_TOKEN_BUCKETS, "value": f"Double({first})"}},
        _metric(names.QUEUE_WAIT_DURATION, QUEUE_LABELS, f"{wait} != nil")
        | {"histogram": {"buckets": WAIT_BUCKETS, "value": f"Double({wait})"}},
    ]


def _metric(metric: names.Metric, labels: tuple[str, ...], condition: str) -> dict[str, object]:
    return {
        "name": metric.name,
        "description": metric.sentence,
        "unit": metric.unit,
        "include_resource_attributes": [
            {"key": names.SERVICE_NAME},
            {"key": names.DEPLOYMENT_ENVIRONMENT_NAME, "optional": True},
        ],
        "attributes": [{"key": key, "optional": True} for key in labels],
        "conditions": [condition],
    }
