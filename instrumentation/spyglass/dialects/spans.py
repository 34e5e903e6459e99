"""Write the configuration of the processor that normalises spans: names, known faults, and the dialects' rows."""

from __future__ import annotations

import re
from typing import Final

from spyglass import names
from spyglass.dialects.rows import Entry, Line, dialect_entries, event_entries, kinds_by_value
from spyglass.dialects.tables import Fault, faults, providers
from spyglass.errors import DialectTableError

KEYS: Final = {
    "kind": names.KIND,
    "dialect": names.DIALECT,
    "framework": names.FRAMEWORK,
    "framework_version": names.FRAMEWORK_VERSION,
    "invalid": names.NORMALISE_INVALID,
    "operation": names.OPERATION_NAME,
    "provider": names.PROVIDER_NAME,
    "agent": names.AGENT_NAME,
    "parent_agent": names.AGENT_PARENT_NAME,
    "request_model": names.REQUEST_MODEL,
    "response_model": names.RESPONSE_MODEL,
    "finish_reasons": names.FINISH_REASONS,
    "first_token": names.TIME_TO_FIRST_CHUNK,
    "error_type": names.ERROR_TYPE,
    "input_tokens": names.INPUT_TOKENS,
    "output_tokens": names.OUTPUT_TOKENS,
    "cache_read_tokens": names.CACHE_READ_TOKENS,
    "cache_write_tokens": names.CACHE_WRITE_TOKENS,
    "reasoning_tokens": names.REASONING_TOKENS,
    "usage_source": names.USAGE_SOURCE,
    "usage_fault": names.USAGE_FAULT,
    "sent_input_tokens": names.SENT_INPUT_TOKENS,
    "sent_output_tokens": names.SENT_OUTPUT_TOKENS,
    "exception_event": names.EVENT_EXCEPTION,
    "exception_type": names.EXCEPTION_TYPE,
}
SENT: Final = {names.INPUT_TOKENS: names.SENT_INPUT_TOKENS, names.OUTPUT_TOKENS: names.SENT_OUTPUT_TOKENS}
OPERATIONS: Final = {
    names.Kind.LLM: names.Operation.CHAT,
    names.Kind.TOOL: names.Operation.EXECUTE_TOOL,
    names.Kind.AGENT: names.Operation.INVOKE_AGENT,
    names.Kind.EMBEDDING: names.Operation.EMBEDDINGS,
    names.Kind.RETRIEVAL: names.Operation.RETRIEVAL,
    names.Kind.WORKFLOW: names.Operation.INVOKE_WORKFLOW,
}
# Instrumentors name their scope after what they instrument: how the name begins, and which of its parts that is.
INSTRUMENTORS: Final = {
    "openinference.instrumentation.": 2,
    "opentelemetry.instrumentation.genai.": 3,
    "opentelemetry.instrumentation.": 2,
    "openlit.instrumentation.": 2,
    "logfire.": 1,
}
# What a failed span without an error type says in its status: a class before a colon or a bracket, or a code of HTTP.
ERROR_TEXTS: Final = (
    r"^([A-Za-z_][A-Za-z0-9_.]*(?:Error|Exception|Timeout|Interrupt|Exit|Exceeded))[:(]",
    r"[Ee]rror code: ([45][0-9][0-9])",
)
# From here on a number of tokens, and of seconds, is absurd.
ABSURD: Final = 10**12


def span_entries() -> Entry:
    """Return the configuration; the collector reads $$ as $, because $ begins a variable."""
    made: Entry = {
        "keys": KEYS,
        "tenant": dict.fromkeys((names.ORGANIZATION, names.PROJECT), names.DEFAULT_TENANT),
        "kinds": [str(kind) for kind in names.Kind],
        "agent_kind": str(names.Kind.AGENT),
        "model_kinds": [str(kind) for kind in (names.Kind.LLM, names.Kind.EMBEDDING)],
        "kinds_by_value": kinds_by_value(),
        "operations": {str(kind): str(operation) for kind, operation in OPERATIONS.items()},
        "providers": providers(),
        "instrumentors": [Line(prefix=prefix, part=part) for prefix, part in INSTRUMENTORS.items()],
        "sources": {str(one): str(one) for one in names.UsageSource if one != names.UsageSource.ESTIMATED},
        "absurd": ABSURD,
        "errors": {"texts": list(ERROR_TEXTS), "other": names.OTHER_ERROR},
        "dialects": dialect_entries(),
        "events": event_entries(),
        "faults": [_fault(fault) for fault in faults()],
    }
    return {key: _escaped(value) for key, value in made.items()}


def _fault(fault: Fault) -> Entry:
    made: Entry = {"id": fault.id, "scopes": fault.scope.split("|"), **_versions(fault), "when": fault.condition}
    if fault.correct:
        target, _, difference = fault.correct.partition(" = ")
        made |= {"correct": target, "minus": difference.split(" - "), "sent": SENT[target]}
    return made


def _versions(fault: Fault) -> Entry:
    """Return the bound of the scope's version, of which two places count."""
    if not fault.versions:
        return {}
    found = re.fullmatch(r"(<=?)(\d+)\.(\d+)", fault.versions)
    if not found:
        raise DialectTableError(fault.id, fault.versions)
    how, major, minor = found.groups()
    return {"bounded": True, "major": int(major), "minor": int(minor), "including": how == "<="}


def _escaped(value: object) -> object:
    if isinstance(value, dict):
        return type(value)({key: _escaped(inner) for key, inner in value.items()})
    if isinstance(value, list):
        return [_escaped(inner) for inner in value]
    return value.replace("$", "$$") if isinstance(value, str) else value
