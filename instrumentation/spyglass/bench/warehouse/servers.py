"""Run two warehouses side by side: one with our schema, one with the tables that the collector's exporter makes.

Both are ``spyglass warehouse serve``, so that engine, gateway, limits and durability are the same.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import psutil

from spyglass.errors import BenchError
from spyglass.settings import Settings
from spyglass.stack.local import LocalStack
from spyglass.stack.parts import WAREHOUSE
from spyglass.warehouse import client, passwords
from spyglass.warehouse.client import Warehouse

# The stock schema reads whole maps: it gets the memory that it needs.
_SETTINGS = {"warehouse_memory_mb": 8_192}
_OK = 200
_INSERT_SECONDS = 120
# The columns of the rows that sql/wire.sql makes.
COLUMNS = (
    *("Timestamp", "TraceId", "SpanId", "ParentSpanId", "TraceState", "SpanName", "SpanKind", "ServiceName"),
    *("ResourceAttributes", "ScopeName", "ScopeVersion", "SpanAttributes", "Duration", "StatusCode", "StatusMessage"),
)


@dataclass(frozen=True, slots=True)
class Server:
    """Hold a warehouse that runs, and its clients."""

    name: str
    stack: LocalStack
    admin: Warehouse
    reader: Warehouse

    @property
    def settings(self) -> Settings:
        """Return the settings that it runs with."""
        return self.stack.settings

    @property
    def process(self) -> psutil.Process:
        """Return its process."""
        return psutil.Process(self.stack.pid(WAREHOUSE))

    def cpu_seconds(self) -> float:
        """Return what its process has taken so far, in user and system time."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def insert(self, block: bytes) -> None:
        """Send a Native block of spans as the collector's exporter does; raises BenchError where it is not stored."""
        columns = ", ".join(COLUMNS)
        parameters = {
            "query": f"INSERT INTO spyglass.otel_traces ({columns}) FORMAT Native",
            "database": client.DATABASE,
            "default_format": "Native",
            "client_protocol_version": "54460",
        }
        password = passwords.ensure(self.settings).collector
        given = base64.b64encode(f"collector:{password}".encode()).decode()
        headers = {"Content-Type": "application/octet-stream", "Authorization": f"Basic {given}"}
        port = self.settings.port("warehouse")
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_INSERT_SECONDS)) as connection:
            connection.request("POST", f"/?{urlencode(parameters)}", block, headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        if answer.status != _OK:
            raise BenchError(f"{self.name} did not store a batch: {text[:200]}")


@contextlib.contextmanager
def running(name: str, folder: Path | None = None) -> Iterator[Server]:
    """Yield a warehouse of ours, in a folder that stays or in a temporary one."""
    with LocalStack((WAREHOUSE,), _SETTINGS, folder and folder / name) as stack:
        admin, reader = client.admin(stack.settings), client.reader(stack.settings)
        with contextlib.closing(admin), contextlib.closing(reader):
            yield Server(name, stack, admin, reader)
