"""Spans as their emitters write them, and what comes out of the collector."""

import json
from collections.abc import Mapping

Fields = Mapping[str, object]
USAGE = "gen_ai.usage."


def usage(**numbers: int) -> dict[str, object]:
    """Return attributes of usage, from names with two underlines for a dot."""
    return {f"{USAGE}{name.replace('__', '.')}": number for name, number in numbers.items()}


HAYSTACK_REPLY = {
    "meta": {"model": "m-1", "finish_reason": "stop", "usage": {"prompt_tokens": 9, "completion_tokens": 4}}
}
LANGFUSE_USAGE = {"input": 5, "output": 3, "input_cached_tokens": 2, "output_reasoning_tokens": 4}
OPENAI_USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}}
ADK_REPLY = {"usage_metadata": {"prompt_token_count": 9, "candidates_token_count": 4, "thoughts_token_count": 3}}
# What is sent (attributes, then fields of the span and its scope), and what comes out; None: absent.
CASES: dict[str, tuple[Fields, Fields, Fields]] = {
    "claude-code call": (
        {"span.type": "llm_request", "model": "c-4", "input_tokens": 10, "output_tokens": 5, "cache_read_tokens": 7}
        | {"cache_creation_tokens": 2, "ttft_ms": 250, "session.id": "s"},
        {"name": "claude_code.llm_request"},
        {"spyglass.kind": "llm", f"{USAGE}input_tokens": 19, f"{USAGE}cache_read.input_tokens": 7, "input_tokens": 10}
        | {"gen_ai.response.time_to_first_chunk": 0.25, "gen_ai.provider.name": "anthropic"}
        | {"gen_ai.request.model": "c-4", "gen_ai.conversation.id": "s", "spyglass.dialect": "claude-code"}
        | {"spyglass.framework": "claude-code"},
    ),
    "vercel step": (
        {"ai.operationId": "ai.streamText.doStream", "ai.model.id": "m", "ai.usage.inputTokens": 8}
        | {"ai.usage.outputTokens": 3, "ai.usage.cachedInputTokens": 2, "ai.response.msToFirstChunk": 40.0}
        | {"ai.response.finishReason": "stop", "ai.telemetry.metadata.userId": "u"},
        {"scope": "ai"},
        {"spyglass.kind": "llm", "gen_ai.request.model": "m", f"{USAGE}input_tokens": 8, "user.id": "u"}
        | {f"{USAGE}cache_read.input_tokens": 2, "gen_ai.response.time_to_first_chunk": 0.04}
        | {
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.request.stream": True,
            "spyglass.usage.source": "reported",
        },
    ),
    "vercel loop": (
        {"ai.operationId": "ai.generateText", "ai.usage.inputTokens": 8, "ai.telemetry.functionId": "helper"},
        {"scope": "ai"},
        {"spyglass.kind": "agent", "gen_ai.agent.name": "helper", "spyglass.usage.source": "aggregated"}
        | {"spyglass.framework": "vercel-ai", "spyglass.framework.version": None},
    ),
    "haystack generator": (
        {
            "haystack.component.type": "OpenAIChatGenerator",
            "haystack.component.output": json.dumps({"replies": [HAYSTACK_REPLY]}),
        },
        {"name": "haystack.component.run"},
        {"spyglass.kind": "llm", "gen_ai.request.model": "m-1", f"{USAGE}input_tokens": 9, f"{USAGE}output_tokens": 4}
        | {"gen_ai.response.finish_reasons": ["stop"], "spyglass.usage.source": "reported"},
    ),
    "haystack without content": (
        {"haystack.component.type": "OpenAIChatGenerator"},
        {"name": "haystack.component.run"},
        {"spyglass.kind": "llm", "spyglass.usage.source": "missing", "spyglass.normalise.invalid": None},
    ),
    "adk schema 1": (
        {
            "gen_ai.system": "gcp.vertex.agent",
            "gen_ai.request.model": "gemini-2.5-flash",
            "gcp.vertex.agent.session_id": "s",
        }
        | {"gcp.vertex.agent.llm_response": json.dumps(ADK_REPLY)},
        {"name": "call_llm", "scope": "gcp.vertex.agent"},
        {"spyglass.kind": "llm", f"{USAGE}input_tokens": 9, f"{USAGE}output_tokens": 7, "gen_ai.conversation.id": "s"}
        | {f"{USAGE}reasoning.output_tokens": 3, "gen_ai.provider.name": "gcp.gemini"},
    ),
    "bedrock by botocore": (
        {"gen_ai.operation.name": "chat"} | usage(input_tokens=52, output_tokens=17, cache_read__input_tokens=16),
        {"scope": "opentelemetry.instrumentation.botocore.bedrock-runtime"},
        {f"{USAGE}input_tokens": 68, "spyglass.usage.sent.input_tokens": 52},
    ),
    "bedrock by traceloop": (
        {"gen_ai.operation.name": "chat"} | usage(input_tokens=52, output_tokens=17, cache_creation__input_tokens=8),
        {"scope": "opentelemetry.instrumentation.bedrock", "version": "0.62.4"},
        {f"{USAGE}input_tokens": 60, "spyglass.usage.sent.input_tokens": 52, "spyglass.dialect": "traceloop"},
    ),
    "anthropic by openlit": (
        {"gen_ai.operation.name": "chat", "gen_ai.usage.cost": 0}
        | usage(input_tokens=36, output_tokens=17, cache_read__input_tokens=16, cache_creation__input_tokens=8),
        {"scope": "openlit.instrumentation.anthropic"},
        {f"{USAGE}input_tokens": 60, "spyglass.usage.source": "reported", "spyglass.framework": "anthropic"},
    ),
    "stream that openlit estimates": (
        {"gen_ai.operation.name": "chat", "gen_ai.request.stream": True} | usage(input_tokens=23, output_tokens=18),
        {"scope": "openlit.instrumentation.groq"},
        {"spyglass.usage.source": "estimated"},
    ),
    "langfuse as Langfuse counts": (
        {"langfuse.observation.type": "generation"}
        | {"langfuse.observation.usage_details": json.dumps(LANGFUSE_USAGE)},
        {},
        {f"{USAGE}input_tokens": 7, f"{USAGE}output_tokens": 7, f"{USAGE}cache_read.input_tokens": 2}
        | {f"{USAGE}reasoning.output_tokens": 4},
    ),
    "langfuse as OpenAI counts": (
        {"langfuse.observation.type": "generation", "langfuse.observation.cost_details": '{"total": 0.5}'}
        | {"langfuse.observation.usage_details": json.dumps(OPENAI_USAGE)},
        {},
        {f"{USAGE}input_tokens": 5, f"{USAGE}cache_read.input_tokens": 2, "spyglass.cost.amount": 0.5},
    ),
    "langsmith agent": (
        {
            "langsmith.span.kind": "chain",
            "langsmith.metadata.lc_agent_name": "helper",
            "langsmith.metadata.thread_id": "t",
        },
        {"name": "helper", "scope": "langsmith"},
        {"spyglass.kind": "agent", "gen_ai.agent.name": "helper", "gen_ai.conversation.id": "t"},
    ),
    "langsmith retriever": (
        {"langsmith.span.kind": "retriever", "gen_ai.operation.name": "embeddings"},
        {"scope": "langsmith"},
        {"spyglass.kind": "retrieval", "spyglass.usage.source": None},
    ),
    "answer that is fetched": (
        {"gen_ai.operation.name": "fetch_response", "gen_ai.response.id": "r"} | usage(input_tokens=5, output_tokens=1),
        {},
        {"spyglass.kind": "task", "spyglass.usage.source": "reported"},
    ),
    "bookkeeping of ag2": (
        {"ag2.span.type": "usage"} | usage(input_tokens=5, output_tokens=1),
        {},
        {"spyglass.kind": "task", "spyglass.usage.source": "aggregated"},
    ),
    "request of a stream by logfire": (
        {"logfire.span_type": "span", "gen_ai.operation.name": "chat", "gen_ai.request.model": "m"},
        {"scope": "logfire.anthropic"},
        {"spyglass.kind": "task", "spyglass.usage.source": None},
    ),
    "end of a stream by logfire": (
        {"logfire.span_type": "log", "gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
        | usage(input_tokens=5),
        {"scope": "logfire.anthropic"},
        {"spyglass.kind": "llm", "spyglass.usage.source": "reported", "gen_ai.request.stream": True},
    ),
    "failed call by logfire": (
        {"logfire.span_type": "span", "gen_ai.operation.name": "chat", "gen_ai.request.model": "m"},
        {"scope": "logfire.openai", "status": {"code": 2, "message": "RateLimitError: slow down"}},
        {"spyglass.kind": "llm", "spyglass.usage.source": "missing", "error.type": "RateLimitError"},
    ),
    "agent of pydantic-ai": (
        {"gen_ai.operation.name": "invoke_agent", "agent_name": "a", "gen_ai.aggregated_usage.input_tokens": 9},
        {"scope": "pydantic-ai", "version": "2.68.0"},
        {
            "spyglass.kind": "agent",
            f"{USAGE}input_tokens": 9,
            "spyglass.usage.source": "aggregated",
            "gen_ai.agent.name": "a",
        },
    ),
    "first token of strands": (
        {"gen_ai.operation.name": "chat", "gen_ai.system": "strands-agents", "gen_ai.server.time_to_first_token": 120},
        {"scope": "strands.telemetry.tracer"},
        {
            "gen_ai.response.time_to_first_chunk": 0.12,
            "gen_ai.provider.name": None,
            "spyglass.framework": "strands-agents",
        },
    ),
    "first token of openlit": (
        {"gen_ai.operation.name": "chat", "gen_ai.server.time_to_first_token": 0.12},
        {"scope": "openlit.instrumentation.openai"},
        {"gen_ai.response.time_to_first_chunk": 0.12},
    ),
    "litellm": (
        {"gen_ai.operation.name": "chat", "llm.is_streaming": "True", "gen_ai.cost.total_cost": 0.25},
        {"scope": "litellm"},
        {"gen_ai.request.stream": True, "spyglass.cost.amount": 0.25, "spyglass.framework": "litellm"},
    ),
    "agent framework": (
        {"gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": '["stop"]'},
        {"scope": "agent_framework"},
        {"gen_ai.response.finish_reasons": ["stop"]},
    ),
    "semantic kernel": (
        {"gen_ai.operation.name": "chat", "gen_ai.response.finish_reason": "FinishReason.TOOL_CALLS"},
        {"scope": "semantic_kernel.utils.telemetry.model_diagnostics.decorators"},
        {"gen_ai.response.finish_reasons": ["tool_calls"]},
    ),
    "hand-off of traceloop": (
        {"gen_ai.operation.name": "handoff", "gen_ai.handoff.from_agent": "a", "gen_ai.handoff.to_agent": "b"},
        {"scope": "opentelemetry.instrumentation.openai_agents", "version": "0.62.4"},
        {"spyglass.kind": "task", "spyglass.agent.source.name": "a", "spyglass.agent.target.name": "b"},
    ),
    "message of autogen": (
        {"messaging.operation": "process", "sender_agent_type": "boss_98ef495d-5aba-4d01-ab1c-cc998af9696b"},
        {"scope": "autogen SingleThreadedAgentRuntime"},
        {"spyglass.kind": "queue", "spyglass.agent.source.name": "boss"},
    ),
    "message of autogen without a UUID": (
        {"messaging.operation": "send", "sender_agent_type": "boss"},
        {"scope": "autogen SingleThreadedAgentRuntime"},
        {"spyglass.kind": "task", "spyglass.agent.source.name": "boss"},
    ),
    "code of HTTP in a status": (
        {"openinference.span.kind": "LLM"},
        {"status": {"code": 2, "message": "Error getting response: {'error': 'Error code: 500 - oh'}"}},
        {"error.type": "500"},
    ),
    "nothing in and nothing out": (
        {"gen_ai.operation.name": "chat"} | usage(input_tokens=0, output_tokens=0),
        {},
        {"spyglass.usage.source": "missing", f"{USAGE}input_tokens": None, "spyglass.usage.sent.output_tokens": 0},
    ),
    "stream of anthropic by traceloop": (
        {"gen_ai.operation.name": "chat", "gen_ai.is_streaming": True} | usage(input_tokens=60, output_tokens=18),
        {"scope": "opentelemetry.instrumentation.anthropic", "version": "0.62.4"},
        {"spyglass.usage.fault": "traceloop-anthropic-stream-output", f"{USAGE}output_tokens": 18},
    ),
    "the same, mended": (
        {"gen_ai.operation.name": "chat", "gen_ai.is_streaming": True} | usage(input_tokens=60, output_tokens=17),
        {"scope": "opentelemetry.instrumentation.anthropic", "version": "0.63.0"},
        {"spyglass.usage.fault": None},
    ),
    "thoughts of gemini by traceloop": (
        {"gen_ai.operation.name": "generate_content"} | usage(input_tokens=52, output_tokens=12, total_tokens=69),
        {"scope": "opentelemetry.instrumentation.google_generativeai", "version": "0.62.4"},
        {"spyglass.usage.fault": "traceloop-google-thoughts", f"{USAGE}output_tokens": 17}
        | {"spyglass.usage.sent.output_tokens": 12},
    ),
    "no thoughts of gemini": (
        {"gen_ai.operation.name": "generate_content"} | usage(input_tokens=52, output_tokens=17, total_tokens=69),
        {"scope": "opentelemetry.instrumentation.google_generativeai", "version": "0.62.4"},
        {"spyglass.usage.fault": None, f"{USAGE}output_tokens": 17},
    ),
    "loop in google-genai by openinference": (
        {"openinference.span.kind": "LLM", "llm.token_count.prompt": 52, "llm.token_count.completion": 17}
        | {"message.tool_calls.0.tool_call.function.name": "f"},
        {"scope": "openinference.instrumentation.google_genai", "version": "1.4.14"},
        {"spyglass.usage.fault": "openinference-google-genai-loop", f"{USAGE}output_tokens": 17},
    ),
}
