"""A file that is no recording with truth is one sentence, and nothing is started for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spyglass.cli import main

SPAN: dict[str, Any] = {
    "name": "x",
    "context": {"trace_id": f"0x{1:032x}", "span_id": f"0x{1:016x}", "trace_state": "[]"},
    "kind": "SpanKind.INTERNAL",
    "parent_id": None,
    "start_time": "2026-11-21T03:23:43.571379Z",
    "end_time": "2026-11-21T03:23:43.583937Z",
    "status": {"status_code": "UNSET"},
    "attributes": {},
    "events": [],
    "links": [],
    "resource": {"attributes": {"service.name": "shop"}, "schema_url": ""},
    "scope": {"name": "shop", "version": None},
}
CALL: dict[str, Any] = {"ok": True, "usage_reported": True, "input_tokens": 5, "output_tokens": 1}


def _recording(span: dict[str, Any] | None = None, call: dict[str, Any] | None = None, **changes: object) -> bytes:
    made = {"spans": [SPAN | (span or {})], "logs": [], "truth": {"calls": [CALL | (call or {})]}} | changes
    return json.dumps(made).encode()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not JSON"),
        (b'{"spans": [', "is not JSON"),
        (b"\xff\xfe{}", "is not UTF-8 text."),
        (b"[" * 100_000, "is not JSON"),
        (b"[1, 2]", "holds no list of spans."),
        (b'{"resourceSpans": []}', "holds no list of spans."),
        (_recording(spans={}), "holds no list of spans."),
        (_recording(truth=None), "holds no truth.calls"),
        (_recording(truth={"requests": 3}), "holds no truth.calls"),
        (_recording(truth={"calls": [3]}), "row 1 of truth.calls is no call"),
        (
            _recording(truth={"calls": [CALL, {"ok": True}]}),
            "row 2 of truth.calls is no call ('usage_reported' is missing)",
        ),
        (_recording(call={"input_tokens": None}), "row 1 of truth.calls is no call (usage was reported"),
        (_recording(call={"output_tokens": "many"}), "row 1 of truth.calls is no call (invalid literal"),
        (_recording(spans=["x"]), "its spans or logs are not what the SDK writes"),
        (_recording(spans=[{}]), "its spans or logs are not what the SDK writes ('resource' is missing)"),
        (_recording({"start_time": "soon"}), "its spans or logs are not what the SDK writes (Invalid isoformat"),
        (_recording({"end_time": None}), "its spans or logs are not what the SDK writes"),
        (_recording({"kind": "SpanKind.ODD"}), "its spans or logs are not what the SDK writes"),
        (_recording({"status": {"status_code": "MAYBE"}}), "its spans or logs are not what the SDK writes"),
        (_recording({"context": {"trace_id": "0x12", "span_id": "0x34"}}), "is not 32 hexadecimal digits"),
        (_recording(logs=[3]), "its spans or logs are not what the SDK writes"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, sentence: str) -> None:
    """A bad file beside a good one is one sentence and exit code 2, and no stack is started."""
    (tmp_path / "bad.json").write_bytes(content)
    (tmp_path / "good.json").write_bytes(_recording())
    assert main(["truth", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert line.startswith(f"spyglass: {tmp_path / 'bad.json'}: ")
    assert sentence in line
    assert printed.out == ""


@pytest.mark.parametrize(("place", "sentence"), [("absent.json", "does not exist."), ("", "holds no recordings.")])
def test_places_without_recordings_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, sentence: str
) -> None:
    """A missing file and an empty folder are one sentence each."""
    assert main(["truth", str(tmp_path / place)]) == 2
    assert sentence in capsys.readouterr().err
