"""Measure what normalising a span costs: the same recordings through real collectors, with the normaliser and without.

Both collectors receive protobuf over HTTP and give what they have to the debug exporter, which only counts. They take
turns, and of several turns the cheapest counts, because what else runs on the machine can only make a turn dearer.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import psutil
import yaml
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spyglass.assets import folder
from spyglass.bench.figures import Figure
from spyglass.errors import BenchError, UsageError
from spyglass.settings import load
from spyglass.stack.programs import locate

GOAL_MICROSECONDS = 6.0
RECORDINGS = "tests/fixtures/otlp"
TURNS, ROUNDS = 5, 40
READY_SECONDS = 20.0
# As the stack runs it.
ENVIRONMENT = {"GOGC": "200", "GOMEMLIMIT": "1GiB"}
IDS = {"traceId", "spanId", "parentSpanId"}


class Load(NamedTuple):
    """Hold the bodies of requests, and how many spans are in them."""

    bodies: list[bytes]
    spans: int


def measure(*, running: bool) -> list[Figure]:
    """Return the CPU for each span with the normaliser, without it, and the difference."""
    if running:
        raise UsageError("bench normalise starts collectors of its own.", "Leave out --stack.")
    load_ = recordings()
    with TemporaryDirectory() as place, _collector(Path(place), ()) as plain:
        normalise = (folder("collector-config") / "normalise.yaml",)
        with _collector(Path(place), normalise) as normalising:
            turns = [(_turn(plain, load_), _turn(normalising, load_)) for _ in range(TURNS)]
    without, with_ = min(turn[0] for turn in turns), min(turn[1] for turn in turns)
    return [
        Figure("collector without the normaliser, CPU", without, "µs/span"),
        Figure("collector with the normaliser, CPU", with_, "µs/span"),
        Figure("normalising, CPU", with_ - without, "µs/span", GOAL_MICROSECONDS),
    ]


def recordings() -> Load:
    """Return the recordings of the checkout as requests."""
    place = folder("collector-config").parent / RECORDINGS
    found = sorted(place.glob("*.traces.json"))
    if not found:
        raise BenchError(f"{place} holds no recordings.", "bench normalise runs in a checkout.")
    requests = [_request(path) for path in found]
    spans = sum(
        len(scope.spans) for one in requests for resource in one.resource_spans for scope in resource.scope_spans
    )
    return Load([request.SerializeToString() for request in requests], spans)


def _request(path: Path) -> ExportTraceServiceRequest:
    """Read OTLP/JSON, whose ids are hexadecimal where protobuf's own JSON has base64."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return json_format.ParseDict(_with_base64(document), ExportTraceServiceRequest(), ignore_unknown_fields=True)


def _with_base64(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: base64.b64encode(bytes.fromhex(inner)).decode() if key in IDS else _with_base64(inner)
            for key, inner in value.items()
        }
    return [_with_base64(inner) for inner in value] if isinstance(value, list) else value


class _Collector(NamedTuple):
    process: psutil.Process
    port: int


@contextlib.contextmanager
def _collector(place: Path, layers: tuple[Path, ...]) -> Iterator[_Collector]:
    """Run a collector that counts spans, with these layers, until the end of the block."""
    port = _free_port()
    base = place / f"{port}.yaml"
    base.write_text(yaml.safe_dump(_base(port, normalise=bool(layers))))
    command = [str(locate("collector", load().settings)), *(f"--config={path}" for path in (base, *layers))]
    with (
        (place / f"{port}.log").open("w") as log,
        subprocess.Popen(command, env=os.environ | ENVIRONMENT, stdout=log, stderr=log) as process,
    ):
        try:
            _wait(port, process)
            yield _Collector(psutil.Process(process.pid), port)
        finally:
            process.terminate()


def _base(port: int, *, normalise: bool) -> dict[str, object]:
    pipeline = {
        "receivers": ["otlp"],
        "processors": ["spyglass_normalise"] if normalise else [],
        "exporters": ["debug"],
    }
    return {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "exporters": {"debug": {"verbosity": "basic", "sampling_initial": 1, "sampling_thereafter": 1_000_000}},
        "service": {
            "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "error"}},
            "pipelines": {"traces": pipeline},
        },
    }


def _turn(collector: _Collector, load_: Load) -> float:
    """Send the recordings many times, and return the microseconds of CPU that each span took."""
    connection = http.client.HTTPConnection("127.0.0.1", collector.port, timeout=60)
    before = _cpu_seconds(collector.process)
    for body in load_.bodies * ROUNDS:
        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise BenchError(f"The collector answered {answer.status}.")
    connection.close()
    return (_cpu_seconds(collector.process) - before) * 1e6 / (load_.spans * ROUNDS)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1)
        except urllib.error.HTTPError:
            return  # it answers, if only that this is no place to look
        except OSError:
            time.sleep(0.05)
    raise BenchError("The collector did not start.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
