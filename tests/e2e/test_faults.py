"""What breaks under a running stack: it is named, and what was acknowledged is stored once all the same."""

import contextlib
import os
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spyglass import settings as spyglass_settings
from spyglass.bench.senders import Burst, Sender, Tally, send, spans
from spyglass.stack import doctor
from spyglass.stack.local import LocalStack
from spyglass.warehouse import client
from tests.conftest import eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

STORED = "SELECT count() AS rows, uniqExact(span_id) AS spans FROM spans WHERE service = {s:String}"
WRONG_PASSWORD = "exporters: {clickhouse: {password: mistyped}}"
DISK_MEGABYTES = 400
LEFT_BYTES = 3_000_000
REQUESTS = 120
# In every request, so that few requests fill what is left of the disk.
BALLAST_TEXT = "x" * 100_000


def _stored(stack: LocalStack, service: str) -> tuple[int, int]:
    (row,) = client.reader(stack.settings).rows(STORED, s=service)
    return int(row["rows"]), int(row["spans"])


def _waiting(stack: LocalStack) -> str:
    """Return what the doctor says about the queue to the warehouse; nothing when all is well."""
    loaded = spyglass_settings.load({"data_dir": stack.settings.data_dir, "instrument": "none"}, {})
    said = [finding.sentence for name, finding in doctor.examine(loaded) if name == "queues"]
    return "".join(sentence for sentence in said if "wait for clickhouse" in sentence)


def test_a_wrong_password_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    """While the warehouse refuses the collector all is queued, the doctor says why, and once mended all is stored."""
    layer, service = tmp_path / "layer.yaml", f"password-{uuid.uuid4().hex[:8]}"
    layer.write_text(WRONG_PASSWORD)
    with LocalStack(only=("warehouse", "collector"), settings={"collector_config": str(layer)}) as stack:
        tally = send(stack.settings.port("otlp_http"), Burst(service, 500, senders=5, per_request=10))
        assert (tally.acknowledged, tally.refused) == (50, 0)
        assert "password is incorrect" in eventually(lambda: _waiting(stack))
        assert _stored(stack, service) == (0, 0)
        layer.write_text("{}")
        stack.restart("collector")
        assert eventually(lambda: _stored(stack, service), lambda count: count == (500, 500))
        assert eventually(lambda: not _waiting(stack))


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """Mount a small file system in memory, which the engine's user may enter."""
    with tempfile.TemporaryDirectory(prefix="spyglass-") as place:
        options = f"size={DISK_MEGABYTES}m,mode=755"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_refuses_and_loses_nothing(small_disk: Path) -> None:
    """When neither queue nor warehouse has room, senders are told to try again; with room all is stored once."""
    service, filler = f"full-{uuid.uuid4().hex[:8]}", small_disk / "filler"
    with LocalStack(only=("warehouse", "collector"), data_dir=small_disk / "data") as stack:
        filler.write_bytes(bytes(_free(small_disk) - LEFT_BYTES))
        tally = Tally()
        sender = Sender(stack.settings.port("otlp_http"), tally)
        with contextlib.closing(sender), _in_background(lambda: _post_all(sender, service)) as thread:
            eventually(lambda: tally.refused, lambda refused: refused > 5)
            assert thread.is_alive()
            filler.unlink()
        assert tally.acknowledged == REQUESTS
        assert eventually(lambda: _stored(stack, service), lambda count: count == (REQUESTS, REQUESTS))
        assert client.reader(stack.settings).rows("SELECT count() AS n FROM dead_letters") == [{"n": 0}]


def _free(place: Path) -> int:
    status = os.statvfs(place)
    return status.f_bavail * status.f_frsize


def _post_all(sender: Sender, service: str) -> None:
    for number in range(1, REQUESTS + 1):
        sender.post("/v1/traces", spans(service, [number], instance=BALLAST_TEXT))


@contextlib.contextmanager
def _in_background(work: Callable[[], None]) -> Iterator[threading.Thread]:
    """Run the work beside the body, and wait for its end after it."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield thread
    thread.join(timeout=60)
    assert not thread.is_alive()
