"""The catalogue against what the probes really send, both ways."""

import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pynvml
import pytest

from spyglass.names import Instrument
from spyglass.probes.catalog import CATALOG, ENTRIES, Sample, read
from spyglass.probes.document import README, documented
from spyglass.probes.export.loop import FAILURES
from spyglass.probes.gpu import GpuProbe
from spyglass.probes.host import HostProbe
from spyglass.probes.portable import PortableHost, PortableProcess
from spyglass.probes.probe import Probe
from spyglass.probes.process import ProcessProbe
from tests.probes.false_nvml import Gpu, Library
from tests.probes.trees import Clock, Tree

UNITS = {"s", "1", "By", "Hz", "Cel", "W", "J"}
COUNTED = re.compile(r"\{[a-z_]+\}")
# What comes from OpenTelemetry's conventions starts so; everything else is ours.
CONVENTIONS = ("system.", "process.", "hw.")


@pytest.fixture
def samples(tree: Tree, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Sample]]:
    """Return what all probes tell of a machine that has everything, by probe."""
    monkeypatch.setattr(pynvml, "nvmlLib", Library(Gpu(slices=[Gpu(uuid="MIG-1")])))
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    host, process = HostProbe(tree.root, clock=clock), ProcessProbe()
    probes: list[Probe] = [host, process, GpuProbe(pynvml), PortableHost(psutil), PortableProcess(psutil.Process(), 2)]
    for probe in probes:
        probe.collect()
    tree.replace("proc/stat", "cpu  1000", "cpu  1001")
    return [(probe.name, sample) for probe in probes for sample in probe.collect()]


def test_nothing_is_sent_that_is_not_in_the_catalogue(samples: list[tuple[str, Sample]]) -> None:
    """Every value has its row, its probe, its type, and no attribute that the row does not name."""
    for probe, (series, value) in samples:
        entry = ENTRIES[series.entry.name]
        assert entry.probe == probe, entry.name
        assert type(value) is (int if entry.integer else float) or (not entry.integer and value == 0), entry.name
        assert set(series.attributes) <= set(entry.attributes), entry.name
        assert all(series.attributes.values()), entry.name


def test_nothing_is_in_the_catalogue_that_no_probe_sends(samples: list[tuple[str, Sample]]) -> None:
    """Every row of the catalogue, and every attribute of it, is sent by some probe."""
    sent: dict[str, set[str]] = {FAILURES: {"spyglass.probe.name"}}
    for _, (series, _) in samples:
        sent.setdefault(series.entry.name, set()).update(series.attributes)
    assert sent == {name: set(entry.attributes) for name, entry in ENTRIES.items()}


def test_rows() -> None:
    """A row has a unit of UCUM, a namespace that is right for it, and one sentence; counters and shares have theirs."""
    for entry in ENTRIES.values():
        assert entry.unit in UNITS or COUNTED.fullmatch(entry.unit), entry.name
        assert entry.name.startswith((*CONVENTIONS, "spyglass.")), entry.name
        assert entry.sentence.endswith("."), entry.name
        assert entry.heading, entry.name
        assert "|" not in entry.sentence, entry.name
        if entry.name.endswith((".utilization", ".share")):
            assert (entry.instrument, entry.unit) == (Instrument.GAUGE, "1"), entry.name


def test_names_are_unique() -> None:
    """No metric has two rows: the second would hide the first."""
    rows = [line.split(",")[1] for line in _rows()]
    assert len(rows) == len(set(rows)) == len(ENTRIES)


def _rows() -> Iterator[str]:
    lines = CATALOG.read_text(encoding="utf-8").splitlines()[1:]
    return (line for line in lines if not line.startswith("#"))


def test_documentation() -> None:
    """README.md holds the catalogue as it is; python -m spyglass.probes.document makes it so."""
    text = README.read_text(encoding="utf-8")
    assert documented(text) == text
    assert all(f"| `{name}` |" in text for name in ENTRIES)


def test_row_that_is_too_short(tmp_path: Path) -> None:
    """A broken row is an error at once and not a metric without a unit."""
    file = tmp_path / "catalog.csv"
    file.write_text("probe,name,instrument,value,unit,attributes,sentence\nhost,x,gauge,int\n")
    with pytest.raises(ValueError, match="zip"):
        read(file)
