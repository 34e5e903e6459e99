"""Send the same batches as the exporter does to both schemas in turn, synced to disk, and compare the rates."""

from __future__ import annotations

import time
from itertools import islice

from spyglass.bench.figures import Figure, percentile
from spyglass.bench.warehouse import batches, load, wire
from spyglass.bench.warehouse.servers import Server

ROWS = 10_000
BATCHES = 16
_REPLICA = 200
# Not one whose answers are compared: what was loaded may be kept, and asked again.
_ORGANIZATION = "inserts"
_RATIO = 0.6


def measure(ours: Server, stock: Server, rows: int = ROWS, count: int = BATCHES) -> list[Figure]:
    """Return rows a second and CPU time a row of both, the latter with the merges that follow."""
    servers = (ours, stock)
    chosen = list(islice(batches.slices(ours.admin, rows), count))
    blocks = [wire.block(stock.admin, batches.now(part.where, _REPLICA, _ORGANIZATION)) for part in chosen]
    rates: dict[str, list[float]] = {server.name: [] for server in servers}
    before = {server.name: server.cpu_seconds() for server in servers}
    for at, (part, block) in enumerate(zip(chosen, blocks, strict=True)):
        for server in servers if at % 2 else reversed(servers):
            started = time.perf_counter()
            server.insert(block)
            rates[server.name].append(part.spans / (time.perf_counter() - started))
    for server in servers:
        load.settle(server.admin)
    sent = sum(part.spans for part in chosen)
    cpu = {server.name: (server.cpu_seconds() - before[server.name]) / sent for server in servers}
    return _figures(rows, {name: percentile(each, 0.5) for name, each in rates.items()}, cpu)


def _figures(rows: int, rate: dict[str, float], cpu: dict[str, float]) -> list[Figure]:
    return [
        Figure(f"insert of {rows} rows, synced", rate["ours"], "rows/s"),
        Figure("insert, stock schema", rate["stock"], "rows/s"),
        Figure("insert, ours to stock", rate["ours"] / rate["stock"], "x", _RATIO, least=True),
        Figure("insert, CPU", cpu["ours"] * 1e6, "µs/row"),
        Figure("insert, stock schema, CPU", cpu["stock"] * 1e6, "µs/row"),
        Figure("insert, rows of a core's second, ours to stock", cpu["stock"] / cpu["ours"], "x", _RATIO, least=True),
    ]
