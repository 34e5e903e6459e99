"""Start a warehouse and speak to it as clickhouse-go does."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from spyglass.warehouse.client import Warehouse

PASSWORDS = {"collector": "c-secret", "reader": "r-secret", "admin": "a-secret"}
START_SECONDS = 60
# The columns of a point of each kind of metric.
METRICS: dict[str, dict[str, Any]] = {
    "gauge": {"Value": 1.5},
    "sum": {"Value": 2.5, "AggregationTemporality": 2, "IsMonotonic": True},
    "histogram": {"Count": 3, "Sum": 1.5, "BucketCounts": [1, 2], "ExplicitBounds": [0.5], "Min": 0.1, "Max": 1.0},
    "exponential_histogram": {"Count": 3, "Sum": 1.5, "Scale": 2, "ZeroCount": 1, "PositiveBucketCounts": [1, 1]},
    "summary": {"Count": 3, "Sum": 1.5, "ValueAtQuantiles.Quantile": [0.5], "ValueAtQuantiles.Value": [1.0]},
}


@dataclass
class Answer:
    """Hold a response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode("utf-8", "replace")


@dataclass
class Server:
    """Run ``spyglass warehouse serve`` on a free port, in a folder that user nobody can enter."""

    settings: Mapping[str, str] = field(default_factory=dict)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="spyglass-warehouse-")))
    port: int = 0
    command: Sequence[str] = ("-m", "spyglass", "warehouse", "serve")
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        """Choose a port."""
        self.folder.chmod(0o755)
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of the process, and of commands that talk to it."""
        known = {name: value for name, value in os.environ.items() if not name.startswith("SPYGLASS_")}
        passwords = {f"SPYGLASS_WAREHOUSE_{user.upper()}_PASSWORD": word for user, word in PASSWORDS.items()}
        places = {"SPYGLASS_DATA_DIR": str(self.folder / "data"), "SPYGLASS_PORT_WAREHOUSE": str(self.port)}
        return known | passwords | places | dict(self.settings)

    @property
    def log(self) -> str:
        """Return what the process wrote."""
        return (self.folder / "log").read_text("utf-8", "replace")

    def start(self, *, wait: bool = True) -> Server:
        """Start the process, and wait until /ping says that it is ready."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.command], env=self.environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while wait and not self.ready():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)
        return self

    def ready(self) -> bool:
        """Say whether /ping answers 200."""
        try:
            return self.get("/ping").status == 200
        except OSError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the process and return its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(60)
        self.process = None
        return code

    def remove(self) -> None:
        """End the process and remove its folder."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self, user: str = "admin") -> Warehouse:
        """Return a client as this user."""
        return Warehouse(f"http://127.0.0.1:{self.port}", user, PASSWORDS[user])

    def get(self, path: str) -> Answer:
        """Send a GET without a user."""
        return self._request("GET", path, b"", {})

    def post(
        self,
        body: bytes | str,
        user: str = "admin",
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        **parameters: str,
    ) -> Answer:
        """Send a request with Basic authorization, as clickhouse-go does without TLS."""
        given = base64.b64encode(f"{user}:{PASSWORDS.get(user, '')}".encode()).decode()
        data = body.encode() if isinstance(body, str) else body
        sent = {"Authorization": f"Basic {given}"} | dict(headers or {})
        return self._request(method, "/?" + urlencode(parameters), data, sent)

    def sql(self, text: str, user: str = "admin", **parameters: str) -> str:
        """Return the answer to a statement as text, lines stripped; fails on an error."""
        answer = self.post(text, user, None, **parameters)
        assert answer.status == 200, answer.text
        return answer.text.strip()

    def _request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def block(self, table: str, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """Return rows of a landing table as a Native block, as the exporter sends them."""
        described = self.sql(f"SELECT name, type FROM system.columns WHERE database = 'spyglass' AND table = '{table}'")
        columns = [line.split("\t") for line in described.replace("\\'", "'").splitlines()]
        structure = ", ".join(f"`{name}` {kind}" for name, kind in columns)
        lines = "\n".join(json.dumps(row) for row in rows)
        sql = f"SELECT * FROM format(JSONEachRow, {_literal(structure)}, {_literal(lines)}) FORMAT Native"
        answer = self.post(sql, max_query_size="1000000000")
        assert answer.status == 200, answer.text
        return answer.body

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> Answer:
        """Insert rows of a landing table as the collector does."""
        return self.insert_block(table, self.block(table, rows))

    def insert_block(self, table: str, block: bytes, user: str = "collector", **parameters: str) -> Answer:
        """Insert a Native block into a landing table with the text that clickhouse-go writes."""
        columns = ",\n    ".join(self.columns(table))
        query = f'INSERT INTO "spyglass"."{table}" (\n    {columns}\n) FORMAT Native'
        fixed = {
            "query": query,
            "database": "spyglass",
            "default_format": "Native",
            "client_protocol_version": "54460",
            "async_insert": "0",
        }
        headers = {"Content-Type": "application/octet-stream"}
        return self.post(block, user, headers, "POST", **(fixed | parameters))

    def columns(self, table: str) -> list[str]:
        """Return the columns of a table."""
        return self.sql(
            f"SELECT name FROM system.columns WHERE database = 'spyglass' AND table = '{table}' ORDER BY position"
        ).splitlines()


def span(number: int = 1, attributes: Mapping[str, str] | None = None, **columns: Any) -> dict[str, Any]:
    """Return a row of otel_traces, now, with ids made from the number."""
    row = {
        "Timestamp": f"{time.time_ns() / 1e9:.9f}",
        "TraceId": f"{number:032x}",
        "SpanId": f"{number:016x}",
        "SpanName": "chat gpt-4o",
        "SpanKind": "Client",
        "ServiceName": "planner-service",
        "ResourceAttributes": {"service.name": "planner-service"},
        "SpanAttributes": {"spyglass.kind": "llm"} | dict(attributes or {}),
        "Duration": 1_000_000,
        "StatusCode": "Ok",
    }
    return row | columns


def usage(model: str = "gpt-4o", provider: str = "openai", **tokens: int | str) -> dict[str, str]:
    """Return the attributes of a model call: input, output, cache_read, cache_write, reasoning."""
    names = {
        "input": "gen_ai.usage.input_tokens",
        "output": "gen_ai.usage.output_tokens",
        "cache_read": "gen_ai.usage.cache_read.input_tokens",
        "cache_write": "gen_ai.usage.cache_write.input_tokens",
        "reasoning": "gen_ai.usage.reasoning.output_tokens",
    }
    counted = {names[name]: str(value) for name, value in tokens.items()}
    return {"gen_ai.request.model": model, "gen_ai.provider.name": provider} | counted


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def one(server: Server, sql: str, **parameters: object) -> dict[str, Any]:
    """Return the only row of a query that the reader asks."""
    rows = server.client("reader").rows(sql, **parameters)
    assert len(rows) == 1, rows
    return rows[0]
