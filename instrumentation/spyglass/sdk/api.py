"""The operations that users call: each is a decorator and a context manager, for code of any kind.

Without init() each of them is a cheap no-op. Span names and attributes follow the GenAI semantic conventions.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar, overload

from spyglass import names
from spyglass.names import AGENT_ROLE
from spyglass.sdk import kinds
from spyglass.sdk.handles import AgentRun, Handle, LlmCall, Retrieval, ToolCall
from spyglass.sdk.notices import warn_once
from spyglass.sdk.operations import Operation
from spyglass.sdk.state import state

F = TypeVar("F", bound=Callable[..., Any])
H = TypeVar("H", bound=Handle)


@overload
def workflow(name: F, /) -> F: ...
@overload
def workflow(name: str | None = None) -> Operation[AgentRun]: ...
def workflow(name: Any = None) -> Any:
    """Span the orchestration of several agents: a crew, a graph, a pipeline."""
    return _operation(kinds.WORKFLOW, AgentRun, name)


@overload
def agent(name: F, /) -> F: ...
@overload
def agent(
    name: str | None = None,
    *,
    id: str | None = None,
    version: str | None = None,
    role: str | None = None,
) -> Operation[AgentRun]: ...
def agent(
    name: Any = None,
    *,
    id: str | None = None,  # noqa: A002 -- as in gen_ai.agent.id
    version: str | None = None,
    role: str | None = None,
) -> Any:
    """Span one run of an agent; what is opened inside belongs to this execution.

    ``id`` is the stable id of a hosted agent, never one made for this run. ``role`` is a word of few values, such as
    planner, worker or critic.
    """
    extra = {names.AGENT_ID: id, names.AGENT_VERSION: version, AGENT_ROLE: role}
    return _operation(kinds.AGENT, AgentRun, name, extra)


@overload
def tool(name: F, /) -> F: ...
@overload
def tool(name: str | None = None, *, call_id: str | None = None, type: str | None = None) -> Operation[ToolCall]: ...
def tool(
    name: Any = None,
    *,
    call_id: str | None = None,
    type: str | None = None,  # noqa: A002 -- as in gen_ai.tool.type
) -> Any:
    """Span one call of a tool; as a decorator it records arguments and result as the setting ``content`` says.

    ``call_id`` is the id that the model gave the call; ``type`` is function, extension or datastore.
    """
    return _operation(kinds.TOOL, ToolCall, name, {names.TOOL_CALL_ID: call_id, names.TOOL_TYPE: type})


@overload
def llm_call(model: F, /) -> F: ...
@overload
def llm_call(
    model: str | None = None,
    *,
    provider: str | None = None,
    stream: bool = False,
    max_tokens: int | None = None,
    temperature: float | None = None,
    operation: str = names.Operation.CHAT,
) -> Operation[LlmCall]: ...
def llm_call(
    model: Any = None,
    *,
    provider: str | None = None,
    stream: bool = False,
    max_tokens: int | None = None,
    temperature: float | None = None,
    operation: str = names.Operation.CHAT,
) -> Any:
    """Span one call of a model; the span of an instrumented client inside it is left out, so call usage() yourself.

    ``operation`` is chat, generate_content, text_completion or embeddings. As the decorator of a generator it records
    the time to the first item as the time to the first token.
    """
    extra = {
        names.PROVIDER_NAME: provider,
        names.REQUEST_STREAM: True if stream else None,
        names.REQUEST_MAX_TOKENS: max_tokens,
        names.REQUEST_TEMPERATURE: temperature,
    }
    row = kinds.LLM.get(operation)
    if row is None:
        warn_once("operation", "spyglass: llm_call has no operation %r; it is recorded as chat.", operation)
        row = kinds.LLM[names.Operation.CHAT]
    return _operation(row, LlmCall, model, extra)


@overload
def retrieval(source: F, /) -> F: ...
@overload
def retrieval(
    source: str | None = None, *, query: str | None = None, top_k: int | None = None
) -> Operation[Retrieval]: ...
def retrieval(source: Any = None, *, query: str | None = None, top_k: int | None = None) -> Any:
    """Span one search in a source of documents, such as a vector index."""
    ready = None if query is None else lambda handle: handle.query(query)
    return _operation(kinds.RETRIEVAL, Retrieval, source, {names.RETRIEVAL_TOP_K: top_k}, ready)


def handoff(target: str) -> Operation[Handle]:
    """Span the passing of work from the current agent to ``target``.

    The next run of an agent of that name in the same workflow or session, or inside the current agent, records the
    current one as its parent.
    """
    return Operation(kinds.HANDOFF, Handle, target)


@overload
def queue(name: F, /) -> F: ...
@overload
def queue(
    name: str | None = None,
    *,
    wait_seconds: float | None = None,
    enqueued_at: datetime | float | None = None,
    system: str = names.SCOPE,
) -> Operation[Handle]: ...
def queue(
    name: Any = None,
    *,
    wait_seconds: float | None = None,
    enqueued_at: datetime | float | None = None,
    system: str = names.SCOPE,
) -> Any:
    """Span the work on one task taken from a queue, and say how long it had waited.

    Give ``wait_seconds``, or ``enqueued_at`` as an aware datetime or in seconds since 1970. ``system`` is the broker
    (rabbitmq, kafka, celery …); spyglass means a queue inside the program.
    """
    extra = {names.MESSAGING_SYSTEM: system, names.QUEUE_WAIT: _waited(wait_seconds, enqueued_at)}
    return _operation(kinds.QUEUE, Handle, name, extra)


def current(kind: type[H]) -> H:
    """Return the innermost open handle of this kind, for example ``current(LlmCall).usage(…)`` in a decorated function.

    Returns a handle that does nothing where none is open.
    """
    runtime = state.runtime
    scope = runtime.tracing.scope() if runtime is not None else None
    while scope is not None:
        if isinstance(scope.handle, kind):
            return scope.handle
        scope = scope.outer
    return kind()


def _operation(
    row: kinds.Row,
    handle: type[H],
    name: Any,
    extra: dict[str, Any] | None = None,
    ready: Callable[[H], None] | None = None,
) -> Any:
    given = {key: value for key, value in (extra or {}).items() if value is not None}
    if callable(name) and not isinstance(name, str):
        return Operation(row, handle, None, given, ready)(name)
    return Operation(row, handle, name, given, ready)


def _waited(wait_seconds: float | None, enqueued_at: datetime | float | None) -> float | None:
    if wait_seconds is None and enqueued_at is None:
        return None
    try:
        if wait_seconds is None:
            since = enqueued_at.timestamp() if isinstance(enqueued_at, datetime) else float(enqueued_at or 0)
            wait_seconds = time.time() - since
        waited = float(wait_seconds)
    except (TypeError, ValueError, OverflowError):
        waited = math.nan
    if math.isfinite(waited) and waited >= 0:
        return waited
    warn_once("queue.wait", "spyglass: a queue's wait is left out, for it is negative or no time.")
    return None
