"""Run the real collector with our layers, but with a file in place of the stores."""

import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from spyglass.assets import folder
from spyglass.settings import load
from spyglass.stack.programs import locate

LAYERS = ("gateway.yaml", "normalise.yaml", "privacy.yaml", "span-metrics.yaml")
PORTS = (
    "OTLP_GRPC",
    "OTLP_HTTP",
    "METRICS_HOP",
    "TEMPO_HOP",
    "PROMETHEUS_HOP",
    "COLLECTOR_HEALTH",
    "COLLECTOR_METRICS",
)


class Collector:
    """Send requests to a collector and read what came out of its pipelines."""

    def __init__(self, folder_: Path, environ: dict[str, str]) -> None:
        self.output = folder_ / "out.json"
        self.environ = environ

    def post(self, signal: str, request: dict[str, Any] | bytes, content_type: str = "application/json") -> int:
        """Send one request and return the HTTP status."""
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        address = f"http://127.0.0.1:{self.environ['PORT_OTLP_HTTP']}/v1/{signal}"
        call = urllib.request.Request(address, body, {"Content-Type": content_type})
        try:
            with urllib.request.urlopen(call, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def spans(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """Send spans and return them as they come out, attributes as a plain dictionary."""
        assert self.post("traces", request) == 200
        return [
            span | {"attributes": plain(span.get("attributes", []))}
            for resource in self._next("resourceSpans")
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]

    def text(self, signal: str, request: dict[str, Any]) -> str:
        """Send one request and return all that comes out of it as JSON text."""
        key = {"traces": "resourceSpans", "metrics": "resourceMetrics", "logs": "resourceLogs"}[signal]
        assert self.post(signal, request) == 200
        return json.dumps(self._next(key))

    def _next(self, key: str) -> list[dict[str, Any]]:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            lines = self.output.read_text().splitlines() if self.output.exists() else []
            with contextlib.suppress(json.JSONDecodeError):  # a long line is written in pieces
                rows = [row for line in lines if line for row in json.loads(line)[key]]
                if rows:
                    self.output.write_text("")
                    return rows
            time.sleep(0.02)
        raise AssertionError("nothing came out of the collector")


def plain(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return OTLP/JSON attributes as a dictionary of Python values."""
    return {attribute["key"]: _value(attribute["value"]) for attribute in attributes}


def _value(value: dict[str, Any]) -> Any:
    ((kind, inner),) = value.items()
    if kind == "intValue":
        return int(inner)
    if kind == "arrayValue":
        return [_value(item) for item in inner.get("values", [])]
    return inner


@pytest.fixture(scope="module")
def start_collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Collector]]:
    """Give a function that starts a collector with the settings given as environment variables."""
    with contextlib.ExitStack() as stack:
        yield lambda **environ: stack.enter_context(_running(tmp_path_factory.mktemp("collector"), environ))


@contextlib.contextmanager
def _running(place: Path, settings: dict[str, str]) -> Iterator[Collector]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SPYGLASS_")} | settings
    environ |= {f"PORT_{name}": str(_free_port()) for name in PORTS}
    environ |= {"DATA_DIR": str(place), "SPYGLASS_WAREHOUSE_COLLECTOR_PASSWORD": "x"}
    (place / "queue").mkdir()
    (place / "file.yaml").write_text(yaml.safe_dump(_file_layer(place)))
    layers = [folder("collector-config") / name for name in LAYERS] + [place / "file.yaml"]
    command = [str(locate("collector", load().settings)), *(f"--config={path}" for path in layers)]
    with (place / "log").open("w") as log, subprocess.Popen(command, env=environ, stdout=log, stderr=log) as process:
        try:
            _wait_until_ready(int(environ["PORT_COLLECTOR_HEALTH"]), process, place / "log")
            yield Collector(place, environ)
        finally:
            process.terminate()


def _file_layer(place: Path) -> dict[str, Any]:
    """Return the base layer's receiving pipelines with a file as their only exporter."""
    base = yaml.safe_load((folder("collector-config") / "gateway.yaml").read_text())["service"]["pipelines"]
    return {
        "exporters": {"file": {"path": str(place / "out.json"), "flush_interval": "20ms", "append": True}},
        "service": {
            "pipelines": {signal: base[signal] | {"exporters": ["file"]} for signal in ("traces", "metrics", "logs")}
        },
    }


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError(f"the collector did not start: {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
