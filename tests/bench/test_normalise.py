"""The bench of the normaliser: what it sends."""

import json

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spyglass.assets import folder
from spyglass.bench import normalise
from spyglass.errors import UsageError


def test_recordings_are_sent_whole() -> None:
    """The bench sends every span of every recording, under the ids that it was recorded with."""
    load = normalise.recordings()
    paths = sorted((folder("collector-config").parent / normalise.RECORDINGS).glob("*.traces.json"))
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    recorded = [
        (span["traceId"], span["spanId"])
        for document in documents
        for resource in document["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    sent = [
        (span.trace_id.hex(), span.span_id.hex())
        for body in load.bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert sent == recorded
    assert load.spans == len(recorded)


def test_it_starts_its_own_collectors() -> None:
    """The running stack is no place to measure with and without the normaliser."""
    with pytest.raises(UsageError, match="--stack"):
        normalise.measure(running=True)
