"""Lay out a trace from Tempo as rows of a waterfall: depth-first, children by start time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from spyglass import names


class Bar(NamedTuple):
    """Hold one span of the waterfall; ``left`` and ``width`` are shares of the trace's duration, 0..1."""

    name: str
    kind: str
    service: str
    depth: int
    left: float
    width: float
    seconds: float
    failed: bool


class _Span(NamedTuple):
    service: str
    span_id: str
    parent_id: str
    start: int
    end: int
    name: str
    kind: str
    failed: bool


def bars(trace: dict[str, Any]) -> list[Bar]:
    """Return the bars of a trace as Tempo answers it: OTLP/JSON with ``batches``; a span without parent is a root."""
    spans = sorted(_spans(trace), key=lambda span: (span.start, span.span_id))
    if not spans:
        return []
    first, last = spans[0].start, max(span.end for span in spans)
    known, children = {span.span_id for span in spans}, defaultdict(list)
    for span in spans:
        children[span.parent_id if span.parent_id in known else ""].append(span)
    whole = max(last - first, 1)
    return [
        Bar(
            span.name,
            span.kind,
            span.service,
            depth,
            (span.start - first) / whole,
            (span.end - span.start) / whole,
            (span.end - span.start) / 1e9,
            span.failed,
        )
        for span, depth in _walk(children)
    ]


def _walk(children: dict[str, list[_Span]]) -> Iterator[tuple[_Span, int]]:
    """Yield each span once with its depth; a span that is its own ancestor is never reached and so cannot loop."""
    stack = [(span, 0) for span in reversed(children[""])]
    while stack:
        span, depth = stack.pop()
        yield span, depth
        stack += [(child, depth + 1) for child in reversed(children.pop(span.span_id, []))]


def _spans(trace: dict[str, Any]) -> Iterator[_Span]:
    for batch in trace.get("batches", []):
        service = _attributes(batch.get("resource", {})).get(names.SERVICE_NAME, "")
        for scope in batch.get("scopeSpans", []):
            for span in scope.get("spans", []):
                yield _Span(
                    service,
                    span["spanId"],
                    span.get("parentSpanId", ""),
                    int(span["startTimeUnixNano"]),
                    int(span["endTimeUnixNano"]),
                    span.get("name", ""),
                    _attributes(span).get(names.KIND, names.Kind.UNKNOWN),
                    span.get("status", {}).get("code") in ("STATUS_CODE_ERROR", 2),
                )


def _attributes(holder: dict[str, Any]) -> dict[str, str]:
    return {
        attribute["key"]: str(attribute["value"].get("stringValue", "")) for attribute in holder.get("attributes", [])
    }
