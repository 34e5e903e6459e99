"""Carry the context with Celery's tasks, and span the work on each with the time that it waited.

A task that runs where it is called (eager, or called as a function) never was in a queue and gets no span.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import datetime
from types import ModuleType
from typing import Any

from spyglass import names
from spyglass.sdk import api
from spyglass.sdk.handles import Handle
from spyglass.sdk.lifecycle import shutdown
from spyglass.sdk.messages import extract, inject
from spyglass.sdk.notices import warn_once
from spyglass.sdk.patching import Undo
from spyglass.sdk.state import state

_SYSTEM = "celery"
_FAILURE = "FAILURE"
_WORK = "_spyglass_work"  # attribute of a task's request, for as long as it runs


def connect(signals: ModuleType) -> Undo:
    """Connect to Celery's signals, those of every app of this process; ``signals`` is celery.signals."""
    receivers = (
        (signals.before_task_publish, _publish),
        (signals.task_prerun, _begin),
        (signals.task_failure, _fail),
        (signals.task_postrun, _end),
        (signals.worker_process_shutdown, _leave),
    )
    for signal, receiver in receivers:
        signal.connect(receiver, weak=False)

    def undo() -> None:
        for signal, receiver in receivers:
            signal.disconnect(receiver)

    return undo


class _Work:
    """Hold the context and the span of one task that runs."""

    def __init__(self, request: Any) -> None:
        self.error: BaseException | None = None
        self._stack = ExitStack()
        carried = vars(request)
        self._stack.enter_context(extract(carried))
        destination = (request.delivery_info or {}).get("routing_key") or _SYSTEM
        enqueued_at = carried.get(names.ENQUEUED_AT_FIELD)
        self.span: Handle = self._stack.enter_context(api.queue(destination, enqueued_at=enqueued_at, system=_SYSTEM))

    def end(self) -> None:
        error = self.error
        self._stack.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)


def _publish(headers: Any = None, **_: Any) -> None:
    if state.runtime is None or not isinstance(headers, dict):
        return
    inject(headers)
    headers[names.ENQUEUED_AT_FIELD] = max(time.time(), _due(headers.get("eta")))


def _due(eta: object) -> float:
    """Return the time before which the task shall not run: until then it is not waiting."""
    try:
        return datetime.fromisoformat(eta).timestamp() if isinstance(eta, str) else 0.0
    except ValueError:
        return 0.0


def _begin(task: Any = None, **_: Any) -> None:
    request = getattr(task, "request", None)
    if state.runtime is None or request is None or request.is_eager or request.called_directly:
        return
    try:
        work = _Work(request)
        setattr(request, _WORK, work)
        work.span.set(names.MESSAGING_MESSAGE_ID, request.id)
        work.span.set(names.CODE_FUNCTION_NAME, task.name)
    except Exception as error:  # noqa: BLE001 -- a task runs whatever becomes of its span
        warn_once("celery", "spyglass could not span a task of Celery: %r.", error)


def _fail(sender: Any = None, exception: BaseException | None = None, **_: Any) -> None:
    work = getattr(getattr(sender, "request", None), _WORK, None)
    if work is not None:
        work.error = exception


def _end(task: Any = None, state: str | None = None, **_: Any) -> None:
    request = getattr(task, "request", None)
    work = vars(request).pop(_WORK, None) if request is not None else None
    if work is None:
        return
    if state != _FAILURE:
        work.error = None  # a retry is not the end of a task, nor its failure
    work.end()


def _leave(**_: Any) -> None:
    """Send what waits before a worker's process ends, which Celery does without Python's own end."""
    shutdown()
