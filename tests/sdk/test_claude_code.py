"""The real Claude Code as a program that an agent starts: one trace, and tools under who asked."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from spyglass.demo.provider import Provider
from tests.sdk.environments import environment
from tests.sdk.receiver import Receiver

CLIENT = Path(__file__).parent / "scripts" / "claude_client.py"


def test_claude_code_continues_the_trace_and_its_tools_find_back(receiver: Receiver, tmp_path: Path) -> None:
    """Claude Code sends by itself, below who started it if anyone; a tool of this process hangs under who asked."""
    python = environment(tmp_path / "environment", "claude-agent-sdk==0.2.187")
    home = tmp_path / "home"
    home.mkdir()
    with Provider() as provider:
        done = subprocess.run(
            [str(python), str(CLIENT), receiver.endpoint, provider.url, str(home)],
            env={"PATH": os.environ["PATH"], "HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    ids = {span["span_id"]: span["name"] for span in receiver.spans()}
    roots = [span for span in receiver.spans() if not ids.get(span["parent_span_id"])]
    alone, starter = sorted(roots, key=lambda span: str(span["name"]))
    assert (alone["name"], starter["name"]) == ("claude_code.interaction", "invoke_agent starter")
    trace = [span for span in receiver.spans() if span["trace_id"] != alone["trace_id"]]
    above = {span["name"]: ids.get(span["parent_span_id"]) for span in trace}
    assert above["claude_code.interaction"] == "invoke_agent starter"
    assert above["execute_tool inner"] == "tools/call add"
    assert above["tools/call add"] == "invoke_agent boss"
    assert len({span["trace_id"] for span in trace}) == 1
    called = receiver.span("tools/call add")["attributes"]
    assert called["gen_ai.tool.call.id"] == receiver.span("claude_code.tool")["attributes"]["gen_ai.tool.call.id"]
    assert called["user.id"] == "u"
    assert "claude_code.token.usage" in receiver.metric_names()
