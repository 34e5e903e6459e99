from collections.abc import Callable

import pytest

from spyglass.assets import folder
from spyglass.dialects import compiler
from tests.collector_config.conftest import Collector
from tests.collector_config.otlp import request as _request


@pytest.fixture(scope="module")
def collector(start_collector: Callable[..., Collector]) -> Collector:
    """Run a collector with full content and without redaction, so that only names change."""
    return start_collector(SPYGLASS_CONTENT="full", SPYGLASS_REDACT="false")


def test_layers_are_what_the_tables_say() -> None:
    """The committed layers are byte for byte what the compiler makes of the tables."""
    assert compiler.stale(folder("collector-config")) == []


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"gen_ai.operation.name": "chat"}, "llm"),
        ({"gen_ai.operation.name": "generate_content"}, "llm"),
        ({"gen_ai.operation.name": "embeddings"}, "embedding"),
        ({"gen_ai.operation.name": "invoke_agent"}, "agent"),
        ({"gen_ai.operation.name": "create_agent"}, "task"),
        ({"gen_ai.operation.name": "execute_tool"}, "tool"),
        ({"gen_ai.operation.name": "invoke_workflow"}, "workflow"),
        ({"openinference.span.kind": "LLM"}, "llm"),
        ({"openinference.span.kind": "AGENT"}, "agent"),
        ({"openinference.span.kind": "CHAIN"}, "task"),
        ({"openinference.span.kind": "GUARDRAIL"}, "guardrail"),
        ({"mcp.method.name": "tools/call"}, "tool"),
        ({"mcp.method.name": "initialize"}, "unknown"),
        ({"messaging.operation.type": "process"}, "queue"),
        ({"gen_ai.tool.name": "search"}, "tool"),
        ({"gen_ai.request.model": "gpt-5-mini"}, "llm"),
        ({"spyglass.kind": "guardrail", "gen_ai.operation.name": "chat"}, "guardrail"),
        ({"spyglass.kind": "nonsense", "gen_ai.operation.name": "chat"}, "llm"),
        ({"http.request.method": "GET"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_kind(collector: Collector, attributes: dict[str, object], kind: str) -> None:
    """Every span has a kind: its own if it is one, else what its dialect says, else unknown."""
    (span,) = collector.spans(_request(attributes))
    assert span["attributes"]["spyglass.kind"] == kind


@pytest.mark.parametrize(
    ("attributes", "normalised"),
    [
        (
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.system": "vertex_ai",
                "gen_ai.usage.prompt_tokens": 10,
                "gen_ai.usage.completion_tokens": 4,
                "gen_ai.usage.cache_creation.input_tokens": 2,
                "gen_ai.response.finish_reason": "stop",
            },
            {
                "gen_ai.provider.name": "gcp.vertex_ai",
                "gen_ai.usage.input_tokens": 10,
                "gen_ai.usage.output_tokens": 4,
                "gen_ai.usage.cache_write.input_tokens": 2,
                "gen_ai.response.finish_reasons": ["stop"],
                "spyglass.usage.source": "reported",
                "spyglass.dialect": "semconv",
            },
        ),
        (
            {
                "openinference.span.kind": "LLM",
                "llm.system": "openai",
                "llm.model_name": "gpt-5-mini-2026-07-18",
                "llm.token_count.prompt": 52,
                "llm.token_count.completion": 17,
                "llm.token_count.prompt_details.cache_read": 16,
                "llm.token_count.completion_details.reasoning": 5,
                "llm.finish_reason": "tool_calls",
                "session.id": "s-1",
            },
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-5-mini-2026-07-18",
                "gen_ai.response.model": "gpt-5-mini-2026-07-18",
                "gen_ai.usage.input_tokens": 52,
                "gen_ai.usage.output_tokens": 17,
                "gen_ai.usage.cache_read.input_tokens": 16,
                "gen_ai.usage.reasoning.output_tokens": 5,
                "gen_ai.response.finish_reasons": ["tool_calls"],
                "gen_ai.conversation.id": "s-1",
                "spyglass.dialect": "openinference",
            },
        ),
        ({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 3.0}, {"gen_ai.usage.input_tokens": 3}),
        ({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": "3"}, {"gen_ai.usage.input_tokens": 3}),
        ({"gen_ai.operation.name": "chat"}, {"spyglass.usage.source": "missing"}),
        (
            {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 0, "gen_ai.usage.prompt_tokens": 9},
            {"gen_ai.usage.input_tokens": 0, "spyglass.usage.source": "reported"},
        ),
    ],
)
def test_names(collector: Collector, attributes: dict[str, object], normalised: dict[str, object]) -> None:
    """Old names and OpenInference's become the newest names; originals stay, and what is there already wins."""
    (span,) = collector.spans(_request(attributes))
    got = span["attributes"]
    assert {key: got.get(key) for key in normalised} == normalised
    assert set(attributes) <= set(got)


@pytest.mark.parametrize(
    ("of_span", "of_resource", "tenant"),
    [
        ({}, {}, ("default", "default")),
        ({}, {"spyglass.organization": "acme", "spyglass.project": "support"}, ("acme", "support")),
        ({"spyglass.organization": "other"}, {"spyglass.organization": "acme"}, ("other", "default")),
    ],
)
def test_tenant(
    collector: Collector, of_span: dict[str, object], of_resource: dict[str, object], tenant: tuple[str, str]
) -> None:
    """A span belongs to its own organization and project, else to its resource's, else to default."""
    (span,) = collector.spans(_request(of_span, of_resource))
    assert (span["attributes"]["spyglass.organization"], span["attributes"]["spyglass.project"]) == tenant


def test_agents_and_handoffs_of_openai_agents(collector: Collector) -> None:
    """The runner's root span is a workflow, an agent without a name has its span's, a hand-off is no tool call."""
    scope = "openinference.instrumentation.openai_agents"
    (root,) = collector.spans(_request({"openinference.span.kind": "AGENT"}, name="Agent workflow", scope=scope))
    assert (root["attributes"]["spyglass.kind"], root["attributes"]["gen_ai.workflow.name"]) == (
        "workflow",
        "Agent workflow",
    )
    (agent,) = collector.spans(_request({"openinference.span.kind": "AGENT"}, name="weather-agent"))
    assert (agent["attributes"]["spyglass.kind"], agent["attributes"]["gen_ai.agent.name"]) == (
        "agent",
        "weather-agent",
    )
    handoff = {"openinference.span.kind": "TOOL", "input.value": "triage", "output.value": "expert"}
    (span,) = collector.spans(_request(handoff, name="handoff to expert"))
    assert span["attributes"]["spyglass.kind"] == "task"
    assert span["attributes"]["spyglass.agent.source.name"] == "triage"
    assert span["attributes"]["spyglass.agent.target.name"] == "expert"


def test_enclosing_agent(collector: Collector) -> None:
    """What is no agent itself belongs to the agent that it ran inside; an agent keeps its own name."""
    inside = {"spyglass.agent.parent.name": "planner"}
    (call,) = collector.spans(_request({"openinference.span.kind": "LLM"} | inside))
    assert call["attributes"]["gen_ai.agent.name"] == "planner"
    (named,) = collector.spans(_request({"openinference.span.kind": "LLM", "agent.name": "own"} | inside))
    assert named["attributes"]["gen_ai.agent.name"] == "own"
    (agent,) = collector.spans(_request({"openinference.span.kind": "AGENT"} | inside, name="crew"))
    assert agent["attributes"]["gen_ai.agent.name"] == "crew"


def test_error_type(collector: Collector) -> None:
    """A failed span has an error type: its own, else its exception's, else _OTHER; another span has none."""
    failed, raised = {"code": 2}, [{"key": "exception.type", "value": {"stringValue": "ValueError"}}]
    event = {"name": "exception", "timeUnixNano": "1", "attributes": raised}
    cases = [
        (_request({"error.type": "timeout"}, status=failed, events=[event]), "timeout"),
        (_request({}, status=failed, events=[event]), "ValueError"),
        (_request({}, status=failed), "_OTHER"),
        (_request({}, events=[event]), None),
    ]
    for request, expected in cases:
        (span,) = collector.spans(request)
        assert span["attributes"].get("error.type") == expected


def test_token_units_become_one(collector: Collector) -> None:
    """Token metrics whose unit is token or tokens get the unit {token}, so that Prometheus has one name."""
    for unit in ("token", "tokens", "{token}"):
        point = {"asInt": "1", "timeUnixNano": "1763715600000000000"}
        metric = {"name": "gen_ai.client.token.usage", "unit": unit, "gauge": {"dataPoints": [point]}}
        text = collector.text("metrics", {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]})
        assert '"unit": "{token}"' in text


def test_metric_without_data_is_left_out(collector: Collector) -> None:
    """A metric without data is dropped, because the warehouse exporter would retry it for ever; the others stay."""
    point = {"asInt": "1", "timeUnixNano": "1763715600000000000"}
    metrics = [{"name": "empty"}, {"name": "full", "gauge": {"dataPoints": [point]}}]
    text = collector.text("metrics", {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]})
    assert '"full"' in text
    assert '"empty"' not in text
