"""Tasks of Celery between a real sender and a real worker, over a broker that is a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.receiver import Receiver

SCRIPTS = Path(__file__).parent / "scripts"
OPTIONS = ("-c", "2", "-l", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat")


@pytest.fixture
def environment(receiver: Receiver, tmp_path: Path) -> dict[str, str]:
    """Return the environment of sender and worker."""
    given = {"QUEUE_DIR": str(tmp_path), "SPYGLASS_ENDPOINT": receiver.endpoint, "PYTHONPATH": str(SCRIPTS)}
    return {**os.environ, **given, "SPYGLASS_PROBES": "none", "SPYGLASS_INSTRUMENT": "none"}


@contextmanager
def working(pool: str, environment: dict[str, str], log: Path) -> Iterator[None]:
    """Run a worker under ``spyglass run``, and end it in order."""
    words = ["run", "--service", "worker", "-m", "celery", "-A", "celery_app", "worker", "-P", pool, *OPTIONS]
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "spyglass", *words], env=environment, stdout=output, stderr=output, cwd=log.parent
        )
        try:
            yield
        finally:
            worker.terminate()
            worker.wait(60)


def send(environment: dict[str, str], receiver: Receiver) -> None:
    """Send the tasks."""
    script = str(SCRIPTS / "celery_sender.py")
    done = subprocess.run(
        [sys.executable, script, receiver.endpoint],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("pool", ["prefork", "solo", "threads"])
def test_tasks_hang_under_their_senders(
    receiver: Receiver, environment: dict[str, str], tmp_path: Path, pool: str
) -> None:
    """Each task is a span of kind queue in the sender's trace and session, with its wait; what it sends hangs below."""
    send(environment, receiver)
    with working(pool, environment, tmp_path / "worker.log"):
        receiver.wait(lambda: len(tasks(receiver)) == 6, 60)
    found = tasks(receiver)
    boss = receiver.span("invoke_agent boss")
    ids = {span["span_id"]: span["attributes"]["code.function.name"] for span in found} | {boss["span_id"]: "boss"}
    above = sorted((span["attributes"]["code.function.name"], ids[span["parent_span_id"]]) for span in found)
    assert above == [
        ("shop.add", "boss"),
        ("shop.add", "shop.outer"),
        ("shop.again", "boss"),
        ("shop.again", "shop.again"),
        ("shop.broken", "boss"),
        ("shop.outer", "boss"),
    ]
    for span in found:
        attributes = span["attributes"]
        assert (attributes["spyglass.kind"], attributes["messaging.system"]) == ("queue", "celery")
        assert (attributes["spyglass.queue.name"], attributes["user.id"]) == ("celery", "u")
        assert attributes["spyglass.queue.wait"] >= 0
        assert attributes["messaging.message.id"]
        failed = attributes["code.function.name"] == "shop.broken"
        assert (span["status"], attributes.get("error.type")) == ((2, "ValueError") if failed else (0, None))
    inner = [span for span in receiver.spans() if span["name"] == "execute_tool inner"]
    assert sorted(ids[span["parent_span_id"]] for span in inner) == ["boss", "boss", "shop.add", "shop.add"]


def tasks(receiver: Receiver) -> list[dict[str, Any]]:
    """Return the spans of tasks that a worker ran."""
    return [span for span in receiver.spans() if span["name"] == "process celery"]


def test_without_spyglass_messages_stay_as_they_are(environment: dict[str, str], tmp_path: Path) -> None:
    """A sender that is switched off adds nothing to the headers of its tasks."""
    script = [sys.executable, str(SCRIPTS / "celery_sender.py"), "http://127.0.0.1:9"]
    subprocess.run(script, env={**environment, "SPYGLASS_DISABLED": "true"}, check=True, timeout=60)
    plain = [path.read_text() for path in (tmp_path / "queue").iterdir()]
    assert len(plain) == 4
    assert not [text for text in plain if "traceparent" in text or "spyglass" in text]
