"""What exceptions do to a span, and what a span does to exceptions."""

from __future__ import annotations

import asyncio
import traceback

import pytest

import spyglass
from spyglass.testing import capture


def test_exceptions_are_recorded_and_raised_untouched() -> None:
    """The very same exception leaves; its traceback has one frame more, and the span says type, message and stack."""
    raised = ValueError("no such city")

    def plain() -> None:
        raise raised

    decorated = spyglass.tool("t")(plain)
    with capture() as captured:
        with pytest.raises(ValueError, match="no such city") as caught:
            decorated()
        assert caught.value is raised
        frames = [frame.name for frame in traceback.extract_tb(raised.__traceback__)]
        assert frames[-2:] == ["call", "plain"]
        assert len(frames) == 3
        assert raised.__cause__ is None
        assert raised.__context__ is None
    span = captured.span("execute_tool t")
    assert (span.status.status_code.name, span.status.description) == ("ERROR", "ValueError: no such city")
    assert captured.attributes("execute_tool t")["error.type"] == "ValueError"
    event = span.events[0]
    found = dict(event.attributes or {})
    assert event.name == "exception"
    assert found["exception.type"] == "ValueError"
    assert found["exception.message"] == "no such city"
    assert "raise raised" in str(found["exception.stacktrace"])


class ProviderError(Exception):
    """An error with a module, for its qualified name."""

    def __str__(self) -> str:
        raise RuntimeError("even this fails")


def test_an_exception_that_cannot_be_printed_is_still_recorded() -> None:
    """An exception whose text raises is recorded by its type, and raised untouched."""
    with capture() as captured, pytest.raises(ProviderError), spyglass.tool("t"):
        raise ProviderError
    assert captured.attributes("execute_tool t")["error.type"] == f"{__name__}.ProviderError"
    assert dict(captured.span("execute_tool t").events[0].attributes or {})["exception.message"] == (
        "<unprintable ProviderError>"
    )


def test_a_cancelled_task_is_no_error_but_can_be_found() -> None:
    """Cancellation leaves the status unset, as OpenTelemetry does, records no exception, and sets error.type."""

    @spyglass.agent("a")
    async def forever() -> None:
        await asyncio.sleep(60)

    async def use() -> None:
        task = asyncio.create_task(forever())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with capture() as captured:
        asyncio.run(use())
    span = captured.span("invoke_agent a")
    assert span.status.status_code.name == "UNSET"
    assert captured.attributes("invoke_agent a")["error.type"] == "cancelled"
    assert not span.events


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (GeneratorExit(), "UNSET"),
        (StopIteration(), "UNSET"),
        (StopAsyncIteration(), "UNSET"),
        (SystemExit(0), "UNSET"),
        (SystemExit(), "UNSET"),
        (SystemExit(3), "ERROR"),
        (KeyboardInterrupt(), "UNSET"),
        (KeyError("k"), "ERROR"),
    ],
)
def test_only_failures_are_errors(error: BaseException, status: str) -> None:
    """The orderly ends that Python says with exceptions do not fail a span."""
    with capture() as captured:
        with pytest.raises(type(error)) as caught, spyglass.tool("t"):
            raise error
        assert caught.value is error
    assert captured.span("execute_tool t").status.status_code.name == status


def test_exception_groups_keep_all_their_errors() -> None:
    """A group is recorded with the stack traces of what it holds."""
    with capture() as captured, pytest.raises(ExceptionGroup), spyglass.agent("a"):
        raise ExceptionGroup("two", [ValueError("one"), KeyError("two")])
    event = captured.span("invoke_agent a").events[0]
    assert "ValueError: one" in str((event.attributes or {})["exception.stacktrace"])
