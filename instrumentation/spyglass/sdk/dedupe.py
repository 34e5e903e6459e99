"""Count one model call once: leave out the span of a client inside the span that already reports its call.

Frameworks (langchain, openai-agents) and spyglass.llm_call report the model call that an instrumented client (openai,
anthropic) then reports again. The inner span would double tokens in every sum over model calls.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.context import Context, get_current
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span

from spyglass import names
from spyglass.names import Operation
from spyglass.sdk.scope import mark_covering

_MODEL_OPERATIONS = frozenset(
    (Operation.CHAT, Operation.GENERATE_CONTENT, Operation.TEXT_COMPLETION, Operation.EMBEDDINGS)
)
_OPENINFERENCE_KIND = "openinference.span.kind"
_OPENINFERENCE_MODELS = frozenset(("LLM", "EMBEDDING"))
# What opens the spans of langchain's own calls: it stands on top of langchain when it does.
_REPORTERS = ("opentelemetry.instrumentation.genai.langchain", "openinference.instrumentation.langchain")
# The span that langchain's instrumentor opens is never current, so only the stack tells that langchain is calling.
_REPORTING_MODULES = ("langchain_core.language_models", "langchain_openai", "langchain_anthropic")
_DEEPEST = 80  # frames


class OneSpanPerModelCall(Sampler):
    """Leave out spans of model calls that are reported already; ask another sampler about all others.

    A span of one of the scopes ``without_tokens`` does not report its call: the span inside it is kept.
    """

    def __init__(self, others: Sampler, without_tokens: frozenset[str]) -> None:
        self._others = others
        self._without_tokens = without_tokens
        self.langchain = False

    def should_sample(  # noqa: PLR0917 -- OpenTelemetry's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide about one span before it starts."""
        ours = not attributes or names.KIND in attributes
        if not ours and _is_model_call(attributes or {}) and self._is_reported(parent_context):
            return SamplingResult(Decision.DROP)
        return self._others.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def _is_reported(self, context: Context | None) -> bool:
        span = get_current_span(context)
        outer = getattr(span, "attributes", None)
        scope = getattr(getattr(span, "instrumentation_scope", None), "name", "")
        if outer and scope not in self._without_tokens and _is_model_call(outer):
            mark_covering(get_current() if context is None else context)
            return True
        return self.langchain and _is_called_by(_REPORTING_MODULES, _REPORTERS)

    def get_description(self) -> str:
        """Describe the sampler as OpenTelemetry wants it."""
        return f"OneSpanPerModelCall({self._others.get_description()})"


def _is_model_call(attributes: Mapping[str, Any]) -> bool:
    return (
        attributes.get(names.OPERATION_NAME) in _MODEL_OPERATIONS
        or attributes.get(_OPENINFERENCE_KIND) in _OPENINFERENCE_MODELS
    )


def _is_called_by(modules: tuple[str, ...], reporters: tuple[str, ...]) -> bool:
    """Say whether a module calls for the span; that of a reporter, which such a module calls, is its own report."""
    frame = sys._getframe(1)  # noqa: SLF001 -- the only way to walk the stack without building it
    for _ in range(_DEEPEST):
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith(reporters):
            return False
        if name.startswith(modules):
            return True
        if frame.f_back is None:
            return False
        frame = frame.f_back
    return False
