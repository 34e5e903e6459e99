"""Cut requests into pieces that a collector takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from spyglass.demo.replay.recordings import JSON, POINT_LISTS, Request, size

LIMIT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """Hold the body of one HTTP request and the number of items in it."""

    body: bytes
    count: int


def pieces(request: Request, limit_bytes: int = LIMIT_BYTES) -> Iterator[Piece]:
    """Yield a request in bodies of at most ``limit_bytes``; a single span, log or point may be larger."""
    body = json.dumps(request.document, separators=(",", ":"), allow_nan=False).encode()
    parts = [request.document] if len(body) <= limit_bytes else _halves(request)
    if len(parts) == 1:
        yield Piece(body, size(request))
        return
    for part in parts:
        yield from pieces(Request(request.signal, part), limit_bytes)


def _halves(request: Request) -> list[JSON]:
    signal = request.signal
    return _cut(request.document, (signal.resources, signal.scopes, signal.items))


def _cut(node: JSON, path: tuple[str, ...]) -> list[JSON]:
    key, *rest = path
    items = node.get(key) or []
    if len(items) > 1:
        middle = len(items) // 2
        return [{**node, key: items[:middle]}, {**node, key: items[middle:]}]
    if not items:
        return [node]
    inner = _cut(items[0], tuple(rest)) if rest else _cut_metric(items[0])
    return [{**node, key: [part]} for part in inner]


def _cut_metric(item: JSON) -> list[JSON]:
    kind = next((kind for kind in POINT_LISTS if kind in item), None)
    if kind is None:
        return [item]
    return [{**item, kind: part} for part in _cut_points(item[kind])]


def _cut_points(data: JSON) -> list[JSON]:
    points = data.get("dataPoints") or []
    if len(points) < 2:  # noqa: PLR2004 -- one point cannot be halved
        return [data]
    middle = len(points) // 2
    return [{**data, "dataPoints": points[:middle]}, {**data, "dataPoints": points[middle:]}]
