"""From one agent call to three stores, with exact numbers."""

import json
import subprocess
import sys
import textwrap
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spyglass.bench.senders import INPUT_TOKENS, Burst, Sender, Tally, send, spans
from tests.conftest import Running, eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

# gpt-5-mini on that day: $0.25 in, $0.025 cached, $2.00 out per million tokens.
COST = 600 * 250 + 400 * 25 + 100 * 2000
EXECUTION = "SELECT agent, llm_calls, tool_calls, status, token_cost_nano_usd FROM fact_agent_executions"
AGENT = """
    import logging, sys, spyglass
    from opentelemetry import trace
    spyglass.init(service=sys.argv[1], endpoint=sys.argv[2], content="full", probes="none", instrument="none")
    with spyglass.session(organization="acme", project="support", user="u-1", session="s-1"):
        with spyglass.agent("planner") as run:
            logging.getLogger("app").warning("planning")
            with spyglass.llm_call("gpt-5-mini", provider="openai") as call:
                call.input("Where is it sunny?")
                call.output("In Paris.")
                call.usage(input_tokens=1000, output_tokens=100, cache_read_tokens=400, reasoning_tokens=20)
                call.response(model="gpt-5-mini-2025-08-07", id="resp-1")
                call.finish("stop")
            with spyglass.tool("weather") as tool:
                tool.arguments({"city": "Paris"})
                tool.result("sunny")
                verdict = {"gen_ai.evaluation.name": "grounded", "gen_ai.evaluation.score.value": 0.5}
                trace.get_current_span().add_event("gen_ai.evaluation.result", verdict)
        spyglass.feedback(run.trace_id, "helpful", 0.0, source="user")
        spyglass.feedback(run.trace_id, "helpful", 1.0, explanation="sunny indeed", source="user")
        spyglass.feedback(run, "polite", label="yes", source="judge")
    spyglass.shutdown()
    print(run.trace_id)
"""


def run_agent(running: Running, service: str) -> str:
    """Run a program with one agent and return its trace id."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(AGENT), service, running.endpoint],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_one_agent_call_reaches_every_store(running: Running) -> None:
    """A run is in the warehouse with its tokens, cost, texts and log, in Tempo, and counted by Prometheus."""
    service = f"spine-{uuid.uuid4().hex[:8]}"
    trace = run_agent(running, service)
    query = (
        "SELECT kind, name, agent, tool, status, user_id, session_id, input_tokens, cost_nano_usd, cost_source, model"
    )
    rows = eventually(
        lambda: running.warehouse.rows(
            f"{query} FROM spans WHERE trace_id = {{trace:String}} ORDER BY timestamp", trace=trace
        ),
        lambda found: len(found) == 3 and found[1]["cost_source"] == "computed",
    )
    assert [row["kind"] for row in rows] == ["agent", "llm", "tool"]
    assert {row["agent"] for row in rows} == {"planner"}
    assert {(row["user_id"], row["session_id"]) for row in rows} == {("u-1", "s-1")}
    assert rows[1]["cost_nano_usd"] == COST
    (content,) = running.warehouse.rows(
        "SELECT input, output FROM span_content WHERE trace_id = {trace:String} AND kind = 'llm'", trace=trace
    )
    assert "Where is it sunny?" in content["input"]
    assert "In Paris." in content["output"]
    (log,) = eventually(
        lambda: running.warehouse.rows(
            "SELECT body, span_id FROM logs WHERE trace_id = {t:String} AND body != ''", t=trace
        )
    )
    assert log["body"] == "planning"
    found = eventually(lambda: running.tempo.trace(trace))
    assert found
    assert "Where is it sunny?" not in str(found), "Tempo gets no bodies"
    labels = f'service_name="{service}",spyglass_organization="acme",spyglass_project="support"'
    calls = f'sum(spyglass_calls_total{{{labels},spyglass_kind="agent",gen_ai_agent_name="planner"}})'
    assert eventually(lambda: running.prometheus.value(calls)) == 1
    assert running.prometheus.value(f"sum(spyglass_llm_input_tokens_total{{{labels}}})") == 1000


def test_a_run_becomes_one_execution(running: Running) -> None:
    """The finaliser writes one row for the agent's run, with its calls and what they cost."""
    trace = run_agent(running, f"spine-{uuid.uuid4().hex[:8]}")
    (run,) = eventually(
        lambda: running.warehouse.rows(f"{EXECUTION} WHERE trace_id = {{trace:String}}", trace=trace),
        lambda found: found and found[0]["token_cost_nano_usd"] is not None,
    )
    assert (run["agent"], run["llm_calls"], run["tool_calls"], run["status"]) == ("planner", 1, 1, "unset")
    assert run["token_cost_nano_usd"] == COST


def test_evaluations_are_typed_and_the_newest_stands(running: Running) -> None:
    """Feedback and an evaluation event on a span are rows of the trace and its tenant; the corrected one counts."""
    trace = run_agent(running, f"spine-{uuid.uuid4().hex[:8]}")
    rows = eventually(
        lambda: running.warehouse.rows(
            "SELECT name, score, label, explanation, source, user_id, span_id != '' AS of_span, "
            "concat(organization, '/', project) AS tenant FROM evaluations WHERE trace_id = {t:String} ORDER BY name",
            t=trace,
        ),
        lambda found: len(found) == 3 and found[1]["score"] == 1,
    )
    shared = {"label": "", "explanation": "", "source": "user", "user_id": "u-1", "tenant": "acme/support"}
    assert rows == [
        shared | {"name": "grounded", "score": 0.5, "source": "", "user_id": "", "of_span": 1},
        shared | {"name": "helpful", "score": 1, "explanation": "sunny indeed", "of_span": 0},
        shared | {"name": "polite", "score": None, "label": "yes", "source": "judge", "of_span": 1},
    ]
    query = "SELECT count() AS n FROM logs WHERE trace_id = {t:String} AND event_name = 'gen_ai.evaluation.result'"
    assert running.warehouse.rows(query, t=trace) == [{"n": 3}], "each that was given is kept as a log"


def test_a_thousand_spans_from_twenty_senders_are_counted_exactly(running: Running) -> None:
    """1,000 spans of 20 concurrent senders are 1,000 calls and their exact tokens, also as an increase."""
    service = f"twenty-{uuid.uuid4().hex[:8]}"
    tally = send(running.settings.port("otlp_http"), Burst(service, 1000, senders=20, per_request=5))
    assert (tally.acknowledged, tally.refused) == (200, 0)
    _assert_counted(running, service, 1000)


def test_two_processes_of_one_service_add_up(running: Running) -> None:
    """600 spans of one instance and 400 of another are 1,000 calls of their service."""
    service, port = f"two-{uuid.uuid4().hex[:8]}", running.settings.port("otlp_http")
    for instance, ids in (("one", range(1, 601)), ("two", range(601, 1001))):
        sender = Sender(port, Tally())
        for at in range(0, len(ids), 50):
            sender.post("/v1/traces", spans(service, ids[at : at + 50], instance))
        sender.close()
    _assert_counted(running, service, 1000)


def _assert_counted(running: Running, service: str, count: int) -> None:
    here = f'{{service_name="{service}"}}'
    calls, tokens = f"sum(spyglass_calls_total{here})", f"sum(spyglass_llm_input_tokens_total{here})"
    eventually(
        lambda: (running.prometheus.value(calls), running.prometheus.value(tokens)),
        lambda got: got == (count, count * INPUT_TOKENS),
    )
    assert running.prometheus.value(f"sum(spyglass_duration_seconds_count{here})") == count
    query = "SELECT count() AS rows, uniqExact(span_id) AS spans FROM spans WHERE service = {s:String}"
    eventually(
        lambda: running.warehouse.rows(query, s=service), lambda stored: stored == [{"rows": count, "spans": count}]
    )


def test_the_same_spans_again_are_the_same_rows(running: Running) -> None:
    """A request that is sent again, in other batches, adds no row to the warehouse."""
    service, port = f"again-{uuid.uuid4().hex[:8]}", running.settings.port("otlp_http")
    body = spans(service, range(1, 101))
    parts = [body, body]
    sender = Sender(port, Tally())
    for part in parts:
        sender.post("/v1/traces", part)
    sender.close()
    rows = eventually(
        lambda: running.warehouse.rows("SELECT count() AS rows FROM spans WHERE service = {s:String}", s=service),
        lambda found: found[0]["rows"] == 100,
    )
    assert rows[0]["rows"] == 100


RECORDINGS = Path(__file__).parents[1] / "fixtures" / "otlp"


KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
OF_RECORDINGS = "service IN {services:Array(String)}"


def test_replay_of_all_recordings_loses_nothing(running: Running) -> None:
    """Every span, log and data point of all recordings is in the warehouse, and none is a dead letter."""
    before, expected, services = len(running.dead_letters()), _recorded(), _services()
    command = [sys.executable, "-m", "spyglass", "replay", "--endpoint", running.endpoint, "--shift-to-now"]
    done = subprocess.run([*command, str(RECORDINGS)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    def stored() -> Counter[str]:
        found: Counter[str] = Counter()
        for table in ("spans", "logs"):
            query = f"SELECT count() AS n FROM {table} WHERE {OF_RECORDINGS}"
            found[table] = running.warehouse.rows(query, services=services)[0]["n"]
        for kind in KINDS:
            query = f"SELECT count() AS n FROM metrics_{kind} WHERE ServiceName IN {{services:Array(String)}}"
            found["points"] += running.warehouse.rows(query, services=services)[0]["n"]
        return found

    assert eventually(stored, lambda found: found == expected) == expected
    assert len(running.dead_letters()) == before


def _recorded() -> Counter[str]:
    """Count spans, logs and data points in the recordings' files."""
    found: Counter[str] = Counter()
    for request in _requests():
        for resource in request.get("resourceSpans", []):
            found["spans"] += sum(len(scope["spans"]) for scope in resource["scopeSpans"])
        for resource in request.get("resourceLogs", []):
            found["logs"] += sum(len(scope["logRecords"]) for scope in resource["scopeLogs"])
        for resource in request.get("resourceMetrics", []):
            metrics = [metric for scope in resource["scopeMetrics"] for metric in scope["metrics"]]
            found["points"] += sum(
                len(value["dataPoints"]) for m in metrics for value in m.values() if _has_points(value)
            )
    return found


def _has_points(value: object) -> bool:
    return isinstance(value, dict) and "dataPoints" in value


def _services() -> list[str]:
    resources = [
        resource["resource"]["attributes"]
        for request in _requests()
        for key in ("resourceSpans", "resourceLogs", "resourceMetrics")
        for resource in request.get(key, [])
    ]
    named = [attribute for attributes in resources for attribute in attributes if attribute["key"] == "service.name"]
    return sorted({attribute["value"]["stringValue"] for attribute in named})


def _requests() -> Iterator[dict[str, Any]]:
    for path in sorted(RECORDINGS.glob("*.json")):
        yield json.loads(path.read_text())
