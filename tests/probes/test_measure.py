import os

from spyglass.probes.measure import cost


def test_cost() -> None:
    """The parts add up to the total, and the probes' files are closed afterwards."""
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 -- the number of descriptors
    found = cost(collections=20)
    assert found["total_seconds"] == found["read_parse_seconds"] + found["points_serialise_seconds"] > 0
    assert found["collections"] == 20
    assert found["series"] > 50
    assert found["bytes"] > 5_000
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 -- the number of descriptors
