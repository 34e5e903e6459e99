"""Put the statements of the collector's transform processor in order: who sent a span, what it says, what follows.

Each group of statements carries a condition, so that a span pays for its own dialect only. What follows from a scope's
name is found once for each scope and stands in the scope's attributes until the spans have been read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from spyglass import names
from spyglass.dialects.ottl import Group, absent, any_of, attribute, both, group, put, text
from spyglass.dialects.rows import KINDS_OF_SCOPE, dialect_groups, event_statements, kinds_by_value, of_scope
from spyglass.dialects.tables import dialects, providers
from spyglass.dialects.usage import marked_scopes, usage_groups

IS_ERROR = "span.status.code == STATUS_CODE_ERROR"
KIND, PROVIDER = attribute(names.KIND), attribute(names.PROVIDER_NAME)
OPERATIONS_OF_SCOPE = attribute(names.OPERATION_NAME, "scope")
FRAMEWORK_OF_SCOPE = attribute(names.FRAMEWORK, "scope")
# Instrumentors name their scope after what they instrument: how the name begins, and which of its parts that is.
INSTRUMENTORS = {
    "openinference.instrumentation.": 2,
    "opentelemetry.instrumentation.genai.": 3,
    "opentelemetry.instrumentation.": 2,
    "openlit.instrumentation.": 2,
    "logfire.": 1,
}
# What a failed span without an error type says in its status: a class before a colon or a bracket, or a code of HTTP.
ERROR_TEXTS = (
    r"^(?P<name>[A-Za-z_][A-Za-z0-9_.]*(?:Error|Exception|Timeout|Interrupt|Exit|Exceeded))[:(]",
    r"[Ee]rror code: (?P<name>[45][0-9][0-9])",
)
# Most spans have one of these, which are OpenTelemetry's own already.
COMMON_PROVIDERS = ("openai", "anthropic")
OPERATIONS = {
    names.Kind.LLM: names.Operation.CHAT,
    names.Kind.TOOL: names.Operation.EXECUTE_TOOL,
    names.Kind.AGENT: names.Operation.INVOKE_AGENT,
    names.Kind.EMBEDDING: names.Operation.EMBEDDINGS,
    names.Kind.RETRIEVAL: names.Operation.RETRIEVAL,
    names.Kind.WORKFLOW: names.Operation.INVOKE_WORKFLOW,
}


def trace_groups() -> list[Group]:
    """Return the groups for spans."""
    return [
        group("scope", "", _scopes()),
        group("span", "", [*tenant(), *_sent_kind()]),
        *dialect_groups(),
        group("span", f"{FRAMEWORK_OF_SCOPE} != nil", [put(names.FRAMEWORK, FRAMEWORK_OF_SCOPE)]),
        group("span", both(absent(names.OPERATION_NAME), f"{attribute(names.DIALECT)} != nil"), [_operation()]),
        group("span", f"{attribute(names.AGENT_PARENT_NAME)} != nil", _enclosing_agent()),
        group("span", _uncommon_provider(), _providers()),
        *usage_groups(),
        _events(),
        group("span", both(IS_ERROR, absent(names.ERROR_TYPE)), _error_types()),
        group("scope", "", _forget()),
    ]


def tenant(of: str = "span") -> list[str]:
    """Return the statements that say whose it is: its own, else its resource's, else the default."""
    made = []
    for key in (names.ORGANIZATION, names.PROJECT):
        place = attribute(key, of)
        value = f"Coalesce([{attribute(key, 'resource')}, {text(names.DEFAULT_TENANT)}])"
        made.append(f"set({place}, {value}) where {place} == nil")
    return made


def _scopes() -> Iterator[str]:
    for dialect in (dialect for dialect in dialects() if dialect.scope):
        yield f"set({of_scope(dialect)}, true) where {_scope_fits(dialect.scope)}"
        if dialect.framework:
            here = f"{of_scope(dialect)} != nil"
            yield f"set({FRAMEWORK_OF_SCOPE}, {text(dialect.framework)}) where {here}"
    for prefix, part in INSTRUMENTORS.items():
        fits = f"HasPrefix(scope.name, {text(prefix)}) and {FRAMEWORK_OF_SCOPE} == nil"
        yield f'set({FRAMEWORK_OF_SCOPE}, Split(scope.name, ".")[{part}]) where {fits}'
    yield from marked_scopes()
    yield f"set({KINDS_OF_SCOPE}, {json.dumps(kinds_by_value())})"
    yield f"set({OPERATIONS_OF_SCOPE}, {json.dumps(OPERATIONS)})"


def _scope_fits(scope: str) -> str:
    return " or ".join(f"({_begins(prefix)})" for prefix in scope.split("|"))


def _begins(prefix: str) -> str:
    """Return the condition that the scope's name begins so; what many names have in common is looked at first."""
    base, _, ends = prefix.partition("{")
    begins = f"HasPrefix(scope.name, {text(base)})"
    if not ends:
        return begins
    return both(begins, " or ".join(f"HasPrefix(scope.name, {text(base + end)})" for end in ends.rstrip("}").split()))


def _forget() -> Iterator[str]:
    noted = [f"{names.DIALECT}.{dialect.name}" for dialect in dialects() if dialect.scope]
    for key in (*noted, names.FRAMEWORK, names.KIND, names.OPERATION_NAME, names.USAGE_FAULT):
        yield f"delete_key(scope.attributes, {text(key)})"


def _sent_kind() -> Iterator[str]:
    known = "|".join(names.Kind)
    odd = f'{KIND} != nil and not IsMatch({KIND}, "^({known})$$")'
    yield f"delete_key(span.attributes, {text(names.KIND)}) where {odd}"


def _operation() -> str:
    return put(names.OPERATION_NAME, f"{OPERATIONS_OF_SCOPE}[{KIND}]")


def _enclosing_agent() -> Iterator[str]:
    """Say that what is no agent itself belongs to the agent that it ran inside."""
    none = f"{absent(names.AGENT_NAME)} and {KIND} != {text(names.Kind.AGENT)}"
    yield put(names.AGENT_NAME, attribute(names.AGENT_PARENT_NAME), none)


def _uncommon_provider() -> str:
    return " and ".join([f"{PROVIDER} != nil", *(f"{PROVIDER} != {text(name)}" for name in COMMON_PROVIDERS)])


def _providers() -> Iterator[str]:
    sent = {name: [other for other, same in providers().items() if same == name] for name in providers().values()}
    for name, others in sent.items():
        yield put(names.PROVIDER_NAME, text(name), any_of(PROVIDER, others))


def _events() -> Group:
    """Read what only events say: the type of the exception, the time of the first token, why a model stopped."""
    source = attribute(names.EXCEPTION_TYPE, "spanevent")
    raised = f"spanevent.name == {text(names.EVENT_EXCEPTION)} and {IS_ERROR} and {absent(names.ERROR_TYPE)}"
    found = list(event_statements())
    wanted = any_of("spanevent.name", dict.fromkeys([names.EVENT_EXCEPTION, *(name for name, _ in found)]))
    return group("spanevent", wanted, [put(names.ERROR_TYPE, source, raised), *(statement for _, statement in found)])


def _error_types() -> Iterator[str]:
    for pattern in ERROR_TEXTS:
        found = f'ExtractPatterns(span.status.message, {text(pattern)})["name"]'
        yield put(names.ERROR_TYPE, found, absent(names.ERROR_TYPE))
    yield put(names.ERROR_TYPE, text(names.OTHER_ERROR), absent(names.ERROR_TYPE))
