"""Carry the context into threads and executors by themselves: patch three methods, once, and take the patches back.

A patch that fails calls the original: a program never breaks for its telemetry.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import thread as thread_pool
from typing import Any

from opentelemetry.context import Context, get_current

from spyglass.sdk.carry import carried
from spyglass.sdk.notices import warn_once
from spyglass.sdk.patching import Undo, replace, together
from spyglass.sdk.queue import ExportThread
from spyglass.sdk.state import state
from spyglass.sdk.tracing import Entered

# Threads that serve many callers must not keep the context of the one who happened to start them.
_SERVANTS = (thread_pool._worker,)  # noqa: SLF001 -- the only way to tell a pool's thread from a program's


def patch() -> Undo:
    """Patch threads and executors; return what takes the patches back."""
    undos = [replace(threading.Thread, "start", _starting)]
    undos.append(replace(thread_pool.ThreadPoolExecutor, "submit", _submitting_where_there_is_context))
    try:
        from concurrent.futures.process import ProcessPoolExecutor  # noqa: PLC0415 -- not on every system
    except ImportError:
        pass
    else:
        undos.append(replace(ProcessPoolExecutor, "submit", _submitting))
    return together(undos)


def _starting(original: Callable[..., Any]) -> Callable[..., Any]:
    def start(self: threading.Thread) -> Any:
        context = get_current()
        if context and state.runtime is not None and not _serves_many(self):
            _run_in(self, context)
        return original(self)

    return start


def _serves_many(thread: threading.Thread) -> bool:
    return isinstance(thread, ExportThread) or getattr(thread, "_target", None) in _SERVANTS


def _run_in(thread: threading.Thread, context: Context) -> None:
    """Make the thread's own run method, whatever class defines it, run in this context."""
    run = thread.run

    def run_in_context() -> None:
        thread.__dict__.pop("run", None)  # the thread must not stay in a cycle of references with its own method
        entered = Entered(context)
        entered.attach()
        try:
            run()
        finally:
            entered.leave()

    try:
        thread.__dict__["run"] = run_in_context
    except Exception as error:  # noqa: BLE001 -- a thread class with slots or properties of its own
        warn_once("thread", "spyglass could not carry the context into a thread: %r.", error)


def _submitting(original: Callable[..., Any]) -> Callable[..., Any]:
    def submit(self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return original(self, fn if state.runtime is None else carried(fn), *args, **kwargs)

    return submit


def _submitting_where_there_is_context(original: Callable[..., Any]) -> Callable[..., Any]:
    def submit(self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        bare = state.runtime is None or not get_current()
        return original(self, fn if bare else carried(fn), *args, **kwargs)

    return submit
