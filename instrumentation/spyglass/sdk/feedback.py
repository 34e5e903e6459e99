"""Say how good a trace was: an evaluation event that joins it in the warehouse."""

from __future__ import annotations

import math
import time

from spyglass import names
from spyglass.names import EVALUATION_SOURCE
from spyglass.sdk.handles import Handle
from spyglass.sdk.notices import log
from spyglass.sdk.state import state

_TRACE_DIGITS = 32
_SPAN_DIGITS = 16


def feedback(
    trace: str | Handle,
    name: str,
    score: float | None = None,
    *,
    label: str | None = None,
    explanation: str | None = None,
    span: str | Handle | None = None,
    source: str | None = None,
) -> None:
    """Record an evaluation of a trace, for example a user's thumb or the verdict of a judge.

    ``trace`` is a trace id in 32 hexadecimal digits, or a handle (then its span is meant, unless ``span`` names
    another in 16 digits). Give a finite ``score``, a ``label`` of few values, or both; ``source`` says who judged, such
    as user or judge. The ids of the current session go with it; organization and project of a handle go before them.
    The same again, by this source and user, replaces it. Never raises: what cannot be recorded is one warning.
    """
    runtime = state.runtime
    if runtime is None:
        return
    trace_id = _digits(trace.trace_id if isinstance(trace, Handle) else trace, _TRACE_DIGITS)
    chosen = span if span is not None else trace if isinstance(trace, Handle) else None
    span_id = _digits(chosen.span_id if isinstance(chosen, Handle) else chosen, _SPAN_DIGITS)
    value = _score(score)
    problem = _problem(trace_id, chosen is not None and not span_id, value, score, label)
    if problem:
        log.warning("spyglass.feedback(%r): %s; nothing is recorded.", name, problem)
        return
    attributes = {
        **_tenant(trace),
        names.EVALUATION_NAME: name,
        names.EVALUATION_SCORE: value,
        names.EVALUATION_LABEL: label,
        names.EVALUATION_EXPLANATION: explanation,
        EVALUATION_SOURCE: source,
    }
    try:
        runtime.evaluated(trace_id, span_id, attributes, time.time_ns())
    except Exception as error:  # noqa: BLE001 -- telemetry never breaks the application
        log.warning("spyglass.feedback(%r) failed: %r.", name, error)


def _tenant(judged: str | Handle) -> dict[str, str | None]:
    """Return whose the trace is, as far as its session says; an id says nothing."""
    opened = judged._opened if isinstance(judged, Handle) else None  # noqa: SLF001 -- hidden from users only
    session = {} if opened is None else opened.scope.session
    return {key: session.get(key) for key in (names.ORGANIZATION, names.PROJECT)}


def _digits(text: str | None, length: int) -> int:
    """Return an id as a number; 0 means that it is none."""
    digits = str(text or "").strip().lower().removeprefix("0x").replace("-", "")
    if len(digits) != length:
        return 0
    try:
        return int(digits, 16)
    except ValueError:
        return 0


def _score(score: float | None) -> float | None:
    try:
        value = None if score is None else float(score)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if value is not None and math.isfinite(value) else None


def _problem(trace_id: int, bad_span: bool, value: float | None, score: object, label: str | None) -> str:  # noqa: FBT001 -- private
    if not trace_id:
        return "a trace id is 32 hexadecimal digits"
    if bad_span:
        return "a span id is 16 hexadecimal digits"
    if score is not None and value is None:
        return f"{score!r} is no finite number"
    return "" if value is not None or label else "give a score or a label"
