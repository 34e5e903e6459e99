"""Turn what the SDK writes as JSON (``ReadableSpan.to_json``) into OTLP/JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

JSON = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = ("INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_CODES = {"UNSET": {}, "OK": {"code": 1}, "ERROR": {"code": 2}}


def traces(spans: Iterable[JSON]) -> JSON:
    """Return a request with all spans, under their resources and scopes.

    Raises KeyError, TypeError, ValueError, AttributeError for what is no span of the SDK.
    """
    by_place: dict[str, tuple[JSON, JSON, list[JSON]]] = {}
    for span in spans:
        resource, scope = span["resource"], span.get("scope") or {}
        place = json.dumps([resource, scope], sort_keys=True)
        by_place.setdefault(place, (resource, scope, []))[2].append(_span(span))
    return {
        "resourceSpans": [
            {"resource": _resource(resource), "scopeSpans": [{"scope": _scope(scope), "spans": made}]}
            for resource, scope, made in by_place.values()
        ]
    }


def logs(records: Iterable[JSON], resource: JSON, observed_ns: int) -> JSON:
    """Return a request with all log records; they hold neither a resource nor the moment at which they were observed.

    Raises as traces() does.
    """
    by_scope: dict[str, list[JSON]] = {}
    for record in records:
        by_scope.setdefault(record["scope"] or "", []).append(_log(record, observed_ns))
    scopes = [{"scope": {"name": name}, "logRecords": made} for name, made in by_scope.items()]
    return {"resourceLogs": [{"resource": _resource(resource), "scopeLogs": scopes}]}


def nanoseconds(moment: str) -> int:
    """Return nanoseconds since 1970 of a moment in ISO 8601, which has microseconds."""
    return (datetime.fromisoformat(moment) - _EPOCH) // timedelta(microseconds=1) * 1_000


def value(item: object) -> JSON:
    """Return a value as OTLP/JSON has it; its type is kept."""
    if item is None:
        return {}
    return _FORMS[type(item)](item)


def attributes(given: Mapping[str, object] | None) -> list[JSON]:
    """Return attributes as OTLP/JSON has them."""
    return [{"key": key, "value": value(item)} for key, item in (given or {}).items()]


# bool before int is of no concern here: the very type decides.
_FORMS: dict[type, Callable[[Any], JSON]] = {
    bool: lambda item: {"boolValue": item},
    int: lambda item: {"intValue": str(item)},
    float: lambda item: {"doubleValue": item if math.isfinite(item) else json.dumps(item)},
    str: lambda item: {"stringValue": item},
    list: lambda item: {"arrayValue": {"values": [value(each) for each in item]}},
    dict: lambda item: {"kvlistValue": {"values": attributes(item)}},
}


def _resource(resource: JSON) -> JSON:
    return {"attributes": attributes(resource["attributes"])}


def _scope(scope: JSON) -> JSON:
    return {name: scope[name] for name in ("name", "version") if scope.get(name)}


def _span(span: JSON) -> JSON:
    made = {
        **_ids(span["context"]),
        "name": span["name"],
        "kind": 1 + _KINDS.index(span["kind"].removeprefix("SpanKind.")),
        "startTimeUnixNano": str(nanoseconds(span["start_time"])),
        "endTimeUnixNano": str(nanoseconds(span["end_time"])),
        "attributes": attributes(span["attributes"]),
        "status": _status(span["status"]),
        "events": [_event(event) for event in span.get("events") or []],
        "links": [_ids(link["context"]) | _attributes(link) for link in span.get("links") or []],
    }
    if span["parent_id"]:
        made["parentSpanId"] = _hexadecimal(span["parent_id"])
    return made


def _ids(context: JSON) -> JSON:
    return {"traceId": _hexadecimal(context["trace_id"]), "spanId": _hexadecimal(context["span_id"])}


def _hexadecimal(number: str) -> str:
    return number.removeprefix("0x")


def _status(status: JSON) -> JSON:
    message = status.get("description")
    return _CODES[status["status_code"]] | ({"message": message} if message else {})


def _event(event: JSON) -> JSON:
    return {"name": event["name"], "timeUnixNano": str(nanoseconds(event["timestamp"]))} | _attributes(event)


def _attributes(holder: JSON) -> JSON:
    return {"attributes": attributes(holder.get("attributes"))}


def _log(record: JSON, observed_ns: int) -> JSON:
    made = {
        "timeUnixNano": str(record.get("timestamp") or 0),
        "observedTimeUnixNano": str(observed_ns),
        "body": value(record.get("body")),
        "attributes": attributes(record.get("attributes")),
        "traceId": _hexadecimal(record.get("trace_id") or ""),
        "spanId": _hexadecimal(record.get("span_id") or ""),
    }
    return made | ({"eventName": record["event_name"]} if record.get("event_name") else {})
