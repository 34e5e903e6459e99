"""Keep in OpenTelemetry's context who is acting, and hand the ids of a session on in W3C baggage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from opentelemetry import baggage
from opentelemetry.context import Context

from spyglass.names import BAGGAGE_KEYS
from spyglass.sdk.handles import Handle
from spyglass.sdk.jsonable import safe_text

SCOPE_KEY = "spyglass.scope"
# The API's own key, asked of the API.
_BAGGAGE_KEY = next(iter(baggage.set_baggage("key", "value", Context())))


class Scope:
    """Hold who is acting: inherited by everything that is opened inside; ``handoffs`` is shared by one family."""

    __slots__ = ("agent", "execution_id", "handle", "handoffs", "outer", "session")

    def __init__(self, outer: Scope | None = None) -> None:
        self.outer = outer
        self.handle: Handle | None = None
        if outer is None:
            self.session: Mapping[str, str] = {}
            self.agent = self.execution_id = ""
            self.handoffs: dict[str, str] = {}
        else:
            self.session = outer.session
            self.agent = outer.agent
            self.execution_id = outer.execution_id
            self.handoffs = outer.handoffs


def scope_of(context: Context) -> Scope | None:
    """Return who acts in this context; ids of a session may also have come with W3C baggage from another process."""
    scope = context.get(SCOPE_KEY)
    if scope is not None:
        return cast("Scope", scope)
    carried = context.get(_BAGGAGE_KEY)
    if not carried:
        return None
    entries = baggage.get_all(context)
    session = {name: safe_text(entries[key]) for name, key in BAGGAGE_KEYS.items() if key in entries}
    if not session:
        return None
    found = Scope()
    found.session = session
    return found


def mark_covering(context: Context) -> None:
    """Remember that the span of an instrumented client was left out in favour of the llm_call that is open here."""
    scope = scope_of(context)
    if scope is not None and scope.handle is not None and scope.handle._opened is not None:  # noqa: SLF001 -- as a handle's span is hidden from users only
        scope.handle._opened.covers = True  # noqa: SLF001 -- as above


def with_scope(context: Context, scope: Scope) -> Context:
    """Return the context with this scope in it."""
    return Context(context, **{SCOPE_KEY: scope})


def with_session(context: Context, session: Mapping[str, str]) -> Context:
    """Return the context in which everything carries these ids, and which hands them on in W3C baggage."""
    scope = Scope(scope_of(context))
    scope.session = {**scope.session, **session}
    for name, value in session.items():
        context = baggage.set_baggage(BAGGAGE_KEYS[name], value, context)
    return with_scope(context, scope)
