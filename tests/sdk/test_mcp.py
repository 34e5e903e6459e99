"""The context of a request of MCP, in client and server of two processes, in both majors of mcp."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sdk.environments import environment
from tests.sdk.receiver import Receiver

CLIENT = Path(__file__).parent / "scripts" / "mcp_client.py"


@pytest.fixture(scope="module")
def mcp_1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with mcp 1."""
    return environment(tmp_path_factory.mktemp("mcp"), "mcp==1.30.0")


def call(python: str, receiver: Receiver, *words: str) -> None:
    """Run the client; its answers must be right, its tools below the agent that called them, in its session."""
    done = subprocess.run(
        [python, str(CLIENT), receiver.endpoint, *words],
        env={name: value for name, value in os.environ.items() if name != "TRACEPARENT"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "['2', '3', '4']\n"), done.stderr
    assert "spyglass" not in done.stderr


def under(receiver: Receiver) -> list[str]:
    """Return the name of the first of our own spans above each call of the tool."""
    spans = {span["span_id"]: span for span in receiver.spans()}
    found = []
    for span in [span for span in spans.values() if span["name"] == "execute_tool add"]:
        above = spans[span["parent_span_id"]]
        while above["scope"] != "spyglass":
            above = spans[above["parent_span_id"]]
        assert span["trace_id"] == above["trace_id"]
        found.append(above["name"])
    return found


def test_mcp_2_carries_the_context_by_itself(receiver: Receiver) -> None:
    """Tools of a server hang under the agent that called them, with the spans of mcp in between, in its session."""
    call(sys.executable, receiver)
    assert under(receiver) == ["invoke_agent boss"] * 3
    tools = [span for span in receiver.spans() if span["name"] == "execute_tool add"]
    assert {span["attributes"].get("user.id") for span in tools} == {"u"}
    assert "mcp-python-sdk" in {span["scope"] for span in receiver.spans()}


@pytest.mark.parametrize("words", [[], ["early"]])
def test_mcp_1_is_helped(receiver: Receiver, mcp_1: Path, words: list[str]) -> None:
    """The same with mcp 1, imported after init() or before, though it carries nothing by itself."""
    call(str(mcp_1), receiver, *words)
    assert under(receiver) == ["invoke_agent boss"] * 3
    tools = [span for span in receiver.spans() if span["name"] == "execute_tool add"]
    assert {span["attributes"].get("user.id") for span in tools} == {"u"}
    assert {span["scope"] for span in receiver.spans()} == {"spyglass"}


def test_fastmcp_is_helped(receiver: Receiver, tmp_path: Path) -> None:
    """The same with a server of fastmcp, which by itself hangs all calls under the span that started the server."""
    call(str(environment(tmp_path, "fastmcp==4.1.2")), receiver, "fastmcp")
    assert under(receiver) == ["invoke_agent boss"] * 3
    tools = [span for span in receiver.spans() if span["name"] == "execute_tool add"]
    assert {span["attributes"].get("user.id") for span in tools} == {"u"}
    assert "fastmcp" in {span["scope"] for span in receiver.spans()}
