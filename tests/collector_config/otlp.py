"""Write requests of one span by hand."""

from collections.abc import Mapping
from typing import Any

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def _any(value: object) -> dict[str, Any]:
    if isinstance(value, list):
        return {"arrayValue": {"values": [_any(item) for item in value]}}
    kinds = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}
    return {kinds[type(value)]: str(value) if isinstance(value, int) and not isinstance(value, bool) else value}


def request(
    attributes: Mapping[str, object], resource: Mapping[str, object] | None = None, **span: object
) -> dict[str, Any]:
    """Return a request with one span; ``scope`` and ``version`` are its scope's, the others fields of the span."""
    made = {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": "work",
        "startTimeUnixNano": "1763715600000000000",
        "endTimeUnixNano": "1763715601000000000",
        "attributes": [{"key": key, "value": _any(value)} for key, value in attributes.items()],
    }
    scope = {"name": span.pop("scope", "tests"), "version": span.pop("version", "")}
    owner = [{"key": key, "value": _any(value)} for key, value in (resource or {}).items()]
    return {
        "resourceSpans": [{"resource": {"attributes": owner}, "scopeSpans": [{"scope": scope, "spans": [made | span]}]}]
    }
