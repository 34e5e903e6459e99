"""Let the doctor look at healthy and at broken machines and stacks."""

import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from spyglass.errors import SpyglassError, StackNotRunningError, WarehouseUnreachableError
from spyglass.settings import Loaded, Settings, load
from spyglass.stack import doctor, doctor_stack, files, grafana
from spyglass.stack.catalogue import PROGRAMS
from spyglass.stack.finding import Finding, Machine, Verdict, failed
from spyglass.stack.local import LocalStack
from spyglass.warehouse import client
from tests.stack.conftest import Spyglass, Tiny

METRICS = """\
# TYPE otelcol_receiver_accepted_spans counter
otelcol_receiver_accepted_spans{receiver="otlp",transport="http"} 7
# TYPE otelcol_receiver_refused_spans counter
otelcol_receiver_refused_spans{receiver="otlp",transport="http"} 0
# TYPE otelcol_exporter_enqueue_failed_spans counter
otelcol_exporter_enqueue_failed_spans{exporter="otlp_grpc/tempo"} 12
# TYPE http_server_request_duration histogram
http_server_request_duration_bucket{http_response_status_code="400",http_route="/v1/traces",le="+Inf"} 3
http_server_request_duration_sum{http_response_status_code="400",http_route="/v1/traces"} 0.4
http_server_request_duration_count{http_response_status_code="400",http_route="/v1/traces"} 3
http_server_request_duration_count{http_response_status_code="200",http_route="/v1/traces"} 900
# TYPE rpc_server_call_duration histogram
rpc_server_call_duration_count{rpc_method="a/Export",rpc_response_status_code="RESOURCE_EXHAUSTED"} 1
rpc_server_call_duration_count{rpc_method="a/Export",rpc_response_status_code="OK"} 5
"""


def _examine(**arguments: object) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = defaultdict(list)
    for name, finding in doctor.examine(load({"instrument": "none", **arguments})):
        found[name].append(finding)
    return found


def test_a_machine_without_a_stack(tmp_path: Path, offset: int) -> None:
    """On a healthy machine nothing fails; no GPU, no Grafana and no stack are calm lines."""
    found = _examine(data_dir=str(tmp_path / "data"), port_offset=offset)
    verdicts = Counter(finding.verdict for findings in found.values() for finding in findings)
    assert verdicts[Verdict.FAILED] == 0
    assert {sentence.sentence.split(":")[0] for sentence in found["probes"]} == {"host", "process", "gpu"}
    assert Verdict.FAILED not in {finding.verdict for finding in found["probes"]}
    (parts,) = found["parts"]
    assert parts.sentence == f"no stack runs with the data directory {tmp_path}/data."
    assert found["data directory"][0].sentence == f"{tmp_path}/data (will be made)"
    assert "collector" not in found
    assert not (tmp_path / "data").exists()


def test_the_command_as_json(spyglass: Spyglass, tmp_path: Path, offset: int) -> None:
    """Doctor --json prints one object per finding; an unknown variable fails with what was meant."""
    words = ("doctor", "--json", "--data-dir", tmp_path, "--port-offset", offset)
    assert spyglass(*words).code == 0
    done = spyglass(*words, environ={"SPYGLASS_CONTNET": "full"})
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 1
    assert [row for row in rows if row["verdict"] == "failed"] == [
        {
            "check": "settings",
            "verdict": "failed",
            "sentence": "SPYGLASS_CONTNET: no such setting.",
            "remedy": "Did you mean SPYGLASS_CONTENT?",
        }
    ]


def test_the_command_as_text(spyglass: Spyglass, tmp_path: Path, offset: int) -> None:
    """Doctor prints a line for each finding that begins with its verdict and its check."""
    done = spyglass("doctor", "--data-dir", tmp_path, "--port-offset", offset)
    assert done.code == 0
    assert all(line.split()[0] in ("ok", "note") for line in done.out.splitlines())
    assert any(line.startswith("ok      python          Python 3.") for line in done.out.splitlines())


def test_a_wrong_program_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offset: int) -> None:
    """A configured program that is not there fails the check, and the other checks go on."""
    monkeypatch.setenv("SPYGLASS_TEMPO", "/nowhere/tempo")
    found = _examine(data_dir=str(tmp_path), port_offset=offset)
    assert "SPYGLASS_TEMPO names /nowhere/tempo, which does not exist." in found["programs"][-1].sentence
    assert found["programs"][-1].verdict is Verdict.FAILED
    assert found["ports"][0].verdict is Verdict.OK


@pytest.fixture
def only_tiny(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    """Leave the tiny program as the only one of the stack."""
    for name in [name for name in PROGRAMS if name != "pint"]:
        monkeypatch.delitem(PROGRAMS, name)
    return tiny


def test_a_program_to_build_is_a_note_with_the_command(only_tiny: Tiny) -> None:
    """What is still to be built is named with the command that builds it, and with the room that it takes."""
    missing, room = doctor.programs_(Machine(Loaded(only_tiny.settings, {}, ()), files.of(only_tiny.settings), None))
    assert (missing.verdict, missing.sentence) == (Verdict.NOTE, "to be built first: pint.")
    assert missing.remedy.endswith("spyglass programs build.")
    assert "GiB free at" in room.sentence


@pytest.mark.usefixtures("no_go_on_path")
def test_no_go_matters_only_while_something_is_to_be_built(
    only_tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Go, the check fails when a program has to be built, and is a note when all are there."""
    monkeypatch.setattr("spyglass.stack.toolchain.metadata.files", lambda _: [])
    finding = _first(doctor.go, only_tiny.settings)
    assert finding.verdict is Verdict.FAILED
    assert "no Go toolchain found" in finding.sentence
    mine = tmp_path / "mine"
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    finding = _first(doctor.go, Settings(pint=str(mine)))
    assert finding.verdict is Verdict.NOTE
    assert finding.sentence.endswith("All programs are here, so none is needed.")


def _first(check: Callable[[Machine], Iterator[Finding]], settings: Settings) -> Finding:
    machine = Machine(Loaded(settings, {}, ()), files.of(settings), None)
    try:
        return next(check(machine))
    except SpyglassError as error:
        return failed(error.problem, error.remedy)


@pytest.mark.parametrize(
    ("free", "verdict"), [(10**8, Verdict.FAILED), (2 * 10**9, Verdict.NOTE), (10**11, Verdict.OK)]
)
def test_room_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, verdict: Verdict, offset: int
) -> None:
    """Less than 1 GiB of room fails, less than 5 GiB is worth a note."""

    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free))
    found = _examine(data_dir=str(tmp_path), port_offset=offset)
    assert [finding.verdict for finding in found["data directory"]] == [Verdict.OK, verdict]


def test_a_data_directory_that_is_a_file(tmp_path: Path, offset: int) -> None:
    """A file in the place of the data directory fails the check."""
    (tmp_path / "file").write_text("")
    found = _examine(data_dir=str(tmp_path / "file"), port_offset=offset)
    assert found["data directory"] == [
        Finding(Verdict.FAILED, f"{tmp_path}/file cannot be written.", "Choose another with SPYGLASS_DATA_DIR.")
    ]


def test_grafana_without_the_plugin(tmp_path: Path, no_go_on_path: Path) -> None:
    """Where a Grafana is found without its ClickHouse plugin, the command that installs it is printed."""
    server = no_go_on_path / "grafana"
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    settings = Settings(data_dir=str(tmp_path))
    finding = _first(doctor.grafana_, settings)
    assert finding.verdict is Verdict.FAILED
    assert "grafana cli plugins install grafana-clickhouse-datasource" in finding.remedy
    (tmp_path / "grafana" / "plugins" / grafana.PLUGIN).mkdir(parents=True)
    assert _first(doctor.grafana_, settings) == Finding(Verdict.OK, f"{server}, with its ClickHouse plugin")


def test_what_the_collector_lost_is_read_from_its_counters() -> None:
    """Refused requests and dropped items are counted and named by the counter and where; what is well is not."""
    http, grpc, dropped = doctor_stack._losses(METRICS)
    assert (http[0], grpc[0], dropped[0]) == (3, 1, 12)
    assert http[1].endswith("larger than 64 MiB (http_server_request_duration_count, /v1/traces)")
    assert grpc[1].endswith("larger than 64 MiB (rpc_server_call_duration_count, grpc)")
    assert dropped[1].endswith("queue was full (otelcol_exporter_enqueue_failed_spans, otlp_grpc/tempo)")


@pytest.mark.stack
def test_a_running_stack_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part of a running stack is reported, a stopped one fails, and dead letters are counted."""
    with LocalStack(("warehouse", "alertmanager")) as stack:
        found = _examine(data_dir=stack.settings.data_dir)
        assert [finding.sentence for finding in found["parts"]] == [
            "warehouse is ready",
            "alertmanager is ready",
            "process-compose is ready",
        ]
        assert found["ports"] == [Finding(Verdict.OK, f"the stack's own, offset {stack.settings.port_offset}")]
        assert found["dead letters"] == [Finding(Verdict.OK, "none")]
        admin = client.admin(stack.settings)
        admin.execute("INSERT INTO dead_letters (received_at, reason, rows) VALUES (now64(3), 'planted', 3)")
        stack.stop("alertmanager")
        found = _examine(data_dir=stack.settings.data_dir)
        assert found["parts"][1].sentence == "alertmanager is stopped and not ready."
        assert found["parts"][1].verdict is Verdict.FAILED
        assert found["dead letters"][0].sentence == "1 dead letters with 3 rows that could not be stored."
        monkeypatch.setattr(client, "reader", _unreachable)
        (letters,) = _examine(data_dir=stack.settings.data_dir)["dead letters"]
        assert (letters.verdict, "not known" in letters.sentence) == (Verdict.NOTE, True)


def _unreachable(_: Settings) -> None:
    raise WarehouseUnreachableError("http://127.0.0.1:1", "refused")


def test_a_stack_that_ends_while_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A check that can no longer look fails with a sentence, and the next one goes on."""

    def gone(_: Settings) -> None:
        raise StackNotRunningError(str(tmp_path))

    monkeypatch.setattr("spyglass.stack.running.attach", lambda settings: settings)
    monkeypatch.setattr("spyglass.stack.status.rows", gone)
    monkeypatch.setattr("spyglass.stack.running.states", lambda _: [])
    found = _examine(data_dir=str(tmp_path))
    assert found["parts"][0].verdict is Verdict.FAILED
    assert "No stack runs" in found["parts"][0].sentence
