"""The libraries that spyglass instruments by itself, as data; one instrumentor for each, never two.

``instrumentor`` is ``module:Class`` of an OpenTelemetry instrumentor; a library without one reports itself as soon as
there is a tracer provider, from the major version ``native_since`` on. ``module`` is what the program imports.
"""

from __future__ import annotations

from typing import NamedTuple


class Library(NamedTuple):
    """Describe how one library comes to be instrumented."""

    name: str
    distribution: str
    module: str
    package: str = ""
    instrumentor: str = ""
    native_since: int = 0


LIBRARIES = (
    Library(
        "openai",
        "openai",
        "openai",
        "openinference-instrumentation-openai",
        "openinference.instrumentation.openai:OpenAIInstrumentor",
    ),
    Library(
        "langchain",
        "langchain-core",
        "langchain_core",
        "openinference-instrumentation-langchain",
        "openinference.instrumentation.langchain:LangChainInstrumentor",
    ),
    Library(
        "openai-agents",
        "openai-agents",
        "agents",
        "openinference-instrumentation-openai-agents",
        "openinference.instrumentation.openai_agents:OpenAIAgentsInstrumentor",
    ),
    Library("anthropic", "anthropic", "anthropic", native_since=2),
)
