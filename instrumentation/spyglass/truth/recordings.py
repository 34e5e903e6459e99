"""Read recordings with truth: what the SDK exported of a run, and what the provider served in it.

A recording is a JSON object with ``spans`` and ``logs`` in the SDK's JSON form, and ``truth.calls`` with one row for
each request: ``ok``, ``usage_reported``, and the tokens where usage was reported, input inclusive of cache.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from spyglass.demo.replay import rewrite
from spyglass.demo.replay.recordings import SIGNALS, Request
from spyglass.errors import InputFileError, UsageError
from spyglass.truth import otlp

FORM = "A recording is a JSON object with spans, logs and truth.calls."
# The SDK's JSON of spans, and rows of the truth, are plain JSON: this is what a wrong form of either raises.
_WRONG_FORM = (KeyError, TypeError, ValueError, AttributeError)
_SPANS, _LOGS, _ = SIGNALS


class Served(NamedTuple):
    """Hold one request as the provider saw it; ``reported`` says whether it told the client the tokens."""

    ok: bool
    reported: bool
    input: int | None
    output: int | None
    cache_read: int | None
    reasoning: int | None


class Recording(NamedTuple):
    """Hold one recording; its requests are sent in their order."""

    name: str
    served: tuple[Served, ...]
    requests: tuple[Request, ...]

    @property
    def spans(self) -> set[tuple[str, str]]:
        """Return the ids, of trace and span, of all its spans."""
        return {(span["traceId"], span["spanId"]) for span in _spans(self.requests[-1].document)}


def find(places: Iterable[str]) -> list[Path]:
    """Return the files of these names, and those named ``*.json`` that stand in the folders of these names.

    Raises InputFileError when one does not exist, and for a folder without such files.
    """
    return [path for place in places for path in _find(Path(place))]


def read(path: Path) -> Recording:
    """Return a recording; raises InputFileError when the file cannot be read, or is none."""
    document = _load(path)
    if not isinstance(document, dict) or not isinstance(document.get("spans"), list):
        raise InputFileError(str(path), "holds no list of spans.", FORM)
    rows = document["truth"].get("calls") if isinstance(document.get("truth"), dict) else None
    if not isinstance(rows, list):
        raise InputFileError(str(path), "holds no truth.calls: nobody knows what the provider served.", FORM)
    served = tuple(_served(path, number, row) for number, row in enumerate(rows, start=1))
    return Recording(path.stem, served, _requests(path, document))


def _find(path: Path) -> list[Path]:
    if not path.exists():
        raise InputFileError(str(path), "does not exist.")
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("*.json"))
    if not found:
        raise InputFileError(str(path), "holds no recordings.", "They are files named *.json.")
    return found


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputFileError(str(path), f"cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise InputFileError(str(path), "is not UTF-8 text.", FORM) from None
    except (ValueError, RecursionError) as error:
        raise InputFileError(str(path), f"is not JSON ({error}).", FORM) from None


def _served(path: Path, number: int, row: dict[str, Any]) -> Served:
    try:
        ok, reported = bool(row["ok"]), bool(row["usage_reported"])
        if not reported:
            return Served(ok, reported, None, None, None, None)
        counts = [row["input_tokens"], row["output_tokens"], row.get("cache_read"), row.get("reasoning")]
        tokens = [None if count is None else int(count) for count in counts]
        if None in tokens[:2]:
            raise ValueError("usage was reported, but no tokens are given")
        return Served(ok, reported, *tokens)
    except _WRONG_FORM as error:
        raise InputFileError(str(path), f"row {number} of truth.calls is no call ({_reason(error)}).", FORM) from None


def _requests(path: Path, document: dict[str, Any]) -> tuple[Request, ...]:
    """Return logs before spans: once the spans are there, so are the logs."""
    try:
        traces = otlp.traces(document["spans"])
        made = [Request(_SPANS, traces)]
        rewrite.check_ids(traces)
        period = rewrite.times(traces)
        if document.get("logs") and period:
            resource = document["spans"][0]["resource"]
            made.insert(0, Request(_LOGS, otlp.logs(document["logs"], resource, period.newest)))
    except UsageError as error:
        raise InputFileError(str(path), error.problem, error.remedy) from None
    except _WRONG_FORM as error:
        problem = f"its spans or logs are not what the SDK writes ({_reason(error)})."
        raise InputFileError(str(path), problem, "Spans have the form of ReadableSpan.to_json.") from None
    return tuple(made)


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _spans(document: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            yield from scope["spans"]
