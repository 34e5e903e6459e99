"""Replay recordings into a receiver and compare what arrives with what was recorded."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spyglass.cli import main
from tests.demo.receiver import Receiver

RECORDINGS = Path(__file__).parents[1] / "fixtures" / "otlp"
SIGNALS = {"traces": "resourceSpans", "logs": "resourceLogs", "metrics": "resourceMetrics"}
SPAN: dict[str, Any] = {"traceId": "a" * 32, "spanId": "b" * 16, "name": "x", "startTimeUnixNano": "1000000000000"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Receive OTLP on a free port."""
    with Receiver() as running:
        yield running


def _trace(*spans: dict[str, Any]) -> dict[str, Any]:
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "s"}, "spans": list(spans)}]}]}


def _write(path: Path, *documents: dict[str, Any]) -> str:
    path.write_text("\n".join(map(json.dumps, documents)))
    return str(path)


def _spans(receiver: Receiver) -> list[dict[str, Any]]:
    return [
        span
        for document in receiver.documents("/v1/traces")
        for resource in document["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def _replay(receiver: Receiver, *words: str) -> int:
    return main(["replay", "--endpoint", receiver.url, *words])


def _values(node: Any, key: str) -> list[Any]:
    if isinstance(node, list):
        return [found for item in node for found in _values(item, key)]
    if isinstance(node, dict):
        return ([node[key]] if key in node else []) + [found for item in node.values() for found in _values(item, key)]
    return []


def test_all_recordings_arrive_as_they_were(receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    """Every span, log and point of every recording arrives, field by field, and is counted in the summary."""
    assert _replay(receiver, str(RECORDINGS), "--json") == 0
    for signal, key in SIGNALS.items():
        recorded = [json.loads(path.read_text()) for path in sorted(RECORDINGS.glob(f"*.{signal}.json"))]
        arrived = receiver.documents(f"/v1/{signal}")
        assert arrived == recorded
        assert _values(arrived, key)
    summary = json.loads(capsys.readouterr().out)
    assert summary["total"]["spans"] == len(_spans(receiver)) > 500
    points = [point for points in _values(receiver.documents("/v1/metrics"), "dataPoints") for point in points]
    assert summary["total"]["points"] == len(points) > 0
    records = [log for logs in _values(receiver.documents("/v1/logs"), "logRecords") for log in logs]
    assert summary["total"]["logs"] == len(records) > 0
    assert summary["total"]["refused"] == 0


def test_new_ids_are_consistent_over_files(receiver: Receiver, tmp_path: Path) -> None:
    """The same old id gets the same new one in traces, parents, links and logs of all files, and no old one is left."""
    child = {**SPAN, "spanId": "c" * 16, "parentSpanId": "b" * 16, "links": [{"traceId": "A" * 32, "spanId": "b" * 16}]}
    record = {"traceId": "a" * 32, "spanId": "c" * 16, "body": {"stringValue": "a" * 32}}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record, {"traceId": "", "spanId": ""}]}]}]}
    files = [
        _write(tmp_path / "1.json", _trace(SPAN)),
        _write(tmp_path / "2.json", _trace(child)),
        _write(tmp_path / "3.json", logs),
    ]
    assert _replay(receiver, *files, "--new-ids") == 0
    root, leaf = _spans(receiver)
    (joined, bare) = _values(receiver.documents("/v1/logs"), "logRecords")[0]
    assert root["traceId"] == leaf["traceId"] == leaf["links"][0]["traceId"] == joined["traceId"] != SPAN["traceId"]
    assert root["spanId"] == leaf["parentSpanId"] == leaf["links"][0]["spanId"] != SPAN["spanId"]
    assert joined["spanId"] == leaf["spanId"] != child["spanId"]
    assert joined["body"] == record["body"]
    assert bare == {"traceId": "", "spanId": ""}


def test_two_calls_renew_ids_differently(receiver: Receiver, tmp_path: Path) -> None:
    """A recording replayed twice with new ids is two different traces."""
    file = _write(tmp_path / "1.json", _trace(SPAN))
    assert [_replay(receiver, file, "--new-ids") for _ in range(2)] == [0, 0]
    assert len({span["traceId"] for span in _spans(receiver)}) == 2


def test_times_are_shifted_together(receiver: Receiver, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All times of all files move by one shift, which brings the newest to now; an absent time stays absent."""
    event = {"timeUnixNano": "1500000000000", "name": "e"}
    span = {**SPAN, "endTimeUnixNano": 2_000_000_000_000, "events": [event]}
    exemplar = {"timeUnixNano": "1700000000000", "traceId": "a" * 32}
    point = {"startTimeUnixNano": "0", "timeUnixNano": "1900000000000", "exemplars": [exemplar], "asInt": "1"}
    metric = {"name": "m", "sum": {"dataPoints": [point]}}
    metrics = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    files = [_write(tmp_path / "1.json", _trace(span)), _write(tmp_path / "2.json", metrics)]
    assert _replay(receiver, *files, "--shift-to-now", "--json") == 0
    shift = round(json.loads(capsys.readouterr().out)["shift_seconds"])
    moved = {key: _values(receiver.documents("/v1/traces"), key)[0] for key in ("startTimeUnixNano", "timeUnixNano")}
    newest = int(_spans(receiver)[0]["endTimeUnixNano"])
    assert newest // 10**9 - 2000 == pytest.approx(shift, abs=1)
    assert newest - int(moved["startTimeUnixNano"]) == 10**12
    assert newest - int(moved["timeUnixNano"]) == 5 * 10**11
    (sent,) = _values(receiver.documents("/v1/metrics"), "dataPoints")[0]
    assert newest - int(sent["timeUnixNano"]) == 10**11
    assert newest - int(sent["exemplars"][0]["timeUnixNano"]) == 3 * 10**11
    assert sent["startTimeUnixNano"] == "0"


def test_a_shift_that_ends_before_1970_is_refused(
    receiver: Receiver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Recordings with a time of 1970 beside one of 2100 cannot end now, and nothing is sent."""
    late = {**SPAN, "startTimeUnixNano": str(4_102_444_800 * 10**9)}
    assert _replay(receiver, _write(tmp_path / "1.json", _trace(SPAN, late)), "--shift-to-now") == 2
    assert "span 130 years" in capsys.readouterr().err
    assert not receiver.requests


def test_json_lines_and_gzip_are_read(receiver: Receiver, tmp_path: Path) -> None:
    """A file of one request per line, with blank lines between, is read as it is and compressed."""
    lines = "\n" + "\n\n".join(json.dumps(_trace({**SPAN, "name": str(number)})) for number in range(3)) + "\n"
    (tmp_path / "plain.jsonl").write_text(lines)
    (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    assert _replay(receiver, str(tmp_path)) == 0
    assert [span["name"] for span in _spans(receiver)] == ["0", "1", "2"] * 2


def test_a_large_request_is_sent_in_pieces(receiver: Receiver, tmp_path: Path) -> None:
    """A request above 4 MiB is cut into several, in order and with their resource and scope."""
    text = {"key": "k", "value": {"stringValue": "x" * 10_000}}
    spans = [{**SPAN, "name": str(number), "attributes": [text]} for number in range(1000)]
    assert _replay(receiver, _write(tmp_path / "1.json", _trace(*spans))) == 0
    assert len(receiver.requests) > 2
    assert all(len(request.body) <= 4 * 1024 * 1024 for request in receiver.requests)
    assert [span["name"] for span in _spans(receiver)] == [str(number) for number in range(1000)]
    for document in receiver.documents("/v1/traces"):
        assert document["resourceSpans"][0]["scopeSpans"][0]["scope"] == {"name": "s"}


def test_unknown_fields_and_odd_numbers_are_kept(receiver: Receiver, tmp_path: Path) -> None:
    """A field of a newer protocol arrives, and a bare NaN becomes the text that OTLP/JSON has for it."""
    path = tmp_path / "1.json"
    path.write_text(json.dumps(_trace({**SPAN, "newField": [1], "odd": float("nan"), "far": float("-inf")})))
    assert _replay(receiver, str(path)) == 0
    (span,) = _spans(receiver)
    assert (span["newField"], span["odd"], span["far"]) == ([1], "NaN", "-Infinity")


def test_a_busy_collector_is_asked_again(receiver: Receiver, tmp_path: Path) -> None:
    """Requests answered with a retryable status are repeated until they are acknowledged."""
    receiver.answers.extend([(503, {}, b""), (429, {"Retry-After": "0"}, b""), (502, {}, b"")])
    assert _replay(receiver, _write(tmp_path / "1.json", _trace(SPAN))) == 0
    assert len(_spans(receiver)) == 1


def test_what_the_collector_refuses_is_named(
    receiver: Receiver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refusal makes the exit code 1 and is printed with its reason; the other files are sent all the same."""
    files = [_write(tmp_path / f"{number}.json", _trace({**SPAN, "name": str(number)})) for number in range(3)]
    partial = {"partialSuccess": {"rejectedSpans": "1", "errorMessage": "too old"}}
    receiver.answers.append((400, {}, b'{"code": 3, "message": "no good"}'))
    receiver.answers.append((200, {}, json.dumps(partial).encode()))
    assert _replay(receiver, *files, "--json") == 1
    printed = capsys.readouterr()
    assert "0.json: the collector refused 1 of its items: status 400, no good" in printed.err
    assert "1.json: the collector refused 1 of its items: too old" in printed.err
    assert json.loads(printed.out)["total"] == {"spans": 1, "logs": 0, "points": 0, "requests": 3, "refused": 2}


def test_a_dead_port_is_named_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An endpoint where nothing listens is one sentence and exit code 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening: connections are refused
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert main(["replay", "--endpoint", endpoint, _write(tmp_path / "1.json", _trace(SPAN))]) == 1
    printed = capsys.readouterr()
    assert f"The collector at {endpoint} does not take requests (connection refused)." in printed.err
    assert "--endpoint" in printed.err


@pytest.mark.parametrize("endpoint", ["localhost:4318", "ftp://127.0.0.1:1", "http://"])
def test_an_endpoint_that_is_no_address_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], endpoint: str
) -> None:
    """An endpoint without scheme or host is named, with an example."""
    assert main(["replay", "--endpoint", endpoint, _write(tmp_path / "1.json", _trace(SPAN))]) == 2
    assert "is no http or https address. Example: http://127.0.0.1:4318" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty."),
        (b" \n\n", "is empty."),
        (b"hello", "is not JSON"),
        (b'{"resourceSpans": [', "is not JSON"),
        (b"\xff\xfe{}", "is not UTF-8 text."),
        (b"[" * 100_000, "is nested too deeply"),
        (b"[1, 2]", "is JSON, but not OTLP."),
        (b'{"spans": []}', "is JSON, but not OTLP."),
        (b'{"resourceSpans": []}', "holds no spans, logs or metric points."),
        (b'{"resourceSpans": [3]}', "must be lists of objects"),
        (b'{"resourceSpans": {"a": 1}}', "must be lists of objects"),
        (b'{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"sum": [1]}]}]}]}', "must be lists of objects"),
        (json.dumps(_trace({**SPAN, "traceId": "qqqqqqqqqqqqqqqqqqqqqg=="})).encode(), "32 hexadecimal digits"),
        (json.dumps(_trace({**SPAN, "endTimeUnixNano": "soon"})).encode(), "is no time in nanoseconds"),
        (json.dumps(_trace({**SPAN, "endTimeUnixNano": -1})).encode(), "is no time in nanoseconds"),
        (json.dumps(_trace(SPAN)).encode() + b"\n{}\n", "line 2 is JSON, but not OTLP."),
        (json.dumps(_trace(SPAN)).encode() + b'\n\n{"resourceSp', "line 3 is not JSON"),
        (json.dumps(_trace({**SPAN, "flags": 1}))[:-6].encode() + b"1e999}]}]}]}", "is not JSON"),
    ],
)
def test_bad_files_are_named_and_nothing_is_sent(
    receiver: Receiver, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, sentence: str
) -> None:
    """A bad file is one sentence and exit code 2, and the good file beside it is not sent."""
    (tmp_path / "bad.json").write_bytes(content)
    good = _write(tmp_path / "good.json", _trace(SPAN))
    assert _replay(receiver, good, str(tmp_path / "bad.json")) == 2
    bad, nothing = capsys.readouterr().err.splitlines()
    assert "bad.json: " in bad
    assert sentence in bad
    assert nothing == "spyglass: Nothing was sent."
    assert not receiver.requests


def test_a_damaged_gzip_file_is_named(receiver: Receiver, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A compressed recording that was cut off is one sentence."""
    (tmp_path / "cut.json.gz").write_bytes(gzip.compress(json.dumps(_trace(SPAN)).encode())[:-12])
    assert _replay(receiver, str(tmp_path)) == 2
    assert "cut.json.gz: cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(("place", "sentence"), [("absent.json", "does not exist."), ("", "holds no recordings.")])
def test_places_without_recordings_are_named(
    receiver: Receiver, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, sentence: str
) -> None:
    """A missing file and a folder without recordings are one sentence each."""
    assert _replay(receiver, str(tmp_path / place)) == 2
    assert sentence in capsys.readouterr().err


def test_the_token_is_sent(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token file's content goes along as a bearer token; a missing one is named before anything is sent."""
    file = _write(tmp_path / "1.json", _trace(SPAN))
    monkeypatch.setenv("SPYGLASS_TOKEN_FILE", str(tmp_path / "token"))
    assert _replay(receiver, file) == 2
    (tmp_path / "token").write_text("planted\n")
    assert _replay(receiver, file) == 0
    assert [request.authorization for request in receiver.requests] == ["Bearer planted"]


def test_the_command_runs_on_its_own(receiver: Receiver, tmp_path: Path) -> None:
    """The installed command replays and prints a table with a total."""
    words = ["replay", "--endpoint", receiver.url, _write(tmp_path / "1.json", _trace(SPAN))]
    done = subprocess.run([sys.executable, "-m", "spyglass", *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == ["total", "1", "0", "0", "1", "0"]
