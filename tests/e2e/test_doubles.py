"""One call that several instrumentors see is one call with one cost, through the real collector and warehouse."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from spyglass.demo.provider import Provider
from spyglass.demo.provider.truth import Call
from tests.conftest import Running, eventually
from tests.sdk.environments import beside

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

PACKAGES = (
    "opentelemetry-instrumentation-genai-openai==1.3b0",
    "opentelemetry-util-genai==1.3b0",
    "openinference-instrumentation-anthropic==3.1.0",
)
OWN_PROVIDER = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
import spyglass
spyglass.init()
"""
ASK_OPENAI = """
from openai import OpenAI
OpenAI().chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "What causes tides?"}])
"""
PROGRAMS = {
    "two instrumentors": """
from openinference.instrumentation.openai import OpenAIInstrumentor
import openai
OpenAIInstrumentor().instrument()
"""
    + ASK_OPENAI,
    "two instrumentors, whose spans nobody leaves out": OWN_PROVIDER
    + """
from openinference.instrumentation.openai import OpenAIInstrumentor
import openai
OpenAIInstrumentor().instrument()
"""
    + ASK_OPENAI,
    "native and an instrumentor": """
from anthropic import Anthropic
from openinference.instrumentation.anthropic import AnthropicInstrumentor
AnthropicInstrumentor().instrument()
messages = [{"role": "user", "content": "What causes tides?"}]
Anthropic().messages.create(model="claude-haiku-4-5", max_tokens=100, messages=messages)
""",
    "native and an instrumentor, whose spans nobody leaves out": OWN_PROVIDER
    + """
from anthropic import Anthropic
from openinference.instrumentation.anthropic import AnthropicInstrumentor
AnthropicInstrumentor().instrument()
messages = [{"role": "user", "content": "What causes tides?"}]
Anthropic().messages.create(model="claude-haiku-4-5", max_tokens=100, messages=messages)
""",
    "agent and provider": """
from agents import Agent, Runner
print(Runner.run_sync(Agent(name="guide", model="gpt-4o-mini"), "What causes tides?").final_output)
""",
    "agent and provider, whose spans nobody leaves out": OWN_PROVIDER
    + """
from agents import Agent, Runner
print(Runner.run_sync(Agent(name="guide", model="gpt-4o-mini"), "What causes tides?").final_output)
""",
}
QUESTION = """
    SELECT count() AS calls, count(cost_nano_usd) AS costs, sum(input_tokens) AS input, sum(output_tokens) AS output,
        (SELECT count() FROM spans FINAL WHERE project = {project:String} AND kind = 'llm') AS spans
    FROM llm_calls FINAL WHERE project = {project:String}
"""


@pytest.fixture(scope="session")
def instrumentors(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a path with further instrumentors."""
    return beside(tmp_path_factory.mktemp("instrumentors"), *PACKAGES)


@pytest.fixture(scope="session")
def served(
    running: Running, instrumentors: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[str, Call]]:
    """Run all programs, each as a project of its own, and return the call that each made."""
    found = {}
    for case, text in PROGRAMS.items():
        program = tmp_path_factory.mktemp("program") / "program.py"
        program.write_text(text)
        project = uuid.uuid4().hex[:12]
        found[case] = project, _run(program, running.endpoint, instrumentors, project, direct="nobody" in case)
    return found


def _run(program: Path, endpoint: str, instrumentors: str, project: str, *, direct: bool) -> Call:
    with Provider() as provider:
        environment = {
            **os.environ,
            **provider.environment(),
            "PYTHONPATH": instrumentors,
            "SPYGLASS_ENDPOINT": endpoint,
            "OTEL_RESOURCE_ATTRIBUTES": f"spyglass.project={project}",  # which providers of a program read too
            "SPYGLASS_PROBES": "none",
        }
        words = [sys.executable] if direct else [sys.executable, "-m", "spyglass", "run"]
        done = subprocess.run(
            [*words, program], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        (call,) = provider.truth.calls()
        return call


@pytest.mark.parametrize("case", PROGRAMS)
def test_one_call_and_one_cost(running: Running, served: dict[str, tuple[str, Call]], case: str) -> None:
    """A model call that two instrumentors report is counted, with its tokens and its cost, once."""
    project, call = served[case]

    def counted() -> dict[str, Any]:
        (row,) = running.warehouse.rows(QUESTION, project=project)
        return row

    row = eventually(counted, lambda row: row["costs"])  # a model that is new here gets its price a little later
    assert (row["calls"], row["costs"]) == (1, 1)
    assert (row["input"], row["output"]) == (call.input_tokens, call.output_tokens)
    if "nobody" in case:
        assert int(row["spans"]) == 2
