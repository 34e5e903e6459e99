"""What handles take, and whose ids their spans carry."""

from __future__ import annotations

import logging

import pytest

import spyglass
from spyglass import names
from spyglass.testing import capture


def test_session_ids_are_on_every_span_and_log_inside() -> None:
    """Ids of a session stand on own spans, on spans of foreign instrumentors and on logs, and nowhere outside."""
    from opentelemetry import trace  # noqa: PLC0415 -- as a foreign instrumentor does

    with capture() as captured:
        with spyglass.session(organization="o", project="p", user="u", session="s", conversation="c"):
            with spyglass.tool("inside"), trace.get_tracer("foreign").start_as_current_span("alien"):
                logging.getLogger("app").warning("hello")
            with spyglass.session(project="q"), spyglass.tool("deeper"):
                pass
        with spyglass.tool("outside"):
            pass
    ids = {
        "spyglass.organization": "o",
        "spyglass.project": "p",
        "user.id": "u",
        "session.id": "s",
        "gen_ai.conversation.id": "c",
    }
    for name in ("execute_tool inside", "alien"):
        assert ids.items() <= dict(captured.attributes(name)).items()
    assert ids.items() <= dict(captured.logs[0].log_record.attributes or {}).items()
    assert captured.attributes("execute_tool deeper")["spyglass.project"] == "q"
    assert captured.attributes("execute_tool deeper")["user.id"] == "u"
    assert not ids.keys() & dict(captured.attributes("execute_tool outside")).keys()


def test_session_ids_travel_in_w3c_baggage_and_come_back() -> None:
    """Outgoing requests carry only the ids that were given; a server that extracts them stamps its own spans."""
    from opentelemetry import propagate  # noqa: PLC0415 -- as an instrumented client and server do
    from opentelemetry.context import Context, attach, detach  # noqa: PLC0415 -- as above

    headers: dict[str, str] = {}
    with capture() as captured:
        with spyglass.session(user="ann@example.org", session="s 1"), spyglass.agent("a"):
            propagate.inject(headers)
        token = attach(propagate.extract(headers, Context()))
        with spyglass.tool("served"):
            pass
        detach(token)
    assert headers["baggage"] == "spyglass.user=ann%40example.org,spyglass.session=s+1"
    served = captured.attributes("execute_tool served")
    assert (served["user.id"], served["session.id"]) == ("[redacted]", "s 1")
    assert served.get("gen_ai.agent.name") is None
    assert captured.span("execute_tool served").parent is not None


def test_handles_take_any_attribute_value() -> None:
    """Odd values become JSON or text, None is left out, and nothing raises."""
    with capture() as captured, spyglass.tool("t") as handle:
        handle.set("none", None)
        handle.set("big", 2**80)
        handle.set("list", ["a", 1])
        handle.set("nested", {"a": [1, float("nan")]})
        handle.set("mixed", ["a", "b"])
        handle.set("bytes", b"abc")
        handle.set("handle", object)
    found = captured.attributes("execute_tool t")
    assert "none" not in found
    assert found["big"] == "0x100000000000000000000"
    assert found["list"] == '["a",1]'
    assert found["nested"] == '{"a":[1,"nan"]}'
    assert found["mixed"] == ("a", "b")
    assert found["bytes"] == "<3 bytes>"


def test_what_is_told_too_late_is_said(said: pytest.LogCaptureFixture) -> None:
    """A handle that is used after its span has ended warns once, for what it is told is lost."""
    with capture() as captured:
        with spyglass.llm_call("m") as call:
            pass
        call.usage(input_tokens=1)
        call.usage(input_tokens=1)
    assert "gen_ai.usage.input_tokens" not in captured.attributes("chat m")
    assert said.text.count("after the end of its span is lost") == 1


def test_an_error_can_be_told_without_an_exception() -> None:
    """error() makes the span's status ERROR with its type and message."""
    with capture() as captured, spyglass.tool("t") as handle:
        handle.error("rate_limit", "try later")
    span = captured.span("execute_tool t")
    assert (span.status.status_code.name, span.status.description) == ("ERROR", "try later")
    assert captured.attributes("execute_tool t")["error.type"] == "rate_limit"


def test_current_finds_the_innermost_handle_of_a_kind() -> None:
    """Code without the handle finds it by its kind; where none is open it gets one that does nothing."""

    @spyglass.llm_call("m")
    def ask() -> None:
        with spyglass.tool("inner"):
            spyglass.current(spyglass.LlmCall).usage(input_tokens=7)

    with capture() as captured:
        ask()
        spyglass.current(spyglass.LlmCall).usage(input_tokens=1)
        assert spyglass.current(spyglass.Handle).trace_id == ""
    assert captured.attributes("chat m")["gen_ai.usage.input_tokens"] == 7


def test_without_init_everything_is_a_no_op() -> None:
    """Before init() handles take every call, decorators call through, and nothing is traced."""

    @spyglass.tool
    def double(value: int) -> int:
        return 2 * value

    with spyglass.session(user="u"), spyglass.agent("a") as agent, spyglass.llm_call("m") as call:
        agent.input("x")
        call.usage(input_tokens=1)
        call.first_token()
        call.set("k", 1)
        assert (call.trace_id, call.span_id) == ("", "")
        assert double(2) == 4
    assert spyglass.dropped() == {}
    assert spyglass.flush() is True
    assert spyglass.instrumented() == ()
    spyglass.feedback("0" * 31 + "1", "thumb", 1)
    spyglass.shutdown()


@pytest.mark.parametrize("count", [10_000])
def test_a_span_with_ten_thousand_attributes_loses_none(count: int) -> None:
    """A span may carry 10,000 attributes, and keeps those that say what it is."""
    with capture() as captured, spyglass.tool("t") as handle:
        for number in range(count):
            handle.set(f"k{number}", number)
    found = captured.attributes("execute_tool t")
    assert len(found) == count + 3
    assert found["spyglass.kind"] == "tool"


def test_foreign_spans_know_the_agent_around_them() -> None:
    """A span of a foreign instrumentor inside an agent carries the agent's name and execution, outside neither."""
    from opentelemetry import trace  # noqa: PLC0415 -- as a foreign instrumentor does

    with capture() as captured:
        tracer = trace.get_tracer("foreign")
        with spyglass.agent("planner") as run, tracer.start_as_current_span("inside"):
            pass
        with tracer.start_as_current_span("outside"):
            pass
    spans = {span.name: dict(span.attributes or {}) for span in captured.spans}
    assert spans["inside"][names.AGENT_PARENT_NAME] == "planner"
    assert spans["inside"][names.EXECUTION_ID] == run.span_id
    assert spans["outside"] == {}
