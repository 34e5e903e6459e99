"""Hand the trace and settings to every program that is started: patch subprocess.Popen, and uvloop's own way.

asyncio, anyio and psutil start programs through Popen. os.exec*, os.posix_spawn and os.system take their environment
as it stands, and multiprocessing's workers take their context with their tasks (``carry``).
"""

from __future__ import annotations

import inspect
import subprocess
from collections.abc import Callable
from types import ModuleType
from typing import Any

from spyglass.sdk.handover import child_environment
from spyglass.sdk.notices import warn_once
from spyglass.sdk.patching import Undo, replace, replace_all

_ENV = "env"


def patch() -> Undo:
    """Patch subprocess.Popen; return what takes the patch back."""
    parameters = list(inspect.signature(subprocess.Popen.__init__).parameters)
    place = parameters.index(_ENV) - 1  # among the positional arguments without self
    return replace(subprocess.Popen, "__init__", lambda original: _starting(original, place))


def patch_uvloop(uvloop: ModuleType) -> Undo:
    """Patch the loop of uvloop, which starts programs without Popen; ``uvloop`` is the imported module."""
    return replace_all(*((uvloop.Loop, name, _starting_by_loop) for name in ("subprocess_exec", "subprocess_shell")))


def _starting(original: Callable[..., Any], place: int) -> Callable[..., Any]:
    def start(self: Any, *args: Any, **kwargs: Any) -> None:
        if len(args) > place:
            args = (*args[:place], _environment(args[place]), *args[place + 1 :])
        else:
            kwargs = _with_environment(kwargs)
        original(self, *args, **kwargs)

    return start


def _starting_by_loop(original: Callable[..., Any]) -> Callable[..., Any]:
    def start(self: Any, *args: Any, **kwargs: Any) -> Any:
        return original(self, *args, **_with_environment(kwargs))

    return start


def _with_environment(kwargs: dict[str, Any]) -> dict[str, Any]:
    given = kwargs.get(_ENV)
    environment = _environment(given)
    return kwargs if environment is given else {**kwargs, _ENV: environment}


def _environment(given: Any) -> Any:
    try:
        environment = child_environment(given)
    except Exception as error:  # noqa: BLE001 -- a program is started whatever becomes of its trace
        warn_once("subprocess", "spyglass could not hand the context to a program: %r.", error)
        return given
    return given if environment is None else environment
