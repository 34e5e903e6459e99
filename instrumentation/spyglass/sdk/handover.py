"""Pass the trace from one process to the next: what a started program finds in its environment, and what we found.

TRACEPARENT, TRACESTATE and BAGGAGE are those of OpenTelemetry's specification of environment variables as carriers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.context import get_current

from spyglass.names import BAGGAGE, CONTEXT_FIELDS, TRACEPARENT
from spyglass.sdk import carriers
from spyglass.sdk.environment import for_child
from spyglass.sdk.patching import Undo
from spyglass.sdk.state import state
from spyglass.sdk.tracing import Entered
from spyglass.sdk.wire import from_fields, to_fields
from spyglass.settings import HANDED_VARIABLE

_FIELDS = {name: name.upper() for name in CONTEXT_FIELDS}
_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_EXPORTERS = "OTEL_EXPORTER_OTLP_"
# What of a trace this process found in its environment: it may be replaced, a trace that the program set may not.
_found: dict[str, str] = {}


def follow(*, propagate: bool) -> Undo | None:
    """Continue the trace that this process was started in, from here on in the current thread and what it starts.

    Without ``propagate`` it is only remembered, as what children need not get.
    """
    _found.clear()
    _found.update({name: os.environ[name] for name in _FIELDS.values() if name in os.environ})
    here = get_current()
    if not propagate or trace.get_current_span(here).get_span_context().is_valid:
        return None  # the program may be at work on something of its own already
    context = from_fields(carriers.read(_found), here)
    if context is None:
        return None
    entered = Entered(context)
    entered.attach()

    def leave() -> None:
        entered.leave()
        _found.clear()

    return leave


def child_environment(given: Mapping[Any, Any] | None) -> dict[Any, Any] | None:
    """Return the environment for a program that is started now; None where nothing is to be handed on.

    ``given`` is what the caller wants it to be (None: this process's own); it is not changed, and no variable that the
    caller set is. Outside of a span there is no trace to hand on, but a program that reports itself must still learn
    where to. Where exporters are set up for another collector than ours, only the trace is handed on.
    """
    runtime = state.runtime
    context = get_current()
    if runtime is None or not runtime.settings.carry_to_subprocesses:
        return None
    environment: dict[Any, Any] = dict(os.environ if given is None else given)
    there = {os.fsdecode(key): key for key in environment}
    if trace.get_current_span(context).get_span_context().is_valid:
        _hand_trace(environment, there, to_fields(context))
    if _ours(environment, there, runtime.settings.endpoint):
        _hand_settings(environment, there, for_child(runtime.settings))
    return environment


def _hand_trace(environment: dict[Any, Any], there: Mapping[str, Any], fields: Mapping[str, str]) -> None:
    def free(name: str) -> bool:
        variable = _FIELDS[name]
        return variable not in there or _value(environment, there, variable) in (_found.get(variable), fields.get(name))

    if not free(TRACEPARENT):
        return  # the caller chose a parent, and with it all that belongs to it
    for name, variable in _FIELDS.items():
        if name == BAGGAGE and not free(name):
            continue
        if variable in there:
            del environment[there[variable]]
        if name in fields:
            environment[variable] = fields[name]


def _ours(environment: Mapping[Any, Any], there: Mapping[str, Any], endpoint: str) -> bool:
    handed = _handed(environment, there)
    theirs = {name for name in there if name.startswith(_EXPORTERS) and name not in handed}
    return not theirs or (_ENDPOINT in theirs and _value(environment, there, _ENDPOINT) == endpoint)


def _hand_settings(environment: dict[Any, Any], there: Mapping[str, Any], wanted: Mapping[str, str]) -> None:
    handed = _handed(environment, there)
    for variable, value in wanted.items():
        if variable not in there or variable in handed:
            environment[there.get(variable, variable)] = value
            handed.add(variable)
    environment[there.get(HANDED_VARIABLE, HANDED_VARIABLE)] = ",".join(sorted(handed))


def _handed(environment: Mapping[Any, Any], there: Mapping[str, Any]) -> set[str]:
    """Return which variables a process before this one set by itself."""
    return set(filter(None, _value(environment, there, HANDED_VARIABLE).split(",")))


def _value(environment: Mapping[Any, Any], there: Mapping[str, Any], variable: str) -> str:
    return os.fsdecode(environment[there[variable]]) if variable in there else ""
