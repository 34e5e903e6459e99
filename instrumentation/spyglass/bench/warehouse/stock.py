"""Let the real exporter make its own tables, in a warehouse that had ours.

The views and the landing table of the spans go; the collector, with ``create_schema: true`` and one span, puts its
own table in that place. So inserts and questions take the same way in both, and only the schema differs.
"""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from spyglass.bench.senders import HEADERS, spans
from spyglass.bench.warehouse.servers import Server
from spyglass.errors import BenchError
from spyglass.stack.programs import locate
from spyglass.warehouse import client, passwords

_PATIENCE_SECONDS = 60
_POLL_SECONDS = 0.1
_VIEWS = "SELECT name FROM system.tables WHERE database = 'spyglass' AND engine = 'MaterializedView'"
_ENGINE = "SELECT engine FROM system.tables WHERE database = 'spyglass' AND name = 'otel_traces'"
_TABLES = ("otel_traces", "otel_traces_trace_id_ts")


def create(server: Server) -> None:
    """Put the exporter's tables in place of ours, empty; nothing where they are there. Raises BenchError."""
    if _made(server):
        return
    for row in server.admin.rows(_VIEWS):
        server.admin.execute(f"DROP VIEW spyglass.{row['name']} SYNC")
    server.admin.execute("DROP TABLE spyglass.otel_traces SYNC")
    with _collector(server) as send:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not (
            _made(server) and server.admin.rows("SELECT count() AS spans FROM spyglass.otel_traces")[0]["spans"]
        ):
            if time.monotonic() > deadline:
                raise BenchError("The collector did not make its tables.", "Look at what it says: spyglass programs.")
            send()
            time.sleep(_POLL_SECONDS)
    for table in _TABLES:
        server.admin.execute(f"TRUNCATE TABLE spyglass.{table} SYNC")


def _made(server: Server) -> bool:
    return [row["engine"] for row in server.admin.rows(_ENGINE)] == ["MergeTree"]


@contextlib.contextmanager
def _collector(server: Server) -> Iterator[_Send]:
    port = server.settings.port("otlp_http")
    with TemporaryDirectory() as folder:
        configuration = Path(folder) / "collector.yaml"
        configuration.write_text(yaml.safe_dump(_configuration(server, port)), encoding="utf-8")
        command = [str(locate("collector", server.settings)), f"--config={configuration}"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield _Send(port)
        finally:
            process.terminate()
            process.wait()


class _Send:
    """Send one span, whether or not somebody listens yet."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __call__(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("POST", "/v1/traces", spans("bench", [1]), HEADERS)
            connection.getresponse().read()


def _configuration(server: Server, port: int) -> dict[str, object]:
    exporter = {
        "endpoint": client.local_url(server.settings),
        "database": client.DATABASE,
        "username": "admin",
        "password": passwords.ensure(server.settings).admin,
        "create_schema": True,
        "async_insert": False,
        "compress": "none",
    }
    pipeline = {"receivers": ["otlp"], "exporters": ["clickhouse"]}
    return {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "exporters": {"clickhouse": exporter},
        "service": {"pipelines": {"traces": pipeline}, "telemetry": {"metrics": {"level": "none"}}},
    }
