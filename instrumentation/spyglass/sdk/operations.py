"""What is decorator and context manager at once: something that begins and ends around code of any kind.

Works for functions, coroutine functions, generators and asynchronous generators. Whether spyglass is on is asked at
each call, so code decorated before init() is traced after it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from spyglass import names
from spyglass.sdk.generators import asynchronous, end, synchronous
from spyglass.sdk.handles import Handle, LlmCall, ToolCall
from spyglass.sdk.kinds import Row
from spyglass.sdk.notices import warn_once
from spyglass.sdk.state import state

if TYPE_CHECKING:
    from spyglass.sdk.tracing import Entered

F = TypeVar("F", bound=Callable[..., Any])
H = TypeVar("H", bound=Handle)
T = TypeVar("T")
Function = Callable[..., Any]


class Running(Generic[T]):
    """Hold one begin and its end."""

    __slots__ = ("_around", "_entered")

    def __init__(self, around: Around[T]) -> None:
        self._around = around
        self._entered: Entered | None = None

    def __enter__(self) -> T:
        handle, self._entered = self._around.begin()
        if self._entered is not None:
            self._entered.attach()
        return handle

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        entered = self._entered
        if entered is not None:
            entered.leave()
            end(entered, error)


class Around(Generic[T]):
    """Run code inside something that begins and ends; subclasses say what."""

    __slots__ = ("_stack",)

    def __init__(self) -> None:
        self._stack: list[Running[T]] = []

    def begin(self) -> tuple[T, Entered | None]:
        """Begin; return what ``with`` gives, and what is to be ended (None where nothing is traced)."""
        raise NotImplementedError

    def around(self, function: Function) -> Around[T]:  # noqa: ARG002 -- operations look at the function's name
        """Return what is to run around this function."""
        return self

    def __enter__(self) -> T:
        running = Running(self)
        self._stack.append(running)
        return running.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.pop().__exit__(kind, error, trace)

    async def __aenter__(self) -> T:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: F) -> F:
        """Decorate a function of any kind."""
        return cast("F", _decorated(self.around(function), function))


class Operation(Around[H]):
    """Open a span of one kind around code."""

    __slots__ = ("_extra", "_handle", "_ready", "_row", "_target")

    def __init__(
        self,
        row: Row,
        handle: type[H],
        target: object = None,
        extra: Mapping[str, Any] | None = None,
        ready: Callable[[H], None] | None = None,
    ) -> None:
        super().__init__()
        self._row = row
        self._handle = handle
        self._target = target
        self._extra = extra or {}
        self._ready = ready

    def begin(self) -> tuple[H, Entered | None]:
        """Start the span."""
        runtime = state.runtime
        if runtime is None:
            return self._handle(), None
        try:
            target = self._target
            opened = runtime.tracing.open(self._row, target if type(target) is str else _text(target), self._extra)
        except Exception as error:  # noqa: BLE001 -- telemetry never breaks the application
            warn_once("begin", "spyglass could not start a span: %r.", error)
            return self._handle(), None
        handle = self._handle(opened)
        opened.scope.handle = handle
        if self._ready is not None:
            self._ready(handle)
        return handle, opened

    def around(self, function: Function) -> Operation[H]:
        """Return this with the function's name where none was given; a model is never named after a function."""
        name = self._target
        if name is None and self._handle is not LlmCall:
            name = getattr(function, "__name__", type(function).__name__)
        extra = {names.TOOL_TYPE: "function", **self._extra} if self._handle is ToolCall else self._extra
        return Operation(self._row, self._handle, name, extra, self._ready)


def _text(target: object) -> str:
    return "" if target is None else str(target)


def _decorated(around: Around[Any], function: Function) -> Function:
    if inspect.isasyncgenfunction(function):
        return asynchronous(around, function)
    if inspect.isgeneratorfunction(function):
        return synchronous(around, function)
    parameters = _Parameters(function)
    if inspect.iscoroutinefunction(function):
        return _coroutine(around, function, parameters)
    return _plain(around, function, parameters)


def _plain(around: Around[Any], function: Function, parameters: _Parameters) -> Function:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if state.runtime is None:
            return function(*args, **kwargs)
        with Running(around) as handle:
            if isinstance(handle, ToolCall):
                handle.arguments(parameters.named(args, kwargs))
            result = function(*args, **kwargs)
            if isinstance(handle, ToolCall):
                handle.result(result)
            return result

    return call


def _coroutine(around: Around[Any], function: Function, parameters: _Parameters) -> Function:
    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        if state.runtime is None:
            return await function(*args, **kwargs)
        with Running(around) as handle:
            if isinstance(handle, ToolCall):
                handle.arguments(parameters.named(args, kwargs))
            result = await function(*args, **kwargs)
            if isinstance(handle, ToolCall):
                handle.result(result)
            return result

    return call


class _Parameters:
    """Name a function's arguments, without the cost of binding a signature at each call."""

    __slots__ = ("_hidden", "_names", "_rest")

    def __init__(self, function: Function) -> None:
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            parameters = []
        positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self._names = tuple(positional)
        self._rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "args")
        self._hidden = positional[:1] in (["self"], ["cls"])

    def named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments by name; the instance or class of a method is none."""
        named = dict(zip(self._names, args, strict=False))
        if self._hidden:
            named.pop(self._names[0], None)
        if len(args) > len(self._names):
            named[self._rest] = args[len(self._names) :]
        return {**named, **kwargs}
