from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from spyglass.names import Instrument
from spyglass.probes.catalog import ENTRIES, Sample, maker
from spyglass.probes.export.points import SCOPE, Points
from spyglass.probes.host import HostProbe
from spyglass.probes.process import ProcessProbe
from tests.probes.receiver import Point, decode

BOOT = 1_000
RESOURCE = {"service.name": "x", "host.name": "böx"}

series = maker(BOOT)
received = series("system.network.io", {"network.interface.name": "eth0", "network.io.direction": "receive"})
other = series("system.network.io", {"network.interface.name": "eth1", "network.io.direction": "receive"})
used = series("system.memory.usage", {"system.memory.state": "used"})
load = series("spyglass.system.load.1m")


def points(body: bytes) -> dict[tuple[str, ...], Point]:
    """Return the points of a request by name and attribute values."""
    return {(point.name, *point.attributes.values()): point for point in decode(body)[2]}


def test_kinds_units_and_times() -> None:
    """Counters are monotonic sums, up-down counters are sums that are not, gauges have no start."""
    resource, scope, found = decode(Points(RESOURCE).serialise([(received, 5), (used, 7), (load, 0.5)], 2_000))
    assert (resource, scope) == (RESOURCE, SCOPE)
    assert found == [
        Point("system.network.io", dict(received.attributes), Instrument.COUNTER, "By", 5, BOOT, 2_000),
        Point("system.memory.usage", dict(used.attributes), Instrument.UPDOWNCOUNTER, "By", 7, BOOT, 2_000),
        Point("spyglass.system.load.1m", {}, Instrument.GAUGE, "{thread}", 0.5, 0, 2_000),
    ]
    assert [type(point.value) for point in found] == [int, int, float]


def test_description() -> None:
    """The sentence of the catalogue goes with the metric."""
    request = ExportMetricsServiceRequest.FromString(Points({}).serialise([(load, 1.0)], 1))
    (metric,) = request.resource_metrics[0].scope_metrics[0].metrics
    assert metric.description == ENTRIES[metric.name].sentence


def test_one_metric_per_name() -> None:
    """Series of one name are points of one metric, even when others stand between them."""
    request = ExportMetricsServiceRequest.FromString(Points({}).serialise([(received, 1), (load, 1.0), (other, 2)], 1))
    metrics = request.resource_metrics[0].scope_metrics[0].metrics
    assert [(metric.name, len(metric.sum.data_points)) for metric in metrics] == [
        ("system.network.io", 2),
        ("spyglass.system.load.1m", 0),
    ]


def test_values_are_written_in_place() -> None:
    """The second request has the second values and times, and the same series."""
    made = Points(RESOURCE)
    made.serialise([(received, 5), (load, 0.5)], 2_000)
    found = points(made.serialise([(received, 9), (load, 0.25)], 3_000))
    assert [(point.value, point.time_ns) for point in found.values()] == [(9, 3_000), (0.25, 3_000)]


def test_counter_that_falls() -> None:
    """A counter that fell starts at the collection before, and stays with that start; the others keep theirs."""
    made = Points({})
    made.serialise([(received, 100), (other, 1)], 2_000)
    key, second = (("system.network.io", name, "receive") for name in ("eth0", "eth1"))
    for now, value in ((3_000, 4), (4_000, 6)):
        found = points(made.serialise([(received, value), (other, 2)], now))
        assert (found[key].value, found[key].start_ns, found[second].start_ns) == (value, 2_000, BOOT)


def test_series_that_goes_and_comes_back() -> None:
    """A counter that comes back higher goes on from its old start; one that comes back lower began anew."""
    made = Points({})
    made.serialise([(received, 100), (other, 100)], 2_000)
    made.serialise([], 3_000)
    found = points(made.serialise([(received, 120), (other, 20)], 4_000))
    assert [point.start_ns for point in found.values()] == [BOOT, 3_000]
    again = points(made.serialise([(other, 21)], 5_000))
    assert [point.start_ns for point in again.values()] == [3_000]


def test_updowncounter_may_fall() -> None:
    """What is no counter may fall without beginning anew."""
    made = Points({})
    made.serialise([(used, 7), (load, 2.0)], 2_000)
    assert [point.start_ns for point in points(made.serialise([(used, 3), (load, 1.0)], 3_000)).values()] == [BOOT, 0]


def test_empty() -> None:
    """Nothing collected is a request without metrics."""
    assert decode(Points(RESOURCE).serialise([], 1))[2] == []


def test_largest_integer() -> None:
    """The largest counter that OTLP holds arrives exactly."""
    (point,) = points(Points({}).serialise([(received, 2**63 - 1)], 1)).values()
    assert point.value == 2**63 - 1


def test_real_collection_survives() -> None:
    """What the probes tell of this machine arrives value for value."""
    made, probes = Points({}), (HostProbe(), ProcessProbe())
    for _ in range(3):
        samples: list[Sample] = [sample for probe in probes for sample in probe.collect()]
        body = made.serialise(samples, 1)
        sent = {(one.entry.name, *one.attributes.values()): value for one, value in samples}
        assert {key: point.value for key, point in points(body).items()} == sent
