from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import spyglass
from spyglass.sdk import notices
from tests.sdk.receiver import Receiver, receiving

_TRACE = ("TRACEPARENT", "TRACESTATE", "BAGGAGE")


@pytest.fixture(autouse=True)
def clean_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No test sees another's settings, runtime or warnings."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("SPYGLASS_CONFIG", "OTEL_SERVICE_NAME", "OTEL_EXPORTER_OTLP_ENDPOINT", *_TRACE):
        monkeypatch.delenv(name, raising=False)
    notices.said.clear()
    yield
    spyglass.shutdown()
    notices.said.clear()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a receiver on a free port."""
    with receiving() as running:
        yield running


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Collect what spyglass tells the operator."""
    caplog.set_level(logging.INFO, logger="spyglass")
    return caplog
