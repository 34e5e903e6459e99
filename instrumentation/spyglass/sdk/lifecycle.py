"""Start and stop spyglass in this process: init(), flush(), shutdown(), and what happens after a fork.

Nothing here raises into the application: what goes wrong is one warning, and the application runs on.
"""

from __future__ import annotations

import atexit
import difflib
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from spyglass.errors import SettingError, SpyglassError
from spyglass.sdk.notices import log
from spyglass.sdk.state import state
from spyglass.settings import PREFIX, ROWS, Loaded, load

if TYPE_CHECKING:
    from spyglass.sdk.autoinstrument import Instrumented
    from spyglass.sdk.runtime import Runtime
    from spyglass.settings import Settings

EXIT_SECONDS = 5.0
_watching: list[bool] = []


def init(service: str | None = None, **settings: object) -> None:
    """Start telemetry in this process: traces, metrics, logs, probes and the instrumentation of installed libraries.

    Every setting can be given by its name (``spyglass settings`` lists them); the environment (``SPYGLASS_…``) comes
    before arguments. Calling it again does nothing but warn. Never raises: a bad setting keeps its default and is one
    warning, and after any other failure the program simply runs without telemetry.
    """
    runtime = state.runtime
    if runtime is not None and not runtime.bootstrapped:
        log.warning("spyglass.init() was called again and does nothing; call spyglass.shutdown() before.")
        return
    if runtime is not None:
        shutdown()
    _start(lambda: _load({"service": service, **settings}))


def bootstrap() -> None:
    """Start as ``spyglass run`` does; a later init() of the program replaces this, with its arguments."""
    _start(lambda: _load({}))
    if state.runtime is not None:
        state.runtime.bootstrapped = True


def start_in_worker(settings: Mapping[str, Any]) -> None:
    """Start in a worker process with its parent's settings, unless spyglass was started there by the program."""
    from spyglass.settings import Settings  # noqa: PLC0415 -- kept beside its only use

    runtime = state.runtime
    if runtime is not None and runtime.bootstrapped and settings and runtime.settings != Settings(**settings):
        shutdown()
    if state.runtime is None and settings:
        _start(lambda: Settings(**settings))


def shutdown(timeout_s: float = EXIT_SECONDS) -> None:
    """Send what waits within ``timeout_s`` seconds and stop; called by itself when the program ends."""
    runtime = state.runtime
    if runtime is None:
        return
    state.stopping, state.runtime = True, None
    atexit.unregister(shutdown)
    try:
        runtime.shutdown(timeout_s)
    except Exception as error:  # noqa: BLE001 -- telemetry never breaks the application
        log.warning("spyglass could not stop in order: %r.", error)
    finally:
        state.stopping = False
    while state.afterwards:
        state.afterwards.pop()()


def flush(timeout_s: float = EXIT_SECONDS) -> bool:
    """Send what waits, and return whether all was sent within ``timeout_s`` seconds; True without init()."""
    return True if state.runtime is None else state.runtime.flush(timeout_s)


def dropped() -> dict[str, dict[str, int]]:
    """Return how many spans and logs were given up in this process, by signal and reason; empty means none."""
    counts: dict[str, dict[str, int]] = {}
    if state.runtime is not None:
        for (signal, reason), count in state.runtime.dropped().items():
            counts.setdefault(signal.value, {})[reason.value] = count
    return counts


def instrumented() -> tuple[Instrumented, ...]:
    """Return what became of each installed library that spyglass knows to instrument."""
    return () if state.runtime is None else state.runtime.instrumentation.rows()


def _start(settings: Callable[[], Settings]) -> None:
    try:
        read = settings()
        if not read.disabled:
            adopt(build(read))
            _follow(read)
    except SpyglassError as error:
        log.warning("spyglass is off: %s", error)
    except Exception as error:  # noqa: BLE001 -- telemetry never breaks the application
        log.warning("spyglass is off, for it could not start: %r.", error)


def _follow(settings: Settings) -> None:
    """Continue the trace of whoever started this process."""
    from spyglass.sdk.handover import follow  # noqa: PLC0415 -- OpenTelemetry is imported by init() only

    leave = follow(propagate=settings.propagate)
    if leave is not None and state.runtime is not None:
        state.runtime.undo.append(leave)


def adopt(runtime: Runtime) -> None:
    """Make this the process's runtime, until shutdown() or its end."""
    state.runtime = runtime
    atexit.register(shutdown)


def build(settings: Settings) -> Runtime:
    """Return a running runtime."""
    from spyglass.sdk.assembly import assemble  # noqa: PLC0415 -- OpenTelemetry's SDK is imported by init() only

    runtime = assemble(settings)
    # After the providers, whose own handlers must not undo what ours does.
    if not _watching and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)
        _watching.append(True)
    return runtime


def _after_fork() -> None:
    state.stopping = False
    state.afterwards.clear()
    if state.runtime is not None:
        state.runtime.after_fork()


def _load(arguments: dict[str, object]) -> Settings:
    """Read the settings; a bad one keeps its default, so that a typo does not cost the telemetry."""
    problems = [_unknown(name) for name in arguments if name not in ROWS]
    given = {name: value for name, value in arguments.items() if name in ROWS}
    environ = dict(os.environ)
    for _ in range(len(ROWS) * 2):
        try:
            loaded = load(given, environ)
            break
        except SettingError as error:
            name = error.setting.removeprefix(PREFIX).lower()
            if environ.pop(error.setting, None) is None and given.pop(name, None) is None:
                raise
            problems.append(error)
    problems += loaded.unknown
    if problems:
        log.warning("spyglass: %s The rest is as set.", " ".join(str(problem) for problem in problems))
    _check_endpoint(loaded)
    return loaded.settings


def _unknown(name: str) -> SettingError:
    close = difflib.get_close_matches(name, ROWS, n=1)
    return SettingError(name, "no such setting.", f"Did you mean {close[0]}?" if close else "")


def _check_endpoint(loaded: Loaded) -> None:
    endpoint = urlsplit(loaded.settings.endpoint)
    if endpoint.scheme not in ("http", "https") or not endpoint.hostname:
        raise SettingError("SPYGLASS_ENDPOINT", f"{loaded.settings.endpoint!r} is no http:// or https:// address.")
