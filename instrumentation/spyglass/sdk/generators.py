"""Span a generator's whole iteration, and be current only while its own body runs.

The span starts with the first item asked for and ends on exhaustion, close(), an exception, or garbage collection of
the generator. Between two items the consumer's context is current; what the body itself made current (a nested
``with``) is current again when the body goes on.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from functools import wraps
from typing import TYPE_CHECKING, Any

from spyglass import names
from spyglass.sdk.handles import LlmCall
from spyglass.sdk.notices import warn_once
from spyglass.sdk.state import state

if TYPE_CHECKING:
    from spyglass.sdk.operations import Around
    from spyglass.sdk.tracing import Entered

Function = Callable[..., Any]


def synchronous(around: Around[Any], function: Function) -> Function:
    """Decorate a generator function."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        if state.runtime is None:
            return (yield from function(*args, **kwargs))
        return (yield from _drive(around, function(*args, **kwargs)))

    return call


def asynchronous(around: Around[Any], function: Function) -> Function:
    """Decorate an asynchronous generator function."""

    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        body = function(*args, **kwargs)
        handle, entered = around.begin()
        failure: BaseException | None = None
        step, value = body.asend, None
        try:
            _streams(handle)
            while True:
                try:
                    item = await _await(entered, step, value)
                except StopAsyncIteration:
                    return
                _arrived(handle)
                try:
                    step, value = body.asend, (yield item)
                except GeneratorExit:
                    await _await(entered, body.aclose)
                    raise
                except BaseException as error:  # noqa: BLE001 -- what the consumer throws belongs to the body
                    step, value = body.athrow, error
        except BaseException as error:
            failure = error
            raise
        finally:
            if entered is not None:
                end(entered, failure)

    return call


def _drive(around: Around[Any], body: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    handle, entered = around.begin()
    if entered is None:
        return (yield from body)
    failure: BaseException | None = None
    step, value = body.send, None
    try:
        _streams(handle)
        while True:
            try:
                item = _run(entered, step, value)
            except StopIteration as stop:
                return stop.value
            _arrived(handle)
            try:
                step, value = body.send, (yield item)
            except GeneratorExit:
                _run(entered, body.close)
                raise
            except BaseException as error:  # noqa: BLE001 -- what the consumer throws belongs to the body
                step, value = body.throw, error
    except BaseException as error:
        failure = error
        raise
    finally:
        end(entered, failure)


def _run(entered: Entered, step: Function, *values: Any) -> Any:
    entered.attach()
    try:
        return step(*values)
    finally:
        entered.suspend()


async def _await(entered: Entered | None, step: Function, *values: Any) -> Any:
    if entered is None:
        return await step(*values)
    entered.attach()
    try:
        return await step(*values)
    finally:
        entered.suspend()


def _streams(handle: object) -> None:
    if isinstance(handle, LlmCall):
        handle.set(names.REQUEST_STREAM, value=True)


def _arrived(handle: object) -> None:
    if isinstance(handle, LlmCall):
        handle.first_token()


def end(entered: Entered, failure: BaseException | None) -> None:
    """End a span, and log instead of raising into the application."""
    try:
        entered.finish(failure)
    except Exception as error:  # noqa: BLE001 -- telemetry never breaks the application
        warn_once("finish", "spyglass could not end a span: %r.", error)
