"""Watch fleets of AI agents: this is the public API and nothing else."""

from spyglass.errors import SpyglassError
from spyglass.sdk.api import agent, current, handoff, llm_call, queue, retrieval, tool, workflow
from spyglass.sdk.carry import carry
from spyglass.sdk.feedback import feedback
from spyglass.sdk.handles import AgentRun, Handle, LlmCall, Retrieval, ToolCall
from spyglass.sdk.lifecycle import dropped, flush, init, instrumented, shutdown
from spyglass.sdk.messages import extract, inject
from spyglass.sdk.session import session

__all__ = [
    "AgentRun",
    "Handle",
    "LlmCall",
    "Retrieval",
    "SpyglassError",
    "ToolCall",
    "agent",
    "carry",
    "current",
    "dropped",
    "extract",
    "feedback",
    "flush",
    "handoff",
    "init",
    "inject",
    "instrumented",
    "llm_call",
    "queue",
    "retrieval",
    "session",
    "shutdown",
    "tool",
    "workflow",
]
