"""Run programs of frameworks through ``spyglass run`` against the fake provider, and ask what the warehouse counts."""

from __future__ import annotations

import os
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from spyglass import stores
from spyglass.demo.provider import Call, Provider, Timing
from spyglass.settings import Settings
from spyglass.stack.local import LocalStack
from spyglass.truth import counting, replaying
from spyglass.truth.recordings import Served
from spyglass.truth.verdict import judge
from spyglass.warehouse import client, finaliser
from tests.conftest import eventually
from tests.frameworks.catalogue import Framework
from tests.frameworks.outcome import Outcome, Reporter

_PARTS = ("warehouse", "collector")
_PROGRAM_SECONDS = 180
# A real provider takes longer; what takes less than a millisecond counts as answered by a cache.
_TIMING = Timing(first_token_seconds=0.005)
# What a developer may have set must not decide what a program reports.
_LEFT_OUT = ("SPYGLASS_", "OTEL_", "OPENAI_", "ANTHROPIC_", "GEMINI_", "GOOGLE_", "PYTHON", "LANGSMITH_")
_TAKEN = "otelcol_receiver_accepted_spans"
_STORED = "SELECT uniqExact(trace_id, span_id) AS spans FROM spyglass.spans WHERE service = {service:String}"
_TRACES = "SELECT DISTINCT trace_id FROM spyglass.spans WHERE service = {service:String} ORDER BY trace_id"
_REPORTERS = """
SELECT DISTINCT scope_name AS scope, scope_version AS version FROM spyglass.spans
WHERE service = {service:String} AND kind IN ('llm', 'embedding', 'agent', 'tool')
ORDER BY scope, version
"""
_ASKED = """
SELECT countIf(hasAny(finish_reasons, ['tool_calls', 'tool_use', 'function_call'])) AS asked
FROM spyglass.llm_calls FINAL WHERE trace_id IN {traces:Array(String)}
"""
_LOST = """
SELECT uniqExact(trace_id, parent_span_id) AS lost FROM spyglass.spans
WHERE trace_id IN {traces:Array(String)} AND parent_span_id != ''
    AND (trace_id, parent_span_id) NOT IN
        (SELECT trace_id, span_id FROM spyglass.spans WHERE trace_id IN {traces:Array(String)})
"""


class ProgramFailedError(AssertionError):
    """A program did not end with 0."""


class Live:
    """Hold a warehouse and a collector that run."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._warehouse = client.admin(settings)
        self._endpoint = stores.address(settings, "otlp_http")

    def run(self, framework: Framework, python: Path, home: Path) -> Outcome:
        """Run a framework's program in an environment, at ``home``, and return what came of it.

        Raises ProgramFailedError when it does not end with 0.
        """
        before = self._accepted()
        with Provider(seed=framework.name, timing=_TIMING) as provider:
            variables = {**provider.environment(), **framework.environment}
            _run(framework, python, home, {**variables, "SPYGLASS_ENDPOINT": self._endpoint})
            calls = provider.truth.calls()
        self._wait(framework.name, self._accepted() - before)
        return self._outcome(framework, calls)

    def _wait(self, service: str, spans: int) -> None:
        """Return when the warehouse has seen so many spans, and the finaliser has counted them."""
        eventually(lambda: self._warehouse.rows(_STORED, service=service)[0]["spans"], lambda stored: stored >= spans)
        replaying.wait(self._warehouse, [replaying.Played(service, self._traces(service), spans)])
        for _ in finaliser.catch_up(self._warehouse, timedelta(0), patience_seconds=finaliser.PATIENCE_SECONDS):
            pass

    def _outcome(self, framework: Framework, calls: tuple[Call, ...]) -> Outcome:
        traces = self._traces(framework.name)
        # Agents without any call excuse nothing here: whether calls are reported is the question.
        counted = counting.count(self._warehouse, traces)._replace(unseen=())
        reporters = self._warehouse.rows(_REPORTERS, service=framework.name)
        return Outcome(
            verdict=judge(framework.name, [_served(call) for call in calls], counted),
            tools=sum(call.tool is not None for call in calls),
            asked=self._warehouse.rows(_ASKED, traces=traces)[0]["asked"],
            agents=framework.agents,
            lost=self._warehouse.rows(_LOST, traces=traces)[0]["lost"],
            reporters=tuple(Reporter(**row) for row in reporters),
        )

    def _traces(self, service: str) -> list[str]:
        return [row["trace_id"] for row in self._warehouse.rows(_TRACES, service=service)]

    def _accepted(self) -> int:
        """Return how many spans the collector has taken so far."""
        url = f"{stores.address(self._settings, 'collector_metrics')}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            families = text_string_to_metric_families(answer.read().decode())
            samples = [sample for family in families for sample in family.samples if family.name == _TAKEN]
        return int(sum(sample.value for sample in samples if sample.labels["receiver"] == "otlp"))


@contextmanager
def started() -> Iterator[Live]:
    """Yield a warehouse and a collector of their own, on free ports, and stop them."""
    with LocalStack(_PARTS) as stack:
        yield Live(stack.settings)


def _run(framework: Framework, python: Path, home: Path, variables: Mapping[str, str]) -> None:
    """Run a program as its user would; the time is what a stuck one gets before it is ended."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
    done = subprocess.run(
        [str(python), "-m", "spyglass", "run", "--service", framework.name, str(framework.program)],
        env={**kept, "HOME": str(home), "SPYGLASS_PROBES": "none", **variables},
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_PROGRAM_SECONDS,
        check=False,
    )
    if done.returncode:
        raise ProgramFailedError(f"its program ended with {done.returncode}: {done.stderr[-2000:]}")


def _served(call: Call) -> Served:
    if not call.usage_reported:
        return Served(call.ok, call.usage_reported, None, None, None, None)
    tokens = (call.input_tokens, call.output_tokens, call.cache_read_tokens, call.reasoning_tokens)
    return Served(call.ok, call.usage_reported, *tokens)
