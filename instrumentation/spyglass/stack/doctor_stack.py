"""Check the stack that runs: is every part ready, was anything refused, dropped or put aside."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from spyglass.errors import PartError, WarehouseError
from spyglass.settings import Settings
from spyglass.stack import logs, status
from spyglass.stack import running as running_
from spyglass.stack.finding import Check, Finding, Machine, failed, note, ok

ANSWER_SECONDS = 5.0
# The largest request that the collector takes.
REQUEST_MIB = 64
QUEUE_SIZE = "otelcol_exporter_queue_size"
# The collector tries again at least every 10 s, and says so.
LATELY = timedelta(seconds=60)
LOG_LINES, ERROR_LENGTH = 500, 300


@dataclass(frozen=True, slots=True)
class Loss:
    """Describe a counter of the collector that should be 0: how its name and one of its labels begin, what it means."""

    prefix: str
    sentence: str
    label: str = ""
    begins: str = ""


LOSSES = (
    Loss(
        "http_server_request_duration_count",
        f"OTLP/HTTP requests were refused: malformed, or larger than {REQUEST_MIB} MiB",
        "http_response_status_code",
        "4",
    ),
    Loss(
        "rpc_server_call_duration_count",
        f"OTLP/gRPC requests were refused: larger than {REQUEST_MIB} MiB",
        "rpc_response_status_code",
        "RESOURCE_EXHAUSTED",
    ),
    Loss("otelcol_receiver_refused_", "items were refused, and the sender was told to try again"),
    Loss("otelcol_receiver_failed_", "items failed inside the collector"),
    Loss("otelcol_exporter_enqueue_failed_", "items were dropped, because the exporter's queue was full"),
    Loss("otelcol_exporter_send_failed_", "items were given up, because their destination refused them"),
)


def parts(machine: Machine) -> Iterator[Finding]:
    """Say of each part whether it is ready."""
    if machine.running is None:
        yield note(
            f"no stack runs with the data directory {machine.place.data}.", "Start it with: spyglass up --detach."
        )
        return
    for row in status.rows(machine.running):
        restarted = f", restarted {row.restarts} times" if row.restarts else ""
        if row.ready:
            yield ok(f"{row.part} is ready{restarted}")
        else:
            yield failed(f"{row.part} is {row.state} and not ready{restarted}.", f"Look at: spyglass logs {row.part}.")


def collector(machine: Machine) -> Iterator[Finding]:
    """Say what the collector refused or lost since it started."""
    if machine.running is None or "collector" not in _parts(machine.running):
        return
    lost = list(_losses(_metrics(machine.running)))
    for count, what in lost:
        yield failed(f"{count:.0f} {what}.", "Look at: spyglass logs collector.")
    if not lost:
        yield ok("nothing refused and nothing lost since it started")


def queues(machine: Machine) -> Iterator[Finding]:
    """Say what waits in the collector's queues because its destination refuses it, and in which words."""
    if machine.running is None or "collector" not in _parts(machine.running):
        return
    refusals = _refusals(logs.tail(machine.place.log("collector"), LOG_LINES))
    waiting: dict[str, float] = {}
    for name, labels, size in _samples(_metrics(machine.running)):
        if name == QUEUE_SIZE and size and labels["exporter"] in refusals:
            waiting[labels["exporter"]] = waiting.get(labels["exporter"], 0) + size
    for exporter, size in waiting.items():
        yield failed(
            f"{size:,.0f} bytes wait for {exporter}, which does not take them: {refusals[exporter]}",
            "They are sent as soon as this is mended; nothing is lost before the queue is full.",
        )
    if not waiting:
        yield ok("nothing waits for a destination that refuses it")


def dead_letters(machine: Machine) -> Iterator[Finding]:
    """Say how many rows the warehouse could not store."""
    if machine.running is None or "warehouse" not in _parts(machine.running):
        return
    from spyglass.warehouse import client  # noqa: PLC0415 -- only where there is a warehouse to ask

    try:
        (row,) = client.reader(machine.running).rows("SELECT count() AS letters, sum(rows) AS rows FROM dead_letters")
    except WarehouseError as error:
        yield note(f"not known, because the warehouse cannot be asked ({error.problem})")
        return
    if int(row["letters"]):
        yield failed(
            f"{row['letters']} dead letters with {row['rows']} rows that could not be stored.",
            "List them with their reasons: spyglass warehouse dead-letters.",
        )
    else:
        yield ok("none")


def _parts(running: Settings) -> set[str]:
    return {state.part for state in running_.states(running)}


def _losses(metrics: str) -> Iterator[tuple[float, str]]:
    for loss in LOSSES:
        for sample in _samples(metrics):
            name, labels, value = sample
            if value and name.startswith(loss.prefix) and labels.get(loss.label, "").startswith(loss.begins):
                where = labels.get("exporter") or labels.get("receiver") or labels.get("http_route") or "grpc"
                yield value, f"{loss.sentence} ({name.removesuffix('_total')}, {where})"


def _refusals(lines: Iterable[str]) -> dict[str, str]:
    """Return by exporter the newest error that made it try again, if that was lately."""
    since, found = datetime.now(UTC) - LATELY, {}
    for line in lines:
        if '"exporter"' in line and '"error"' in line:
            entry = json.loads(line)
            if datetime.fromisoformat(entry["ts"]) > since:
                found[entry["otelcol.component.id"]] = " ".join(entry["error"].splitlines()[0].split())[:ERROR_LENGTH]
    return found


def _samples(metrics: str) -> Iterator[tuple[str, Mapping[str, str], float]]:
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def _metrics(running: Settings) -> str:
    port = running.port("collector_metrics")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise PartError(
                "collector",
                f"its metrics at port {port} cannot be read ({error}).",
                "Look at: spyglass logs collector.",
            ) from None


CHECKS: dict[str, Check] = {"parts": parts, "collector": collector, "queues": queues, "dead letters": dead_letters}
