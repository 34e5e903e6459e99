"""Watch the network interfaces.

The loopback is left out, and so are the host's ends of the links to containers and virtual machines: their names are
random, and their traffic is counted again where it leaves the host.
"""

from __future__ import annotations

from spyglass.probes import parse
from spyglass.probes.catalog import MakeSeries, Sample, Series
from spyglass.probes.reader import Reader

NET_DEV = "proc/net/dev"
LOOPBACK = b"lo"
GUEST_LINKS = (b"veth", b"cali", b"lxc", b"vnet", b"tap")
# What parse.interfaces() gives of each direction: metric, and the attribute that the conventions name the interface by.
COLUMNS = (
    ("system.network.io", "network.interface.name"),
    ("system.network.packet.count", "system.device"),
    ("system.network.errors", "network.interface.name"),
    ("system.network.packet.dropped", "network.interface.name"),
)


class Network:
    """Read the counters of every interface."""

    what = "network interfaces"
    paths = (NET_DEV,)

    def __init__(self, reader: Reader, series: MakeSeries) -> None:
        self._reader = reader
        self._make_series = series
        self._known: dict[bytes, tuple[Series, ...]] = {}

    def collect(self) -> list[Sample]:
        """Return the samples of the interfaces that are there now."""
        samples: list[Sample] = []
        for name, row in parse.interfaces(self._reader.read(NET_DEV), (LOOPBACK,)):
            if name.startswith(GUEST_LINKS):
                continue
            if name not in self._known:
                self._known[name] = self._series(name)
            samples += zip(self._known[name], row, strict=True)
        return samples

    def _series(self, name: bytes) -> tuple[Series, ...]:
        interface = name.decode("utf-8", "replace")
        return tuple(
            self._make_series(metric, {attribute: interface, "network.io.direction": direction})
            for direction in ("receive", "transmit")
            for metric, attribute in COLUMNS
        )
