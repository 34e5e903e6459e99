"""Switch on what libraries report by themselves; each function returns what takes that back."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import Any

from opentelemetry.trace import TracerProvider

Undo = Callable[[], object]


def pydantic_ai(tracers: TracerProvider, *, content: bool) -> Undo:
    """Instrument all agents of pydantic-ai, unless the program chose how itself."""
    agent = importlib.import_module("pydantic_ai").Agent
    before = agent._instrument_default  # noqa: SLF001 -- the only way to see whether the program has chosen
    if before:
        return lambda: None
    settings = importlib.import_module("pydantic_ai.models.instrumented").InstrumentationSettings
    agent.instrument_all(settings(tracer_provider=tracers, include_content=content, include_binary_content=False))
    return lambda: agent.instrument_all(before)


def litellm(tracers: TracerProvider, *, content: bool) -> Undo:
    """Add LiteLLM's own OpenTelemetry callback, unless the program has one."""
    module = importlib.import_module("litellm")
    integration = importlib.import_module("litellm.integrations.opentelemetry")
    if any(found == "otel" or isinstance(found, integration.OpenTelemetry) for found in module.callbacks):
        return lambda: None
    mode = "SPAN_ONLY" if content else "NO_CONTENT"
    config = integration.OpenTelemetryConfig(exporter="none", skip_set_global=True, capture_message_content=mode)
    with _Quiet("LiteLLM"):  # it warns in every program that is no proxy
        callback = integration.OpenTelemetry(config=config, tracer_provider=tracers)
    module.callbacks.append(callback)
    return lambda: module.callbacks.remove(callback) if callback in module.callbacks else None


def ag2(tracers: TracerProvider, *, content: bool) -> Undo:
    """Give every agent of AG2 that has none its telemetry middleware."""
    agent = importlib.import_module("ag2").Agent
    telemetry = importlib.import_module("ag2.middleware.builtin.telemetry").TelemetryMiddleware
    original = agent.__init__

    def initialise(self: Any, name: str, *args: Any, **options: Any) -> None:
        chosen = list(options.pop("middleware", ()))
        if not any(isinstance(one, telemetry) for one in chosen):
            chosen.append(telemetry(tracer_provider=tracers, capture_content=content, agent_name=name))
        original(self, name, *args, middleware=chosen, **options)

    agent.__init__ = initialise

    def undo() -> None:
        agent.__init__ = original

    return undo


class _Quiet:
    """Keep a logger from speaking for a while."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def __enter__(self) -> None:
        self._level = self._logger.level
        self._logger.setLevel(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        self._logger.setLevel(self._level)
