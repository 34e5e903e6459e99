"""See that the Tempo of the stack keeps what it is sent, shows it soon, and stops."""

import secrets
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spyglass.stack import shutdown
from spyglass.stack.local import LocalStack
from tests.stack.conftest import eventually, get, post

pytestmark = pytest.mark.stack


class Tempo:
    """Send spans to a Tempo and ask for them."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack

    def send(self, trace: str, spans: int, **attributes: str) -> None:
        """Send a trace of so many spans, each with these attributes."""
        now = time.time_ns()
        values = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
        times = {"startTimeUnixNano": str(now - 10**6), "endTimeUnixNano": str(now)}
        made = [
            {"traceId": trace, "spanId": secrets.token_hex(8), "name": f"of {trace}", "attributes": values, **times}
            for _ in range(spans)
        ]
        service = {"attributes": [{"key": "service.name", "value": {"stringValue": "tempo-test"}}]}
        body = {"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": made}]}]}
        post(self.stack.settings.port("tempo_otlp_http"), "/v1/traces", body)

    def spans(self, trace: str) -> list[dict[str, Any]]:
        """Return the spans of a trace that Tempo has."""
        found = get(self.stack.settings.port("tempo"), f"/api/traces/{trace}") or {"batches": []}
        return [span for batch in found["batches"] for scope in batch["scopeSpans"] for span in scope["spans"]]

    def search(self, query: str) -> list[str]:
        """Return the ids of the traces that match a query."""
        words = urllib.parse.urlencode({"q": query})
        found = get(self.stack.settings.port("tempo"), f"/api/search?{words}")["traces"]
        return [row["traceID"].zfill(32) for row in found]


@pytest.fixture(scope="module")
def tempo() -> Iterator[Tempo]:
    """Run a Tempo alone."""
    with LocalStack(("tempo",)) as stack:
        yield Tempo(stack)


def test_a_trace_is_found_by_id_and_by_search(tempo: Tempo) -> None:
    """A trace that was sent is there by its id at once, and by TraceQL soon after."""
    trace = secrets.token_hex(16)
    tempo.send(trace, 3)
    assert len(tempo.spans(trace)) == 3
    assert eventually(lambda: tempo.search(f'{{name = "of {trace}"}}')) == [trace]


def test_a_trace_that_goes_on_is_one_trace(tempo: Tempo) -> None:
    """Spans that come after a trace was written belong to it by its id and in search."""
    trace = secrets.token_hex(16)
    tempo.send(trace, 2, part="first")
    eventually(lambda: tempo.search(f'{{name = "of {trace}"}}'))
    tempo.send(trace, 2, part="second")
    assert len(tempo.spans(trace)) == 4
    assert eventually(lambda: tempo.search(f'{{name = "of {trace}" && span.part = "second"}}')) == [trace]


def test_long_attributes_are_kept(tempo: Tempo) -> None:
    """An attribute of 60 KB is stored as it is; Tempo's own limit is 2 KB."""
    trace, value = secrets.token_hex(16), "x" * 60_000
    tempo.send(trace, 1, long=value)
    (span,) = tempo.spans(trace)
    assert span["attributes"][0]["value"]["stringValue"] == value


def test_big_traces_are_kept(tempo: Tempo) -> None:
    """A request of 40 MB for one trace is stored whole; Tempo's own limit is 5 MB, and it says nothing."""
    trace = secrets.token_hex(16)
    tempo.send(trace, 1_000, a="x" * 40_000)
    assert len(tempo.spans(trace)) == 1_000


def test_it_stops_though_it_was_just_asked_and_forgets_nothing(tmp_path: Path) -> None:
    """Tempo, which hangs at its end after a query, is stopped in its time, and what it acknowledged is there again."""
    trace = secrets.token_hex(16)
    with LocalStack(("tempo",), data_dir=tmp_path) as stack:
        tempo = Tempo(stack)
        tempo.send(trace, 5)
        tempo.search("{}")
        slow = shutdown.end(stack._started.files)
    assert slow == []
    with LocalStack(("tempo",), data_dir=tmp_path) as stack:
        assert len(Tempo(stack).spans(trace)) == 5
