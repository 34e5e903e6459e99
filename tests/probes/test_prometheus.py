"""What Prometheus makes of the probes' start times, on a real one with the stack's own settings."""

import json
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from spyglass.probes.catalog import maker
from spyglass.probes.export.points import Points
from spyglass.probes.export.post import Poster
from spyglass.settings import Settings
from spyglass.stack.local import LocalStack

pytestmark = pytest.mark.stack

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
NAME = "process.context_switches"


@pytest.fixture(scope="module")
def prometheus() -> Iterator[str]:
    """Run Prometheus and return its address."""
    with LocalStack(only=["prometheus"]) as stack:
        yield f"http://127.0.0.1:{stack.settings.port('prometheus')}"


def send(url: str, service: str, start_ns: int, collections: Sequence[tuple[int, int]]) -> None:
    """Send the values of one counter as the probes do: (Unix time in ns, value)."""
    points, poster = Points({"service.name": service}), Poster(Settings(endpoint=f"{url}/api/v1/otlp"))
    series = maker(start_ns)(NAME)
    for now, value in collections:
        assert poster.post(points.serialise([(series, value)], now)) == ""
    poster.close()


def increase(url: str, service: str) -> float:
    """Return what the counter rose by from Prometheus' first to its last sample of the last 20 minutes."""
    metric = f'process_context_switches_total{{service_name="{service}"}}'
    query = urlencode({"query": f"{metric}[20m]"})
    (found,) = json.load(urlopen(f"{url}/api/v1/query?{query}"))["data"]["result"]
    values = [float(value) for _, value in found["values"]]
    return sum(later - earlier if later >= earlier else later for earlier, later in pairwise(values))


def test_counter_that_is_older_than_the_stack(prometheus: str) -> None:
    """What was counted days ago is no increase of today, even when the first exports were lost."""
    now = time.time_ns() - 60 * SECOND
    send(prometheus, "old", now - 10 * DAY, [(now + 10 * SECOND, 50_010), (now + 15 * SECOND, 50_015)])
    assert increase(prometheus, "old") == 5


def test_process_that_just_started(prometheus: str) -> None:
    """What a process counted before its first export is an increase since its start."""
    now = time.time_ns() - 60 * SECOND
    send(prometheus, "young", now - 2 * SECOND, [(now, 40), (now + 5 * SECOND, 45)])
    assert increase(prometheus, "young") == 45


def test_restart_of_the_probe(prometheus: str) -> None:
    """A probe that starts again goes on with the series, and what was counted meanwhile is an increase."""
    now = time.time_ns() - 60 * SECOND
    send(prometheus, "restarted", now - 10 * DAY, [(now, 100), (now + 5 * SECOND, 101)])
    send(prometheus, "restarted", now - 10 * DAY, [(now + 20 * SECOND, 120), (now + 25 * SECOND, 121)])
    assert increase(prometheus, "restarted") == 21


def test_reset(prometheus: str) -> None:
    """A counter that began anew rises by its new value, and by no more."""
    now = time.time_ns() - 60 * SECOND
    send(prometheus, "reset", now - 10 * DAY, [(now, 100), (now + 5 * SECOND, 7), (now + 10 * SECOND, 9)])
    assert increase(prometheus, "reset") == 9
