"""Take the context along into another thread or process: who acts, in which trace, for whom.

In the same process a carried callable runs in the very context it was made in. In another process it is rebuilt from
plain values, and spyglass is started there with the parent's settings, and flushed before the worker ends.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

from spyglass.sdk.notices import warn_once
from spyglass.sdk.state import state

if TYPE_CHECKING:
    from opentelemetry.context import Context

P = ParamSpec("P")
R = TypeVar("R")

_FIRST = 100  # priority among the finalizers of multiprocessing: before its own queues and managers


def carry(function: Callable[P, R]) -> Callable[P, R]:
    """Return a callable that runs ``function`` in the context of here and now, wherever it is called.

    It can be pickled when ``function`` can, so it works with multiprocessing.Pool, whose tasks are not carried by
    themselves. Without init() the function itself is returned.
    """
    return function if state.runtime is None else Carried(function)


class Carried(Generic[P, R]):
    """Run a callable in the context that this object was made in."""

    def __init__(self, function: Callable[P, R]) -> None:
        from opentelemetry.context import get_current  # noqa: PLC0415 -- only after init(), which imports it

        self._function = function
        self._context: Context | None = get_current()
        self._carrier: Mapping[str, Any] = {}
        self.__name__ = getattr(function, "__name__", type(function).__name__)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function."""
        entered = self._enter()
        if entered is None:
            return self._function(*args, **kwargs)
        entered.attach()
        try:
            return self._function(*args, **kwargs)
        finally:
            entered.leave()

    def _enter(self) -> Any:
        try:
            if self._context is None:
                self._context = _arrive(self._carrier)
            from spyglass.sdk.tracing import Entered  # noqa: PLC0415 -- only after init(), which imports it

            return Entered(self._context)
        except Exception as error:  # noqa: BLE001 -- telemetry never breaks the application
            warn_once("carry", "spyglass could not carry the context into %s: %r.", self.__name__, error)
            return None

    def __getstate__(self) -> dict[str, Any]:
        return {"_function": self._function, "_carrier": _pack(self._context), "__name__": self.__name__}

    def __setstate__(self, packed: dict[str, Any]) -> None:
        self.__dict__.update(packed)
        self._context = None


def _pack(context: Context | None) -> dict[str, Any]:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415 -- see above

    from spyglass.sdk.scope import scope_of  # noqa: PLC0415 -- see above

    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers, context)
    scope = scope_of(context) if context is not None else None
    carried = (
        {"session": dict(scope.session), "agent": scope.agent, "execution_id": scope.execution_id} if scope else {}
    )
    settings = asdict(state.runtime.settings) if state.runtime is not None else {}
    return {"headers": headers, "scope": carried, "settings": settings, "pid": os.getpid()}


def _arrive(carrier: Mapping[str, Any]) -> Context:
    """Return the context as it was packed, after making sure that spyglass runs in this process."""
    from spyglass.sdk import lifecycle  # noqa: PLC0415 -- a worker imports OpenTelemetry with its first task

    if carrier["pid"] != os.getpid():
        lifecycle.start_in_worker(carrier["settings"])
        flush_before_the_worker_ends()

    from opentelemetry.context import Context  # noqa: PLC0415 -- as above
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415 -- as above

    from spyglass.sdk.scope import Scope, with_scope, with_session  # noqa: PLC0415 -- as above

    context = TraceContextTextMapPropagator().extract(carrier["headers"], Context())
    packed = carrier["scope"]
    if not packed:
        return context
    context = with_session(context, packed["session"])
    scope = Scope()
    scope.session = packed["session"]
    scope.agent, scope.execution_id = packed["agent"], packed["execution_id"]
    return with_scope(context, scope)


# Processes that flush at their end.
_prepared: set[int] = set()


def flush_before_the_worker_ends() -> None:
    """Make a multiprocessing worker flush when it ends in order, and when its pool terminates it."""
    if os.getpid() in _prepared or "multiprocessing.util" not in sys.modules:
        return
    _prepared.add(os.getpid())
    from multiprocessing.util import Finalize  # noqa: PLC0415 -- a worker has it; others need not

    Finalize(None, _end, exitpriority=_FIRST)
    try:
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # leaving a Pool's ``with`` terminates its workers
            signal.signal(signal.SIGTERM, _terminate)
    except ValueError:
        return  # not the main thread, so the worker's signals are not ours


def _end() -> None:
    from spyglass.sdk.lifecycle import shutdown  # noqa: PLC0415 -- lifecycle reads this module through the runtime

    shutdown()


def _terminate(*_: object) -> None:
    """Die of the signal, but after flushing; a pool also terminates workers that are flushing in order already."""
    if state.stopping:
        state.afterwards.append(_die)
    else:
        _end()
        _die()


def _die() -> None:
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    except ValueError:  # another thread was flushing
        os._exit(128 + signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)


def carried(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function carried, unless it is already."""
    return function if isinstance(function, Carried) else cast("Callable[..., Any]", Carried(function))
