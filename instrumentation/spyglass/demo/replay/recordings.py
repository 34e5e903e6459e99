"""Read recordings: OTLP/JSON, one request per file or one per line, as the collector's file exporter writes them.

A request stays plain JSON from the file to the collector, so a field that this version does not know is kept.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from spyglass.errors import InputFileError, UsageError

JSON = dict[str, Any]
SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
FORM = "OTLP/JSON is an object with resourceSpans, resourceLogs or resourceMetrics, whole or one per line."


class Signal(NamedTuple):
    """Describe where one signal's items lie in a request, what they are called, and where they are sent."""

    name: str
    path: str
    resources: str
    scopes: str
    items: str


SIGNALS = (
    Signal("spans", "/v1/traces", "resourceSpans", "scopeSpans", "spans"),
    Signal("logs", "/v1/logs", "resourceLogs", "scopeLogs", "logRecords"),
    Signal("points", "/v1/metrics", "resourceMetrics", "scopeMetrics", "metrics"),
)
POINT_LISTS = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")


class Request(NamedTuple):
    """Hold one request of one signal, as it stood in a file."""

    signal: Signal
    document: JSON


def find(place: str) -> list[Path]:
    """Return the file of this name, or every recording in the folder of this name, sorted.

    Raises InputFileError when it does not exist, and for a folder without recordings.
    """
    path = Path(place)
    if not path.exists():
        raise InputFileError(place, "does not exist.")
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.is_file() and file.name.endswith(SUFFIXES))
    if not found:
        raise InputFileError(place, "holds no recordings.", f"They are files named *{', *'.join(SUFFIXES)}.")
    return found


def read(path: Path) -> Iterator[Request]:
    """Yield the requests of one file, one per signal and line.

    Raises InputFileError when the file cannot be read, is not JSON, is not OTLP, or holds nothing.
    """
    count = 0
    try:
        with _open(path) as file:
            for place, document in _documents(file):
                for request in _requests(document, place):
                    count += size(request)
                    yield request
    except UsageError as error:
        raise InputFileError(str(path), error.problem, error.remedy) from None
    except (OSError, EOFError) as error:
        raise InputFileError(str(path), f"cannot be read ({getattr(error, 'strerror', None) or error}).") from None
    except UnicodeDecodeError:
        raise InputFileError(str(path), "is not UTF-8 text.", FORM) from None
    if not count:
        raise InputFileError(str(path), "holds no spans, logs or metric points.", FORM)


def size(request: Request) -> int:
    """Count the spans, logs or metric points of a request."""
    signal = request.signal
    items = [
        item
        for resource in request.document[signal.resources]
        for scope in resource.get(signal.scopes) or []
        for item in scope.get(signal.items) or []
    ]
    return sum(map(_points, items)) if signal.name == "points" else len(items)


def _points(metric: JSON) -> int:
    return sum(len(metric[kind].get("dataPoints") or []) for kind in POINT_LISTS if kind in metric)


def _open(path: Path) -> TextIO:
    if path.name.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _documents(file: TextIO) -> Iterator[tuple[str, object]]:
    lines = ((number, line) for number, line in enumerate(file, start=1) if line.strip())
    _, first = next(lines, (0, ""))
    if not first:
        raise UsageError("is empty.", FORM)
    try:
        document = _parse(first, "")
    except UsageError:  # the first line is no request, so the whole file should be one
        yield "", _parse(first + "".join(line for _, line in lines), "")
        return
    yield "", document
    for number, line in lines:
        place = f"line {number} "
        yield place, _parse(line, place)


def _parse(text: str, place: str) -> object:
    try:
        return json.loads(text, parse_constant=str, parse_float=_finite)
    except ValueError as error:
        raise UsageError(f"{place}is not JSON ({error}).", FORM) from None
    except RecursionError:
        raise UsageError(f"{place}is nested too deeply to be a request.", FORM) from None


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text} is too large")
    return value


def _requests(document: object, place: str) -> Iterator[Request]:
    if not isinstance(document, dict) or not any(signal.resources in document for signal in SIGNALS):
        raise UsageError(f"{place}is JSON, but not OTLP.", FORM)
    for signal in SIGNALS:
        if signal.resources in document:
            request = Request(signal, {signal.resources: document[signal.resources]})
            _check(request, place)
            yield request


def _check(request: Request, place: str) -> None:
    signal = request.signal
    try:
        for resource in request.document[signal.resources]:
            for scope in resource.get(signal.scopes) or []:
                for item in scope.get(signal.items) or []:
                    _points(item)
    except (AttributeError, TypeError):
        form = f"{signal.resources}[].{signal.scopes}[].{signal.items}[]"
        raise UsageError(f"{place}is not OTLP: {form} must be lists of objects.", FORM) from None
