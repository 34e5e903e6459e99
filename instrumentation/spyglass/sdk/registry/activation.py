"""Carry out the chosen ways: set what a library reads, switch it on, see whether it is on, and take it back."""

from __future__ import annotations

import dataclasses
import importlib
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from opentelemetry.trace import TracerProvider

from spyglass.sdk.notices import log
from spyglass.sdk.registry.tables import Route, Variable, Way

# What of OpenInference's texts is kept back unless content is full.
_TEXTS = (
    "hide_inputs",
    "hide_outputs",
    "hide_input_messages",
    "hide_output_messages",
    "hide_prompts",
    "hide_choices",
    "hide_llm_invocation_parameters",
    "hide_llm_tools",
    "hide_embeddings_text",
    "hide_retrieval_documents",
)
_VECTORS = "hide_embeddings_vectors"  # long, and no use to anybody who looks at a trace
_FULL, _LESS = "full", "less"


class NothingDoneError(Exception):
    """An instrumentor returned without an error and without having instrumented anything."""


class Activator:
    """Switch ways on, and off again in the reverse order; ``content`` says whether texts are captured."""

    def __init__(self, tracers: TracerProvider, *, content: bool) -> None:
        self._tracers = tracers
        self._content = content
        self._undo: list[Callable[[], object]] = []

    def set_environment(self, way: Way) -> bool:
        """Set what the library reads at its import and the user has not set; return whether it cannot do without."""
        needed = [variable for variable in way.environment if variable.when in ("", _FULL if self._content else _LESS)]
        missing = [variable for variable in needed if variable.name not in os.environ]
        for variable in missing:
            self._set(variable)
        return any(not variable.when for variable in missing)

    def activate(self, way: Way, alternatives: Iterable[Way]) -> str:
        """Switch a way on, unless the application has switched on one of the alternatives; return what to know.

        Raises NothingDoneError, or whatever a stranger's instrumentor raises.
        """
        if not way.activate:
            return ""
        _BEFORE.get(way.library, lambda: None)()
        if way.route is Route.NATIVE:
            self._undo.append(_resolve(way.activate)(self._tracers, content=self._content))
            return ""
        if any(_is_on(other) for other in alternatives):
            return "The application did it."
        instrumentor = _resolve(way.activate)()
        options = {"config": self._openinference()} if way.route is Route.OPENINFERENCE else {}
        instrumentor.instrument(tracer_provider=self._tracers, **options)
        if not instrumentor.is_instrumented_by_opentelemetry:
            raise NothingDoneError("It did nothing and gave no reason; its version may not be supported.")
        self._undo.append(instrumentor.uninstrument)
        return ""

    def stop(self) -> None:
        """Take everything back."""
        for undo in reversed(self._undo):
            try:
                undo()
            except Exception as error:  # noqa: BLE001 -- a stranger's instrumentor must not disturb the others
                log.debug("spyglass: %r", error)
        self._undo.clear()

    def _set(self, variable: Variable) -> None:
        os.environ[variable.name] = variable.value
        self._undo.append(lambda: os.environ.pop(variable.name, None))

    def _openinference(self) -> Any:
        from openinference.instrumentation import TraceConfig  # noqa: PLC0415 -- comes with the instrumentors

        known = {field.name for field in dataclasses.fields(TraceConfig)}
        hidden = (_VECTORS,) if self._content else (_VECTORS, *_TEXTS)
        chosen: dict[str, Any] = {name: True for name in hidden if name in known}
        return TraceConfig(**chosen)


def _resolve(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def _is_on(way: Way) -> bool:
    """Say whether an instrumentor is on already; one that nobody has imported is not."""
    if not way.activate or way.route is Route.NATIVE:
        return False
    module, _, name = way.activate.partition(":")
    instrumentor = getattr(sys.modules.get(module), name, None)
    return instrumentor is not None and bool(instrumentor().is_instrumented_by_opentelemetry)


def _keep_agents_traces_here() -> None:
    """Take away the processor that sends every trace of openai-agents to its vendor."""
    importlib.import_module("agents").set_trace_processors([])


_BEFORE: dict[str, Callable[[], None]] = {"openai-agents": _keep_agents_traces_here}
