"""Write a context as the three W3C fields, and read it back: traceparent, tracestate, baggage.

Sources: https://www.w3.org/TR/trace-context/ and https://www.w3.org/TR/baggage/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote_plus

from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from spyglass.names import BAGGAGE, BAGGAGE_KEYS, TRACEPARENT
from spyglass.sdk.notices import log
from spyglass.sdk.scope import SCOPE_KEY, with_session

MOST_CHARACTERS = 8_192  # of one field; W3C asks for no more in a baggage, and servers refuse longer headers
_MOST_MEMBERS = 180
_W3C = TraceContextTextMapPropagator()


def to_fields(context: Context) -> dict[str, str]:
    """Return the fields that say this context; empty where it holds neither a span nor baggage."""
    fields: dict[str, str] = {}
    _W3C.inject(fields, context)
    members = ",".join(_fitting(f"{quote(key, '')}={quote(str(v), '')}" for key, v in baggage.get_all(context).items()))
    if members:
        fields[BAGGAGE] = members
    return fields


def from_fields(fields: Mapping[str, str], outer: Context) -> Context | None:
    """Return the context that the fields say, inside ``outer``; None where they say nothing.

    Under another process's span nobody of this process acts yet, so its agent and execution are left behind; baggage
    without a span is a session within the current work.
    """
    remote = _W3C.extract({key: value for key, value in fields.items() if key != BAGGAGE}, Context())
    if fields.get(TRACEPARENT) and not remote:
        log.debug("spyglass: a malformed traceparent is ignored: %.80r.", fields[TRACEPARENT])
    members = dict(_members(fields.get(BAGGAGE, "")))
    if not remote and not members:
        return None
    context = Context({key: value for key, value in outer.items() if key != SCOPE_KEY or not remote}, **remote)
    for key, value in members.items():
        context = baggage.set_baggage(key, value, context)
    ids = {name: members[key] for name, key in BAGGAGE_KEYS.items() if key in members}
    return context if remote or not ids else with_session(context, ids)


def _fitting(members: Iterator[str]) -> Iterator[str]:
    length = 0
    for member in members:
        if length + len(member) <= MOST_CHARACTERS:
            length += len(member) + 1
            yield member


def _members(text: str) -> Iterator[tuple[str, str]]:
    for member in text.split(",")[:_MOST_MEMBERS]:
        key, equals, value = member.partition(";")[0].partition("=")
        if equals and key.strip():
            yield unquote_plus(key.strip()), unquote_plus(value.strip())
