"""Write the statements of the collector's transform processor (OTTL) from the dialect tables.

Each group of statements carries a condition, so that a span pays for its own dialect only. OTTL:
https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/v0.157.0/pkg/ottl
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from spyglass import names
from spyglass.dialects.tables import Concept, KindRule, concepts, kinds, providers

# One group: the condition that a span must fulfil (empty: every span), and what is done to it.
Group = dict[str, object]

MODEL_KINDS = (names.Kind.LLM, names.Kind.EMBEDDING)
TOKEN_KEYS = (
    names.INPUT_TOKENS,
    names.OUTPUT_TOKENS,
    names.CACHE_READ_TOKENS,
    names.CACHE_WRITE_TOKENS,
    names.REASONING_TOKENS,
)
# How a value is read: what a concept row's last column means in OTTL.
READERS = {
    "text": "{}",
    "int": "Int({})",
    "number": "Double({})",
    "list": "[{}]",
    "seconds": "Double({})",
    "milliseconds": "Double({}) / 1000.0",
}
OPENAI_AGENTS_SCOPE = "openinference.instrumentation.openai_agents"
IS_ERROR = "span.status.code == STATUS_CODE_ERROR"


def attribute(key: str, of: str = "span") -> str:
    """Return the OTTL path of an attribute."""
    return f'{of}.attributes["{key}"]'


def trace_groups() -> list[Group]:
    """Return the groups for spans: tenant, dialects, kind, then what follows from the kind."""
    return [
        _group("span", "", _tenant()),
        *_dialect_groups(),
        _group("span", "", _kinds()),
        _group("span", f"{attribute('openinference.span.kind')} != nil", _openinference()),
        _group("span", f"{attribute(names.AGENT_PARENT_NAME)} != nil", _enclosing_agent()),
        _group("span", f"{attribute(names.PROVIDER_NAME)} != nil", _providers()),
        _group("span", _any_of(attribute(names.KIND), MODEL_KINDS), _model_calls()),
        _group("spanevent", f'spanevent.name == "{names.EVENT_EXCEPTION}" and {IS_ERROR}', _exception_type()),
        _group(
            "span", f"{IS_ERROR} and {attribute(names.ERROR_TYPE)} == nil", [_set(names.ERROR_TYPE, names.OTHER_ERROR)]
        ),
    ]


def metric_groups() -> list[Group]:
    """Return the groups for metrics: tenant, and one unit for token counts."""
    unit = 'set(metric.unit, "{token}") where metric.unit == "token" or metric.unit == "tokens"'
    return [_group("resource", "", _resource_tenant()), _group("metric", "", [unit])]


def log_groups() -> list[Group]:
    """Return the groups for logs: tenant, and a time for those that their sender gave none."""
    timeless = "set(log.observed_time, Now()) where log.time_unix_nano == 0 and log.observed_time_unix_nano == 0"
    return [_group("log", "", [*_tenant("log"), timeless])]


def _group(context: str, condition: str, statements: Iterable[str]) -> Group:
    group: Group = {"context": context}
    if condition:
        group["conditions"] = [condition]
    return group | {"statements": list(statements)}


def _tenant(of: str = "span") -> list[str]:
    made = []
    for key in (names.ORGANIZATION, names.PROJECT):
        missing = f"where {attribute(key, of)} == nil"
        made.append(f"set({attribute(key, of)}, {attribute(key, 'resource')}) {missing}")
        made.append(f'set({attribute(key, of)}, "{names.DEFAULT_TENANT}") {missing}')
    return made


def _resource_tenant() -> list[str]:
    return [
        f'set({attribute(key, "resource")}, "{names.DEFAULT_TENANT}") where {attribute(key, "resource")} == nil'
        for key in (names.ORGANIZATION, names.PROJECT)
    ]


def _dialect_groups() -> Iterable[Group]:
    for _, rows in groupby(concepts(), key=lambda row: row.dialect):
        members = list(rows)
        sources = dict.fromkeys(row.source for row in members)
        condition = " or ".join(f"{attribute(source)} != nil" for source in sources)
        yield _group("span", condition, [_concept(row) for row in members])


def _concept(row: Concept) -> str:
    source, target = attribute(row.source), attribute(row.target)
    return f"set({target}, {READERS[row.kind].format(source)}) where {target} == nil and {source} != nil"


def _kinds() -> list[str]:
    known = "|".join(names.Kind)
    unset = f"{attribute(names.KIND)} == nil"
    made = [f'delete_key(span.attributes, "{names.KIND}") where not IsMatch({attribute(names.KIND)}, "^({known})$")']
    made[0] += f" and {attribute(names.KIND)} != nil"
    for (dialect, source, kind, operation), rows in groupby(kinds(), key=_kind_key):
        values = [row.value for row in rows]
        fits = f"{unset} and {attribute(source)} != nil and ({_any_of(attribute(source), values)})"
        if operation:
            made.append(
                f"{_set(names.OPERATION_NAME, operation)} where {attribute(names.OPERATION_NAME)} == nil and {fits}"
            )
        made.append(f"{_set(names.DIALECT, dialect)} where {fits}")
        made.append(f"{_set(names.KIND, kind)} where {fits}")
    made.append(f"{_set(names.KIND, names.Kind.TOOL)} where {unset} and {attribute(names.TOOL_NAME)} != nil")
    made.append(f"{_set(names.KIND, names.Kind.LLM)} where {unset} and {attribute(names.REQUEST_MODEL)} != nil")
    made.append(f"{_set(names.KIND, names.Kind.UNKNOWN)} where {unset}")
    return made


def _kind_key(row: KindRule) -> tuple[str, str, str, str]:
    return row.dialect, row.source, row.kind, row.operation


def _openinference() -> list[str]:
    """Return what OpenInference says by span name: agents without agent.name, the runner's root, hand-offs."""
    agent = f'{attribute(names.KIND)} == "{names.Kind.AGENT}" and {attribute(names.AGENT_NAME)} == nil'
    root = f'{agent} and instrumentation_scope.name == "{OPENAI_AGENTS_SCOPE}"'
    handoff = f'{attribute(names.KIND)} == "{names.Kind.TOOL}" and IsMatch(span.name, "^handoff to ")'
    tool = f'{attribute(names.KIND)} == "{names.Kind.TOOL}" and {attribute(names.TOOL_NAME)} == nil'
    return [
        f"{_set_path(names.WORKFLOW_NAME, 'span.name')} where {root}",
        f"{_set(names.OPERATION_NAME, names.Operation.INVOKE_WORKFLOW)} where {root}",
        f"{_set(names.KIND, names.Kind.WORKFLOW)} where {root}",
        f"{_set_path(names.AGENT_NAME, 'span.name')} where {agent}",
        f"{_set_path(names.AGENT_SOURCE_NAME, attribute('input.value'))} where {handoff}",
        f"{_set_path(names.AGENT_TARGET_NAME, attribute('output.value'))} where {handoff}",
        f"{_set(names.OPERATION_NAME, names.Operation.HANDOFF)} where {handoff}",
        f"{_set(names.KIND, names.Kind.TASK)} where {handoff}",
        f"{_set_path(names.TOOL_NAME, 'span.name')} where {tool}",
    ]


def _enclosing_agent() -> list[str]:
    """Return that what is no agent itself belongs to the agent that it ran inside."""
    none = f'{attribute(names.AGENT_NAME)} == nil and {attribute(names.KIND)} != "{names.Kind.AGENT}"'
    return [f"set({attribute(names.AGENT_NAME)}, {attribute(names.AGENT_PARENT_NAME)}) where {none}"]


def _providers() -> list[str]:
    sent = {name: [other for other, same in providers().items() if same == name] for name in providers().values()}
    return [
        f"{_set(names.PROVIDER_NAME, name)} where {_any_of(attribute(names.PROVIDER_NAME), others)}"
        for name, others in sent.items()
    ]


def _model_calls() -> list[str]:
    numbers = [
        f"set({attribute(key)}, Int({attribute(key)})) where {attribute(key)} != nil and not IsInt({attribute(key)})"
        for key in TOKEN_KEYS
    ]
    counted = f"({attribute(names.INPUT_TOKENS)} != nil or {attribute(names.OUTPUT_TOKENS)} != nil)"
    unset = f"{attribute(names.USAGE_SOURCE)} == nil"
    return [
        *numbers,
        f"{_set(names.USAGE_SOURCE, names.UsageSource.REPORTED)} where {unset} and {counted}",
        f"{_set(names.USAGE_SOURCE, names.UsageSource.MISSING)} where {unset}",
    ]


def _exception_type() -> list[str]:
    source = attribute(names.EXCEPTION_TYPE, "spanevent")
    return [
        f"set({attribute(names.ERROR_TYPE)}, {source}) where {attribute(names.ERROR_TYPE)} == nil and {source} != nil"
    ]


def _set(key: str, value: str) -> str:
    return _set_path(key, f'"{value}"')


def _set_path(key: str, value: str) -> str:
    return f"set({attribute(key)}, {value})"


def _any_of(path: str, values: Iterable[str]) -> str:
    return " or ".join(f'{path} == "{value}"' for value in values)
