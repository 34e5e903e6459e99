"""Open, fill and close spans on the OpenTelemetry API, and keep who is acting in the context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context, attach, get_current
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from spyglass import names
from spyglass.names import CANCELLED
from spyglass.sdk.attributes import LONGEST, SCALARS, attribute_value, cleaned, qualified, stack_trace
from spyglass.sdk.capture import Capture
from spyglass.sdk.jsonable import Redact, safe_text
from spyglass.sdk.kinds import Row
from spyglass.sdk.notices import warn_once
from spyglass.sdk.scope import SCOPE_KEY, Scope, scope_of, with_session

# The API's own key, asked of the API: one copy of the context for span and scope instead of one for each.
_SPAN_KEY = next(iter(trace.set_span_in_context(trace.INVALID_SPAN, Context())))
_SHARING = (names.SYSTEM_INSTRUCTIONS, names.INPUT_MESSAGES)
_COVERED = (
    "llm_call() around a client that is instrumented leaves that client's own span out, so the tokens are unknown: "
    "call usage(), or take llm_call() away."
)
# Of asyncio, concurrent.futures, anyio on trio, and the terminal; by name, so that none needs to be imported.
_CANCELLATIONS = frozenset(("CancelledError", "Cancelled", "KeyboardInterrupt"))


class Tracing:
    """Open spans with one tracer, one clock and one policy for content."""

    __slots__ = ("capture", "clean", "clock", "tracer")

    def __init__(self, tracer: Tracer, capture: Capture, clock: Callable[[], int], clean: Redact | None) -> None:
        self.tracer = tracer
        self.capture = capture
        self.clock = clock
        self.clean = clean

    def scope(self) -> Scope | None:
        """Return who acts in the current context."""
        return scope_of(get_current())

    def session(self, ids: Mapping[str, str]) -> Entered:
        """Return the current context with these ids for everything inside."""
        return Entered(with_session(get_current(), ids))

    def open(self, row: Row, target: str, extra: Mapping[str, Any]) -> Opened:
        """Start a span of this kind as a child of the current one; it is not current yet."""
        context = get_current()
        outer = scope_of(context)
        attributes = {**row.constants, **extra}
        if target:
            for name in row.targets:
                attributes[name] = target
        _inherit(row, target, outer, attributes)
        start = self.clock()
        span = self.tracer.start_span(
            f"{row.name} {target}" if target else row.name,
            context,
            SpanKind[row.span_kind],
            cleaned(attributes, self.clean),
            start_time=start,
        )
        opened = Opened(self, span, Scope(outer), context, start)
        if row.kind is names.Kind.AGENT:
            opened.scope.agent = target
            opened.scope.execution_id = opened.span_id
            opened.write({names.EXECUTION_ID: opened.span_id})
        return opened


def _inherit(row: Row, target: str, outer: Scope | None, attributes: dict[str, Any]) -> None:
    if outer is None:
        return
    if outer.session:
        attributes.update(outer.session)
    if row.kind is names.Kind.AGENT:
        parent = outer.handoffs.pop(target, "") or outer.agent
        if parent:
            attributes[names.AGENT_PARENT_NAME] = parent
        return
    if row.handoff:
        outer.handoffs[target] = outer.agent
        if outer.agent:
            attributes[names.AGENT_SOURCE_NAME] = outer.agent
    if outer.agent and row.kind is not names.Kind.WORKFLOW:
        attributes[names.AGENT_NAME] = outer.agent
    if outer.execution_id:
        attributes[names.EXECUTION_ID] = outer.execution_id


class Entered:
    """Hold a context that code runs in."""

    __slots__ = ("_token", "context")

    def __init__(self, context: Context) -> None:
        self.context = context
        self._token: Any = None

    def attach(self) -> None:
        """Make the context current."""
        self._token = attach(self.context)

    def suspend(self) -> None:
        """Leave the context, and remember where the code stood."""
        self.context = get_current()
        self.leave()

    def leave(self) -> None:
        """Make current again what was before; silently where a generator is closed in a foreign context."""
        try:  # noqa: SIM105 -- contextlib.suppress() costs more than the rest of the method
            self._token.var.reset(self._token)
        except ValueError:
            pass

    def finish(self, error: BaseException | None) -> None:
        """End what was entered."""


class Opened(Entered):
    """Hold one open span with its context; its methods are what handles do.

    Attributes are gathered and set when the span ends: the SDK takes a lock and looks at every value each time.
    """

    __slots__ = ("_ended", "_failed", "_gathered", "_prompt", "_start", "_tracing", "covers", "scope", "span")

    def __init__(self, tracing: Tracing, span: Span, scope: Scope, outer: Context, start: int) -> None:
        super().__init__(Context(outer, **{_SPAN_KEY: span, SCOPE_KEY: scope}))
        self.span = span
        self.scope = scope
        self.covers = False
        self._tracing = tracing
        self._start = start
        self._ended = self._failed = False
        self._gathered: dict[str, Any] = {}
        self._prompt: dict[str, dict[str, Any]] = {}

    @property
    def trace_id(self) -> str:
        """Return the trace id in hexadecimal digits."""
        return trace.format_trace_id(self.span.get_span_context().trace_id)

    @property
    def span_id(self) -> str:
        """Return the span id in hexadecimal digits."""
        return trace.format_span_id(self.span.get_span_context().span_id)

    def seconds(self) -> float:
        """Return how long the span is open."""
        return (self._tracing.clock() - self._start) / 1e9

    def write(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes; None values are left out."""
        if self._ended:
            warn_once("ended", "spyglass: what a handle is told after the end of its span is lost (%s).", [*attributes])
        for key, value in attributes.items():
            if value.__class__ in SCALARS:
                self._gathered[key] = value
            elif value is not None:
                self._gathered[key] = attribute_value(value)

    def messages(self, key: str, value: object, role: str) -> None:
        """Set the attributes of messages as the policy for content says."""
        if self._wants_content():
            self._content(key, self._tracing.capture.messages(key, value, role))

    def system(self, value: object) -> None:
        """Set the attributes of system instructions."""
        if self._wants_content():
            self._content(names.SYSTEM_INSTRUCTIONS, self._tracing.capture.system(value))

    def thing(self, key: str, value: object, role: str) -> None:
        """Set the attributes of an object that went in or came out."""
        if self._wants_content():
            self._content(key, self._tracing.capture.object(key, value, role))

    def documents(self, value: object) -> None:
        """Set the attributes of documents."""
        if self._wants_content():
            self._content(names.RETRIEVAL_DOCUMENTS, self._tracing.capture.documents(value))

    def fail(self, error_type: str, message: str) -> None:
        """Mark the span as failed."""
        self._failed = True
        self.write({names.ERROR_TYPE: error_type})
        self.span.set_status(Status(StatusCode.ERROR, self._line(message)))

    def finish(self, error: BaseException | None) -> None:
        """End the span, once; an error marks it as failed, a cancellation only gets an error.type."""
        if self._ended:
            return
        self.scope.handle = None  # breaks the one cycle of references, so that no span waits for the garbage collector
        try:
            if self.span.is_recording():
                self._complete(error)
        finally:
            self._ended = True
            self.span.end(self._tracing.clock())

    def _complete(self, error: BaseException | None) -> None:
        if error is not None:
            self._record(error)
        elif self.covers and names.INPUT_TOKENS not in self._gathered:
            warn_once("covered", "spyglass: %s", _COVERED)
        if self._gathered:
            self.span.set_attributes(self._redacted(self._gathered))

    def _redacted(self, attributes: dict[str, Any]) -> dict[str, Any]:
        return attributes if self._tracing.clean is None else cleaned(attributes, self._tracing.clean)

    def _wants_content(self) -> bool:
        return not self._tracing.capture.off and self.span.is_recording()

    def _content(self, key: str, attributes: dict[str, Any]) -> None:
        """Keep content; system instructions and messages come in two calls but share the lists of roles and lengths."""
        self._gathered.update(attributes)
        if key not in _SHARING:
            return
        self._prompt[key] = attributes
        if len(self._prompt) == len(_SHARING):
            first, second = (self._prompt[source] for source in _SHARING)
            both = [name for name in first if name in second and first[name].__class__ is list]
            self._gathered.update({name: first[name] + second[name] for name in both})

    def _record(self, error: BaseException) -> None:
        if type(error).__name__ in _CANCELLATIONS:
            self.write({names.ERROR_TYPE: None if self._failed else CANCELLED})
        elif not _is_orderly(error):
            self._exception(error)

    def _exception(self, error: BaseException) -> None:
        name = qualified(type(error))
        message = safe_text(error)
        event = {
            names.EXCEPTION_TYPE: name,
            names.EXCEPTION_MESSAGE: message,
            names.EXCEPTION_STACKTRACE: stack_trace(error),
        }
        self.span.add_event(names.EVENT_EXCEPTION, self._redacted(event), self._tracing.clock())
        if not self._failed:
            self.fail(name, f"{type(error).__name__}: {message}")

    def _line(self, message: str) -> str:
        text = message[:LONGEST]
        return self._tracing.clean(text) if self._tracing.clean else text


def _is_orderly(error: BaseException) -> bool:
    """Say whether this is no failure: a closed generator, an exhausted iterator, an exit with code 0."""
    if isinstance(error, SystemExit):
        return error.code in (None, 0)
    return isinstance(error, GeneratorExit | StopIteration | StopAsyncIteration)
