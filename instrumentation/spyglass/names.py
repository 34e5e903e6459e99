"""Hold the vocabulary of spyglass: every attribute, span, metric, event, state and enum that it emits or reads.

This module imports nothing of the project, and everything imports it: the SDK, the dialect compiler, the SQL, the
dashboards, the rules and the tests. A name that is not here does not exist; the words in which the SDK reports on
itself stand in ``sdk/report.py``.

Names outside ``spyglass.*`` are OpenTelemetry's, in their newest form (semantic-conventions-genai, main branch, and
semantic-conventions 1.44). Probe metrics (system, process, hw) stand in ``probes/catalog.csv``, which is data.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

# Resource: who sends.
SERVICE_NAME: Final = "service.name"
SERVICE_NAMESPACE: Final = "service.namespace"
SERVICE_VERSION: Final = "service.version"
SERVICE_INSTANCE_ID: Final = "service.instance.id"
DEPLOYMENT_ENVIRONMENT_NAME: Final = "deployment.environment.name"
HOST_NAME: Final = "host.name"
PROCESS_PID: Final = "process.pid"

# Whose it is. On a resource or on a span; absence reads DEFAULT_TENANT.
ORGANIZATION: Final = "spyglass.organization"
PROJECT: Final = "spyglass.project"
DEMO: Final = "spyglass.demo"
DEMO_RUN: Final = "spyglass.demo.run"
DEFAULT_TENANT: Final = "default"
DEMO_ORGANIZATION: Final = "demo"
USER_ID: Final = "user.id"
SESSION_ID: Final = "session.id"
CONVERSATION_ID: Final = "gen_ai.conversation.id"

# What a span is.
KIND: Final = "spyglass.kind"
DIALECT: Final = "spyglass.dialect"
FRAMEWORK: Final = "spyglass.framework"
FRAMEWORK_VERSION: Final = "spyglass.framework.version"  # where the framework itself makes the spans
NORMALISE_INVALID: Final = "spyglass.normalise.invalid"  # "key: what" for each value of a wrong type or unit
EXECUTION_ID: Final = "spyglass.execution.id"
OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_ID: Final = "gen_ai.response.id"
SERVICE_TIER: Final = "gen_ai.response.service_tier"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_ID: Final = "gen_ai.agent.id"
AGENT_VERSION: Final = "gen_ai.agent.version"
AGENT_ROLE: Final = "spyglass.agent.role"
AGENT_PARENT_NAME: Final = "spyglass.agent.parent.name"
AGENT_SOURCE_NAME: Final = "spyglass.agent.source.name"
AGENT_TARGET_NAME: Final = "spyglass.agent.target.name"
WORKFLOW_NAME: Final = "gen_ai.workflow.name"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
DATA_SOURCE_ID: Final = "gen_ai.data_source.id"
RETRIEVAL_TOP_K: Final = "gen_ai.retrieval.top_k"
ERROR_TYPE: Final = "error.type"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"

# Tokens. Input includes what was read from and written to the cache; output includes reasoning.
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
CACHE_WRITE_1H_TOKENS: Final = "spyglass.usage.cache_write_1h.input_tokens"  # of the ones above
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
USAGE_SOURCE: Final = "spyglass.usage.source"
USAGE_FAULT: Final = "spyglass.usage.fault"  # id in dialects/faults.csv: corrected, or doubtful
SENT_INPUT_TOKENS: Final = "spyglass.usage.sent.input_tokens"  # as it came, where the number above was changed
SENT_OUTPUT_TOKENS: Final = "spyglass.usage.sent.output_tokens"
COST_AMOUNT: Final = "spyglass.cost.amount"
COST_SOURCE: Final = "spyglass.cost.source"

# What a span used of its machine; an agent's span says it for its whole run.
USAGE_CPU: Final = "spyglass.usage.cpu.core_seconds"
USAGE_MEMORY: Final = "spyglass.usage.memory.gb_seconds"
USAGE_GPU: Final = "spyglass.usage.gpu.seconds"
USAGE_NETWORK_RECEIVE: Final = "spyglass.usage.network.receive_bytes"
USAGE_NETWORK_TRANSMIT: Final = "spyglass.usage.network.transmit_bytes"

# Queues and hand-offs.
QUEUE_NAME: Final = "spyglass.queue.name"
QUEUE_WAIT: Final = "spyglass.queue.wait"
MESSAGING_SYSTEM: Final = "messaging.system"
MESSAGING_DESTINATION_NAME: Final = "messaging.destination.name"
MESSAGING_OPERATION_NAME: Final = "messaging.operation.name"
MESSAGING_OPERATION_TYPE: Final = "messaging.operation.type"
MESSAGING_MESSAGE_ID: Final = "messaging.message.id"

# Content: texts only where SPYGLASS_CONTENT=full, roles and lengths (characters) where it is metadata.
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
TOOL_CALL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_CALL_RESULT: Final = "gen_ai.tool.call.result"
RETRIEVAL_QUERY_TEXT: Final = "gen_ai.retrieval.query.text"
RETRIEVAL_DOCUMENTS: Final = "gen_ai.retrieval.documents"
CONTENT_INPUT_ROLES: Final = "spyglass.content.input.roles"
CONTENT_INPUT_LENGTHS: Final = "spyglass.content.input.lengths"
CONTENT_OUTPUT_ROLES: Final = "spyglass.content.output.roles"
CONTENT_OUTPUT_LENGTHS: Final = "spyglass.content.output.lengths"
CONTENT_TRUNCATED: Final = "spyglass.content.truncated"

# Evaluations and logs.
EVALUATION_NAME: Final = "gen_ai.evaluation.name"
EVALUATION_SCORE: Final = "gen_ai.evaluation.score.value"
EVALUATION_LABEL: Final = "gen_ai.evaluation.score.label"
EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"
EVALUATION_SOURCE: Final = "spyglass.evaluation.source"
CODE_FILE_PATH: Final = "code.file.path"
CODE_FUNCTION_NAME: Final = "code.function.name"
CODE_LINE_NUMBER: Final = "code.line.number"
LOG_RECORD_UID: Final = "log.record.uid"

EVENT_EVALUATION: Final = "gen_ai.evaluation.result"
EVENT_EXCEPTION: Final = "exception"
EVENT_INSTRUMENTED: Final = "spyglass.instrumented"

SCOPE: Final = "spyglass"
DROP_REASON: Final = "spyglass.drop.reason"
SIGNAL: Final = "spyglass.signal"
INSTRUMENTED_LIBRARY: Final = "spyglass.instrumented.library"
INSTRUMENTED_BY: Final = "spyglass.instrumented.by"
INSTRUMENTED_OUTCOME: Final = "spyglass.instrumented.outcome"
INSTRUMENTED_DETAIL: Final = "spyglass.instrumented.detail"
REDACTED: Final = "[redacted]"
OTHER_ERROR: Final = "_OTHER"
CANCELLED: Final = "cancelled"

# The ids that a session hands on to other processes: attribute on spans, and key in W3C baggage.
BAGGAGE_KEYS: Final = {
    ORGANIZATION: "spyglass.organization",
    PROJECT: "spyglass.project",
    USER_ID: "spyglass.user",
    SESSION_ID: "spyglass.session",
    CONVERSATION_ID: "spyglass.conversation",
}
# The W3C fields in which a context travels: headers, keys of MCP's _meta, and, in capitals, environment variables.
TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
BAGGAGE: Final = "baggage"
CONTEXT_FIELDS: Final = (TRACEPARENT, TRACESTATE, BAGGAGE)
ENQUEUED_AT_FIELD: Final = "spyglass-enqueued-at"  # header of a queued task: seconds since 1970


class Kind(StrEnum):
    """Say what a span is, whoever emitted it; the collector sets it on every span."""

    WORKFLOW = "workflow"
    AGENT = "agent"
    LLM = "llm"
    TOOL = "tool"
    RETRIEVAL = "retrieval"
    EMBEDDING = "embedding"
    GUARDRAIL = "guardrail"
    QUEUE = "queue"
    TASK = "task"
    UNKNOWN = "unknown"


class Operation(StrEnum):
    """List the values of gen_ai.operation.name that spyglass writes or understands."""

    CHAT = "chat"
    GENERATE_CONTENT = "generate_content"
    TEXT_COMPLETION = "text_completion"
    EMBEDDINGS = "embeddings"
    RETRIEVAL = "retrieval"
    CREATE_AGENT = "create_agent"
    INVOKE_AGENT = "invoke_agent"
    EXECUTE_TOOL = "execute_tool"
    INVOKE_WORKFLOW = "invoke_workflow"
    PLAN = "plan"
    HANDOFF = "handoff"


class UsageSource(StrEnum):
    """Say where a token count comes from."""

    REPORTED = "reported"
    ESTIMATED = "estimated"
    AGGREGATED = "aggregated"
    MISSING = "missing"


class CostSource(StrEnum):
    """Say where a cost comes from; unpriced is a model without a price, never a cost of 0."""

    REPORTED = "reported"
    COMPUTED = "computed"
    UNPRICED = "unpriced"


class InferredFrom(StrEnum):
    """Say by what a span that lost its parent was given one; the most trusted first."""

    EXECUTION = "execution"
    TOOL_CALL = "tool_call"
    RESPONSE = "response"
    MESSAGE = "message"
    LINK = "link"
    CONVERSATION = "conversation"


class Content(StrEnum):
    """Say how much of prompts and outputs is captured."""

    OFF = "off"
    METADATA = "metadata"
    FULL = "full"


class Instrument(StrEnum):
    """List the instruments of OpenTelemetry metrics."""

    COUNTER = "counter"
    UPDOWNCOUNTER = "updowncounter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Metric(NamedTuple):
    """Describe one metric: OTLP name, instrument, UCUM unit, and a sentence that says what it means."""

    name: str
    instrument: Instrument
    unit: str
    sentence: str


# Made by the collector from every normalised span, whoever sent it (span_metrics with namespace "spyglass").
CALLS: Final = Metric("spyglass.calls", Instrument.COUNTER, "", "Spans that ended, by kind, agent, model and status.")
DURATION: Final = Metric("spyglass.duration", Instrument.HISTOGRAM, "s", "How long spans took.")
# Made by the collector from llm-kind spans (signal_to_metrics).
LLM_INPUT_TOKENS: Final = Metric(
    "spyglass.llm.input_tokens", Instrument.COUNTER, "{token}", "Tokens sent to models, cached ones included."
)
LLM_OUTPUT_TOKENS: Final = Metric(
    "spyglass.llm.output_tokens", Instrument.COUNTER, "{token}", "Tokens that models produced, reasoning included."
)
LLM_CACHE_READ_TOKENS: Final = Metric(
    "spyglass.llm.cache_read.input_tokens", Instrument.COUNTER, "{token}", "Input tokens that came from a cache."
)
LLM_CACHE_WRITE_TOKENS: Final = Metric(
    "spyglass.llm.cache_write.input_tokens", Instrument.COUNTER, "{token}", "Input tokens that were written to a cache."
)
LLM_REASONING_TOKENS: Final = Metric(
    "spyglass.llm.reasoning.output_tokens", Instrument.COUNTER, "{token}", "Output tokens that were reasoning."
)
LLM_CALLS_WITHOUT_USAGE: Final = Metric(
    "spyglass.llm.calls_without_usage", Instrument.COUNTER, "{call}", "Model calls whose emitter reported no tokens."
)
NORMALISE_INVALID_SPANS: Final = Metric(
    "spyglass.normalise.invalid_spans", Instrument.COUNTER, "{span}", "Spans with a value of a wrong type or unit."
)
LLM_TIME_TO_FIRST_TOKEN: Final = Metric(
    "spyglass.llm.time_to_first_token", Instrument.HISTOGRAM, "s", "Time from request to the first streamed token."
)
QUEUE_WAIT_DURATION: Final = Metric(
    "spyglass.queue.wait.duration", Instrument.HISTOGRAM, "s", "How long tasks waited before work on them began."
)
# Sent by the SDK about itself.
SDK_DROPPED: Final = Metric(
    "spyglass.sdk.dropped", Instrument.COUNTER, "{item}", "Spans and logs that the SDK gave up, by signal and reason."
)
SDK_QUEUE_SIZE: Final = Metric(
    "spyglass.sdk.queue.size", Instrument.GAUGE, "{item}", "Spans and logs that wait in the SDK for export."
)
SDK_INSTRUMENTED: Final = Metric(
    "spyglass.sdk.instrumented", Instrument.GAUGE, "{library}", "1 for each library that was instrumented, by outcome."
)
# Sent by the server from the warehouse.
FRESHNESS: Final = Metric(
    "spyglass.warehouse.freshness", Instrument.GAUGE, "s", "Age of the newest span in the warehouse."
)

METRICS: Final = tuple(each for each in list(globals().values()) if isinstance(each, Metric))
