"""Programs that are started inside a span: what they find in their environment, and whose trace they continue."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.context import attach, detach

import spyglass
from spyglass.sdk.handover import follow
from spyglass.testing import capture
from tests.sdk.receiver import Receiver

SHOW = [sys.executable, "-S", "-c", "import json, os; print(json.dumps(dict(os.environ)))"]
OWN = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
CHILD = "import spyglass; spyglass.init(probes='none', instrument='none'); spyglass.tool('inner')(lambda: None)()"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test inherits a trace or exporters."""
    for name in [*os.environ]:
        if name.startswith(("OTEL_", "CLAUDE_CODE_")) or name in ("TRACEPARENT", "TRACESTATE", "BAGGAGE"):
            monkeypatch.delenv(name)


def shown(**how: Any) -> dict[str, str]:
    """Start a program that knows nothing of spyglass, and return its environment."""
    found: dict[str, str] = json.loads(subprocess.run(SHOW, check=True, capture_output=True, timeout=60, **how).stdout)
    return found


def parent_of(environment: Mapping[str, str]) -> tuple[str, str]:
    """Return trace and span that TRACEPARENT names."""
    _, trace_id, span_id, _ = environment["TRACEPARENT"].split("-")
    return trace_id, span_id


def test_a_program_gets_the_trace_the_session_and_where_to_send() -> None:
    """A child finds the current span, the ids of the session, OTLP settings and Claude Code's switches."""
    with (
        capture(organization="acme & co", endpoint="http://127.0.0.1:9"),
        spyglass.session(user="ü 1", conversation="c"),
        spyglass.agent("boss") as boss,
    ):
        found = shown()
    assert parent_of(found) == (boss.trace_id, boss.span_id)
    assert found["BAGGAGE"] == "spyglass.user=%C3%BC%201,spyglass.conversation=c"
    assert found["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:9"
    assert found["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/protobuf"
    assert found["OTEL_RESOURCE_ATTRIBUTES"] == "spyglass.organization=acme%20%26%20co"
    assert found["CLAUDE_CODE_ENABLE_TELEMETRY"] == found["CLAUDE_CODE_ENHANCED_TELEMETRY_BETA"] == "1"
    assert {"OTEL_SERVICE_NAME", "OTEL_LOG_USER_PROMPTS"}.isdisjoint(found)


def test_what_the_caller_set_stays() -> None:
    """A TRACEPARENT of the caller stays with all that belongs to it, and so does each other variable; so does env."""
    given = {"TRACEPARENT": OWN, "BAGGAGE": "a=b", "OTEL_TRACES_EXPORTER": "none", "CLAUDE_CODE_ENABLE_TELEMETRY": "0"}
    before = dict(given)
    with capture(), spyglass.session(user="u"), spyglass.agent("boss"):
        found = shown(env=given)
    assert given == before
    assert {name: found[name] for name in given} == given


def test_a_caller_that_hands_the_same_trace_gets_the_session_too() -> None:
    """claude-agent-sdk sets TRACEPARENT to the very span by itself; the ids of the session still come along."""
    with capture(), spyglass.session(user="u"), spyglass.agent("boss"):
        given = spyglass.inject()
        found = shown(env={"TRACEPARENT": given["traceparent"]})
    assert (found["TRACEPARENT"], found["BAGGAGE"]) == (given["traceparent"], "spyglass.user=u")


def test_a_program_at_work_already_is_not_taken_out_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A TRACEPARENT of the environment is not followed where init() is called inside a span of the program."""
    monkeypatch.setenv("TRACEPARENT", OWN)
    theirs = trace.SpanContext(int("1" * 32, 16), int("1" * 16, 16), is_remote=False, trace_flags=trace.TraceFlags(1))
    token = attach(trace.set_span_in_context(trace.NonRecordingSpan(theirs)))
    try:
        assert follow(propagate=True) is None
        assert trace.get_current_span().get_span_context() == theirs
    finally:
        detach(token)
    assert follow(propagate=False) is None
    leave = follow(propagate=True)
    assert leave is not None
    assert f"{trace.get_current_span().get_span_context().span_id:016x}" == OWN[36:52]
    leave()
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_trace_that_the_program_put_into_its_own_environment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """os.environ counts as set by the program where it differs from what the process was started with."""
    with capture(), spyglass.agent("boss"):
        monkeypatch.setenv("TRACEPARENT", OWN)
        assert shown()["TRACEPARENT"] == OWN


def test_an_empty_environment_gets_the_trace_only_in_a_copy() -> None:
    """env={} and keys of bytes work; nothing else of this process slips in."""
    empty: dict[str, str] = {}
    with capture(content="full"), spyglass.agent("boss") as boss:
        found = shown(env=empty)
        bytes_found = shown(env={b"OTEL_TRACES_EXPORTER": b"none"})
    assert empty == {}
    assert parent_of(found) == parent_of(bytes_found) == (boss.trace_id, boss.span_id)
    assert bytes_found["OTEL_TRACES_EXPORTER"] == "none"
    assert found["OTEL_LOG_USER_PROMPTS"] == "1"
    assert "PATH" not in found


@pytest.mark.parametrize(
    "theirs",
    [
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://other:4317"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://other"},
        {"OTEL_EXPORTER_OTLP_HEADERS": "key=secret"},
    ],
)
def test_exporters_for_another_collector_are_left_alone(theirs: dict[str, str]) -> None:
    """A child whose exporters are set up gets the trace, and no other variable."""
    with capture(), spyglass.agent("boss"):
        found = shown(env=theirs)
    added = {name for name in found if name.startswith(("OTEL", "CLAUDE", "SPYGLASS", "TRACE", "BAGGAGE"))}
    assert added == {*theirs, "TRACEPARENT"}


def test_a_token_is_not_handed_on(tmp_path: Path) -> None:
    """Where the collector asks for a token, a child gets the path of its file and no setting that would need it."""
    token = tmp_path / "token"
    token.write_text("hush-hush")
    with capture(token_file=str(token)), spyglass.agent("boss"):
        found = shown(env={})
    assert found["SPYGLASS_TOKEN_FILE"] == str(token)
    assert "hush-hush" not in str(found)
    assert "CLAUDE_CODE_ENABLE_TELEMETRY" not in found


def test_a_program_outside_of_a_span_still_learns_where_to_send() -> None:
    """A program of which nothing started is a span gets the settings, and no trace."""
    with capture(endpoint="http://127.0.0.1:9"), spyglass.session(user="u"):
        found = shown()
    assert found["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:9"
    assert found["CLAUDE_CODE_ENABLE_TELEMETRY"] == "1"
    assert {"TRACEPARENT", "BAGGAGE"}.isdisjoint(found)


def test_without_init_or_switched_off_nothing_is_handed_on() -> None:
    """The environment is the very same without spyglass, and with carry_to_subprocesses off."""
    original = subprocess.Popen.__init__
    plain = shown()
    with capture():
        assert subprocess.Popen.__init__ is not original
    with capture(carry_to_subprocesses=False), spyglass.agent("boss"):
        assert subprocess.Popen.__init__ is original
        assert shown() == plain
    assert subprocess.Popen.__init__ is original
    assert shown() == plain


def test_a_broken_span_does_not_stop_a_program(said: pytest.LogCaptureFixture) -> None:
    """Where the context cannot be told, the program starts as ever, and one line says so."""

    class Broken(trace.NonRecordingSpan):
        def get_span_context(self) -> trace.SpanContext:
            raise RuntimeError("broken")

    plain = shown()
    with capture():
        token = attach(trace.set_span_in_context(Broken(trace.INVALID_SPAN_CONTEXT)))
        try:
            assert shown() == plain
            assert shown(env={"A": "b"})["A"] == "b"
        finally:
            detach(token)
    assert said.text.count("could not hand the context to a program") == 1


def test_every_way_to_start_a_program_hands_it_on() -> None:
    """Shells, positional arguments, subclasses, threads, asyncio and anyio hand the trace to the child."""

    class Own(subprocess.Popen[bytes]):
        pass

    async def by_asyncio() -> str:
        process = await asyncio.create_subprocess_shell("echo $TRACEPARENT", stdout=asyncio.subprocess.PIPE)
        return (await process.communicate())[0].decode()

    async def by_anyio() -> str:
        return (await anyio.run_process(["/bin/sh", "-c", "echo $TRACEPARENT"])).stdout.decode()

    found: list[str] = []
    shell = ["/bin/sh", "-c", "echo $TRACEPARENT"]
    with capture(), spyglass.agent("boss") as boss:
        found.append(subprocess.check_output("echo $TRACEPARENT", shell=True, text=True))  # noqa: S602 -- our own words
        with Own(shell, -1, None, None, subprocess.PIPE, None, None, True, False, None, {}) as process:  # noqa: FBT003 -- the places of Popen
            found.append(process.communicate()[0].decode())
        thread = threading.Thread(target=lambda: found.append(subprocess.check_output(shell, text=True)))
        thread.start()
        thread.join()
        found += [asyncio.run(by_asyncio()), anyio.run(by_anyio)]
        expected = f"00-{boss.trace_id}-{boss.span_id}-01\n"
    assert found == [expected] * 5


def start(program: str, receiver: Receiver, **environ: str) -> None:
    """Run a program that starts spyglass by itself; it must end well and say nothing."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "SPYGLASS_PROBES": "none", "SPYGLASS_ENDPOINT": receiver.endpoint, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_program_continues_the_trace_it_was_started_in(receiver: Receiver) -> None:
    """The spans of a child that uses spyglass hang under its starter's span and belong to its session."""
    program = (
        "import spyglass, subprocess, sys\n"
        f"spyglass.init(endpoint={receiver.endpoint!r}, probes='none', instrument='none', service='outer')\n"
        "with spyglass.session(user='u', project='p'), spyglass.agent('boss'):\n"
        f"    subprocess.run([sys.executable, '-c', {CHILD!r}], check=True)\n"
    )
    start(program, receiver)
    inner, outer = (receiver.span(name) for name in ("execute_tool inner", "invoke_agent boss"))
    assert (inner["trace_id"], inner["parent_span_id"]) == (outer["trace_id"], outer["span_id"])
    assert (inner["attributes"]["user.id"], inner["attributes"]["spyglass.project"]) == ("u", "p")
    assert inner["resource"]["service.name"] != "outer"


def test_a_traceparent_from_outside_is_followed_by_threads_and_tasks(receiver: Receiver) -> None:
    """Everything of a process that was started with TRACEPARENT is in that trace, until propagate is off."""
    program = (
        "import asyncio, spyglass, threading\n"
        "spyglass.init(instrument='none')\n"
        "work = spyglass.tool('t')(lambda: None)\n"
        "async def main(): work()\n"
        "work(); asyncio.run(main())\n"
        "thread = threading.Thread(target=work); thread.start(); thread.join()\n"
    )
    start(program, receiver, TRACEPARENT=OWN, BAGGAGE="spyglass.session=s")
    spans = receiver.spans()
    assert [(span["trace_id"], span["parent_span_id"]) for span in spans] == [(OWN[3:35], OWN[36:52])] * 3
    assert {span["attributes"]["session.id"] for span in spans} == {"s"}
    start(program, receiver, TRACEPARENT=OWN, SPYGLASS_PROPAGATE="false")
    start(program, receiver, TRACEPARENT="00-zz-1-01", BAGGAGE=";;=,")
    assert {span["parent_span_id"] for span in receiver.spans()[3:]} == {""}


def test_what_a_child_says_in_init_goes_before_what_it_was_handed(receiver: Receiver) -> None:
    """The parent's endpoint and content, handed on by themselves, do not override the arguments of the child's init."""
    child = f"spyglass.init(endpoint={receiver.endpoint!r}, content='full', probes='none', instrument='none')"
    child = f"import spyglass; {child}; spyglass.tool('inner')(lambda: 'text')()"
    program = (
        "import spyglass, subprocess, sys\n"
        "spyglass.init(endpoint='http://127.0.0.1:9', content='off', probes='none', instrument='none', logs=False)\n"
        "with spyglass.agent('boss'):\n"
        f"    subprocess.run([sys.executable, '-c', {child!r}], check=True)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, capture_output=True)
    assert receiver.span("execute_tool inner")["attributes"]["gen_ai.tool.call.result"] == "text"
