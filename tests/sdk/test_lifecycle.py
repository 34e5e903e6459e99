"""init(), shutdown() and what the application had before."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import spyglass
from spyglass.sdk.providers import Globals
from spyglass.sdk.state import state
from spyglass.testing import capture
from tests.sdk.receiver import Receiver

QUIET: dict[str, Any] = {"probes": "none", "instrument": "none", "metric_interval_ms": 600_000}


def warnings(said: pytest.LogCaptureFixture) -> list[str]:
    """Return what was warned of."""
    return [record.getMessage() for record in said.records if record.levelno >= logging.WARNING]


def test_importing_spyglass_imports_no_telemetry() -> None:
    """Importing spyglass is light: neither OpenTelemetry nor requests nor asyncio comes with it."""
    heavy = "{'opentelemetry', 'requests', 'asyncio', 'multiprocessing', 'psutil', 'google'}"
    program = f"import sys, spyglass; print(sorted({heavy} & {{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=True, text=True)
    assert done.stdout == "[]\n"


def test_a_second_init_warns_and_does_nothing(receiver: Receiver, said: pytest.LogCaptureFixture) -> None:
    """init() twice keeps the first."""
    spyglass.init(service="first", endpoint=receiver.endpoint, **QUIET)
    spyglass.init(service="second", endpoint=receiver.endpoint, **QUIET)
    with spyglass.tool("t"):
        pass
    spyglass.flush(10)
    assert receiver.spans()[0]["resource"]["service.name"] == "first"
    assert warnings(said) == ["spyglass.init() was called again and does nothing; call spyglass.shutdown() before."]


def test_init_works_again_after_shutdown(receiver: Receiver) -> None:
    """After shutdown() a new init() starts anew, for foreign tracers too."""
    for name in ("first", "second"):
        spyglass.init(service=name, endpoint=receiver.endpoint, **QUIET)
        with spyglass.tool(name), trace.get_tracer(f"foreign-{name}").start_as_current_span("alien"):
            pass
        spyglass.shutdown()
    found = [(span["name"], span["resource"]["service.name"]) for span in receiver.spans()]
    assert found == [
        ("alien", "first"),
        ("execute_tool first", "first"),
        ("alien", "second"),
        ("execute_tool second", "second"),
    ]


def test_disabled_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """SPYGLASS_DISABLED=1 leaves the program without telemetry, silently."""
    monkeypatch.setenv("SPYGLASS_DISABLED", "1")
    spyglass.init(service="s")
    assert state.runtime is None
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def test_the_environment_comes_before_arguments(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    """SPYGLASS_SERVICE wins over init(service=…)."""
    monkeypatch.setenv("SPYGLASS_SERVICE", "from-environment")
    spyglass.init(service="from-argument", endpoint=receiver.endpoint, **QUIET)
    with spyglass.tool("t"):
        pass
    spyglass.flush(10)
    assert receiver.spans()[0]["resource"]["service.name"] == "from-environment"


@pytest.mark.parametrize(
    ("environment", "arguments", "sentences"),
    [
        ({"SPYGLASS_QUEUE_SIZE": "many"}, {}, ["SPYGLASS_QUEUE_SIZE: 'many' is not a whole number."]),
        ({}, {"queue_size": "many"}, ["SPYGLASS_QUEUE_SIZE: 'many' is not a whole number."]),
        ({}, {"content": "everything"}, ["SPYGLASS_CONTENT: 'everything' is none of off, metadata, full."]),
        ({}, {"servise": "x"}, ["servise: no such setting. Did you mean service?"]),
        ({"SPYGLASS_SERVISE": "x"}, {}, ["SPYGLASS_SERVISE: no such setting. Did you mean SPYGLASS_SERVICE?"]),
        (
            {"SPYGLASS_QUEUE_SIZE": "many", "SPYGLASS_REDACT": "perhaps"},
            {"queue_size": "few"},
            ["'many' is not a whole number.", "'few' is not a whole number.", "'perhaps' is not true or false."],
        ),
    ],
)
def test_a_bad_setting_is_one_warning_and_telemetry_runs_on(  # noqa: PLR0917 -- pytest passes by name
    environment: dict[str, str],
    arguments: dict[str, Any],
    sentences: list[str],
    monkeypatch: pytest.MonkeyPatch,
    receiver: Receiver,
    said: pytest.LogCaptureFixture,
) -> None:
    """A setting that cannot be read keeps its default; one warning says which, and what was meant."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    spyglass.init(endpoint=receiver.endpoint, **QUIET, **arguments)
    with spyglass.tool("t"):
        pass
    assert spyglass.flush(10)
    assert len(receiver.spans()) == 1
    assert len(warnings(said)) == 1
    for sentence in sentences:
        assert sentence in warnings(said)[0]


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4318", "grpc://host:4317", "http://", ""])
def test_an_address_that_is_none_switches_off_with_a_sentence(endpoint: str, said: pytest.LogCaptureFixture) -> None:
    """Without a usable endpoint there is nothing to send to: off, and said."""
    spyglass.init(endpoint=endpoint or "x", **QUIET)
    assert state.runtime is None
    assert "spyglass is off: SPYGLASS_ENDPOINT:" in warnings(said)[0]
    assert "is no http:// or https:// address." in warnings(said)[0]


def test_a_broken_settings_file_switches_off_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: pytest.LogCaptureFixture
) -> None:
    """A file may hold what keeps content back, so a broken one is not simply passed over."""
    file = tmp_path / "spyglass.toml"
    file.write_text("content = \n")
    monkeypatch.setenv("SPYGLASS_CONFIG", str(file))
    spyglass.init(**QUIET)
    assert state.runtime is None
    assert warnings(said)[0].startswith(f"spyglass is off: {file}: not a TOML file")


def test_init_never_raises(monkeypatch: pytest.MonkeyPatch, said: pytest.LogCaptureFixture) -> None:
    """Whatever fails inside, the application gets one warning and runs on."""

    def fail(*_: object) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr("spyglass.sdk.providers.resource", fail)
    spyglass.init(service="s", **QUIET)
    assert state.runtime is None
    assert warnings(said) == ["spyglass is off, for it could not start: RuntimeError('no luck')."]


def test_probes_that_fail_leave_tracing_alone(monkeypatch: pytest.MonkeyPatch, said: pytest.LogCaptureFixture) -> None:
    """Probes that cannot start are one warning; spans are recorded."""
    import spyglass.probes  # noqa: PLC0415 -- only to break it

    def fail(*_: object) -> None:
        raise OSError("no /proc")

    monkeypatch.setattr(spyglass.probes, "start", fail)
    with capture(probes="process") as captured, spyglass.tool("t"):
        pass
    assert len(captured.spans) == 1
    assert warnings(said) == ["spyglass: the probes could not start: OSError('no /proc')."]


def test_probes_run_inside_the_process(receiver: Receiver) -> None:
    """init() starts the probes of the settings, which send to the same collector with the same instance id."""
    spyglass.init(
        service="probed", endpoint=receiver.endpoint, probes="process", instrument="none", metric_interval_ms=200
    )
    receiver.wait(lambda: any(name.startswith("process.") for name in receiver.metric_names()))


class Foreign:
    """A tracer provider of an application, installed before spyglass."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))


def test_an_sdk_provider_of_the_application_is_joined(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver, said: pytest.LogCaptureFixture
) -> None:
    """The application's provider stays; spyglass sends all its spans, and sends its own through it, redacted."""
    foreign = Foreign()
    monkeypatch.setattr(Globals, "foreign_tracer_provider", lambda _: foreign.provider)
    spyglass.init(endpoint=receiver.endpoint, content="full", **QUIET)
    with foreign.provider.get_tracer("app").start_as_current_span("alien"), spyglass.agent("a") as agent:
        agent.input("ann@example.org")
    assert spyglass.flush(10)
    names = sorted(span["name"] for span in receiver.spans())
    assert names == ["alien", "invoke_agent a"]
    theirs = foreign.exporter.get_finished_spans()
    assert sorted(span.name for span in theirs) == names
    assert "ann@example.org" not in str([dict(span.attributes or {}) for span in theirs])
    assert "joined the tracer provider" in said.text
    spyglass.shutdown()
    with foreign.provider.get_tracer("app").start_as_current_span("after"):
        pass
    assert len(receiver.spans()) == 2


def test_a_foreign_provider_that_is_no_sdk_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver, said: pytest.LogCaptureFixture
) -> None:
    """Where the application's provider takes no processor, spyglass sends its own spans and says so."""
    monkeypatch.setattr(Globals, "foreign_tracer_provider", lambda _: trace.NoOpTracerProvider())
    spyglass.init(endpoint=receiver.endpoint, **QUIET)
    with spyglass.agent("a"):
        pass
    assert spyglass.flush(10)
    assert [span["name"] for span in receiver.spans()] == ["invoke_agent a"]
    assert "cannot join the tracer provider" in warnings(said)[0]


def test_sampling_of_opentelemetry_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_TRACES_SAMPLER decides as it does everywhere; unsampled handles take every call."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    with capture(content="full") as captured, spyglass.agent("a") as agent, spyglass.tool("t") as tool:
        agent.input("x")
        tool.error("e", "m")
    assert captured.spans == []


def test_capture_counts_ids_and_time() -> None:
    """In memory, ids count up and the clock advances 1 ms at each reading."""
    with capture() as captured, spyglass.agent("a"):
        captured.clock.advance(2)
    span = captured.span("invoke_agent a")
    assert span.context is not None
    assert (span.context.trace_id, span.context.span_id) == (1, 1)
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time - span.start_time == 2_001_000_000
    with pytest.raises(LookupError, match="0 spans are named 'b'"):
        captured.span("b")
