"""The handles that ``with spyglass.agent(…) as handle`` gives: what can be said about one open span.

A handle without tracing (before init(), when switched off, or not sampled) takes every call and does nothing. No
method raises.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from spyglass import names
from spyglass.sdk.notices import warn_once

if TYPE_CHECKING:
    from spyglass.sdk.tracing import Opened

P = ParamSpec("P")
H = TypeVar("H", bound="Handle")

_MAX_TOKENS = 2**63


def harmless(method: Callable[Concatenate[H, P], None]) -> Callable[Concatenate[H, P], None]:
    """Make a handle's method do nothing without a span, and log instead of raising into the application."""

    def guarded(self: H, *args: P.args, **kwargs: P.kwargs) -> None:
        if self._opened is None:
            return
        try:
            method(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 -- telemetry never breaks the application
            warn_once(f"handle.{method.__name__}", "spyglass could not record %s(): %r.", method.__name__, error)

    return cast("Callable[Concatenate[H, P], None]", wraps(method)(guarded))


class Handle:
    """Say something about one open span."""

    __slots__ = ("_opened",)

    def __init__(self, opened: Opened | None = None) -> None:
        self._opened = opened

    @property
    def trace_id(self) -> str:
        """Return the trace id as 32 hexadecimal digits; empty where nothing is traced."""
        return "" if self._opened is None else self._opened.trace_id

    @property
    def span_id(self) -> str:
        """Return the span id as 16 hexadecimal digits; empty where nothing is traced."""
        return "" if self._opened is None else self._opened.span_id

    @harmless
    def set(self, key: str, value: object) -> None:
        """Set an attribute; None is left out, and what is no OpenTelemetry value is written as JSON."""
        self._live.write({str(key): value})

    @harmless
    def error(self, type: str, message: str = "") -> None:  # noqa: A002 -- the name of the attribute, error.type
        """Mark the span as failed without an exception; ``type`` is a short code of low cardinality."""
        self._live.fail(type, message)

    @property
    def _live(self) -> Opened:
        if self._opened is None:
            raise RuntimeError(
                "A handle without a span was used."
            )  # pragma: no cover -- harmless() guards every method
        return self._opened


class AgentRun(Handle):
    """Say something about one run of an agent or a workflow."""

    __slots__ = ()

    @harmless
    def input(self, messages: object) -> None:
        """Record what went in: a string, messages of OpenAI or Anthropic, or messages with parts."""
        self._live.messages(names.INPUT_MESSAGES, messages, "user")

    @harmless
    def output(self, messages: object) -> None:
        """Record what came out: a string, messages, or a whole response of OpenAI or Anthropic."""
        self._live.messages(names.OUTPUT_MESSAGES, messages, "assistant")

    @harmless
    def system(self, text: object) -> None:
        """Record the system instructions: a string or a list of parts."""
        self._live.system(text)


class LlmCall(AgentRun):
    """Say something about one call of a model."""

    __slots__ = ("_first",)

    def __init__(self, opened: Opened | None = None) -> None:
        super().__init__(opened)
        self._first = False

    @harmless
    def usage(
        self,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        reasoning_tokens: int | None = None,
    ) -> None:
        """Record token counts; None stays absent.

        ``input_tokens`` includes what was read from and written to the cache, ``output_tokens`` includes reasoning, as
        the GenAI conventions want it. Counts that contradict this are kept as given, with one warning.
        """
        counts = {
            names.INPUT_TOKENS: _count(input_tokens),
            names.OUTPUT_TOKENS: _count(output_tokens),
            names.CACHE_READ_TOKENS: _count(cache_read_tokens),
            names.CACHE_WRITE_TOKENS: _count(cache_write_tokens),
            names.REASONING_TOKENS: _count(reasoning_tokens),
        }
        _check_parts(counts)
        self._live.write(counts)

    @harmless
    def response(self, *, model: str | None = None, id: str | None = None) -> None:  # noqa: A002 -- as in gen_ai.response.id
        """Record which model answered, and the provider's id of the answer."""
        self._live.write({names.RESPONSE_MODEL: model, names.RESPONSE_ID: id})

    @harmless
    def finish(self, *reasons: str) -> None:
        """Record why the model stopped, one reason per choice."""
        self._live.write({names.FINISH_REASONS: [str(reason) for reason in reasons] or None})

    @harmless
    def first_token(self) -> None:
        """Record that the first part of a streamed answer is here; only the first call counts."""
        if not self._first:
            self._first = True
            self._live.write({names.TIME_TO_FIRST_CHUNK: self._live.seconds()})


class ToolCall(Handle):
    """Say something about one call of a tool."""

    __slots__ = ()

    @harmless
    def arguments(self, value: object) -> None:
        """Record what the tool was given: any object."""
        self._live.thing(names.TOOL_CALL_ARGUMENTS, value, "assistant")

    @harmless
    def result(self, value: object) -> None:
        """Record what the tool gave: any object."""
        self._live.thing(names.TOOL_CALL_RESULT, value, "tool")


class Retrieval(Handle):
    """Say something about one search."""

    __slots__ = ()

    @harmless
    def query(self, text: str) -> None:
        """Record what was asked for."""
        self._live.thing(names.RETRIEVAL_QUERY_TEXT, text, "user")

    @harmless
    def documents(self, found: object) -> None:
        """Record what was found: a list of dictionaries (id, score, content …), objects or strings."""
        self._live.documents(found)


def _count(value: Any) -> int | None:
    if value is None:
        return None
    try:
        count = None if isinstance(value, bool | str) else int(value)
    except (TypeError, ValueError, OverflowError):
        count = None
    if count is None or not -_MAX_TOKENS <= count < _MAX_TOKENS:
        warn_once("usage.type", "spyglass: a %s is no count of tokens and is left out.", type(value).__name__)
        return None
    return count


_PARTS = (
    (names.INPUT_TOKENS, (names.CACHE_READ_TOKENS, names.CACHE_WRITE_TOKENS)),
    (names.OUTPUT_TOKENS, (names.REASONING_TOKENS,)),
)


def _check_parts(counts: dict[str, int | None]) -> None:
    for whole, parts in _PARTS:
        total = counts[whole]
        part = sum(counts[name] or 0 for name in parts)
        if total is not None and part > total:
            warn_once(
                f"usage.{whole}",
                "spyglass: %s is %d but its parts (%s) are %d: the whole includes its parts; kept as given.",
                whole,
                total,
                ", ".join(parts),
                part,
            )
