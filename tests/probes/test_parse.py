from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.probes import parse
from tests.probes.trees import PROC

PARSERS: dict[Callable[[bytes], Any], str] = {
    parse.cpu_ticks: "stat",
    parse.cpu_count: "stat",
    parse.boot_seconds: "stat",
    parse.frequencies: "cpuinfo",
    parse.load: "loadavg",
    parse.uptime_seconds: "uptime",
    parse.meminfo: "meminfo",
    parse.vmstat: "vmstat",
    parse.pressure: "pressure/io",
    parse.disks: "diskstats",
    parse.interfaces: "net/dev",
    parse.mounts: "self/mountinfo",
    parse.block_filesystems: "filesystems",
    parse.process_stat: "self/stat",
    parse.process_io: "self/io",
}


def numbers_in(found: Any) -> Iterable[float]:
    """Yield every number in what a parser returned."""
    if isinstance(found, int | float):
        yield found
    elif isinstance(found, dict):
        yield from numbers_in(list(found.values()))
    elif isinstance(found, list | tuple):
        for part in found:
            yield from numbers_in(part)


def run(parser: Callable[[bytes], Any], text: bytes) -> Any:
    """Return what a parser makes of a text, as something that is not an iterator."""
    found = parser(text)
    return list(found) if hasattr(found, "__next__") else found


@given(parser=st.sampled_from([*PARSERS]), text=st.binary(max_size=300))
def test_arbitrary_bytes(parser: Callable[[bytes], Any], text: bytes) -> None:
    """No parser raises, whatever the kernel prints, and no number is one that OTLP cannot hold."""
    for number in numbers_in(run(parser, text)):
        assert 0 <= number <= parse.LARGEST


@given(data=st.data(), parser=st.sampled_from([*PARSERS]))
def test_damaged_texts(parser: Callable[[bytes], Any], data: st.DataObject) -> None:
    """No parser raises for a real text of which a piece is replaced by other bytes, or that ends too early."""
    text = PROC[PARSERS[parser]].encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    other = data.draw(st.one_of(st.binary(max_size=20), st.integers().map(lambda number: str(number).encode())))
    for number in numbers_in(run(parser, text[:start] + other + text[end:])):
        assert 0 <= number <= parse.LARGEST


@pytest.mark.parametrize(("parser", "name"), PARSERS.items())
def test_real_texts(parser: Callable[[bytes], Any], name: str) -> None:
    """Every parser finds something in what a kernel prints."""
    assert run(parser, PROC[name].encode())


@given(fields=st.lists(st.integers(0, parse.LARGEST), min_size=1))
def test_numbers(fields: list[int]) -> None:
    """Whole numbers up to the largest of OTLP come back as they are."""
    assert parse.numbers([str(field).encode() for field in fields]) == fields


@pytest.mark.parametrize("field", [b"-1", b"x", b"", b"1.5", b"9223372036854775808", b"9" * 5000])
def test_no_numbers(field: bytes) -> None:
    """A field that is no number that a counter can have takes its row with it."""
    assert parse.numbers([b"1", field]) == []


def test_number_at_the_cut_end() -> None:
    """A number that a cut text ends in may lack digits, and is not believed."""
    assert parse.meminfo(b"MemTotal: 1600 kB\nMemFree: 40") == {"MemTotal": 1600 * 1024}
    assert parse.vmstat(b"pgfault 5000\npgmajfault 4") == {"pgfault": 5000}


def test_command_with_brackets() -> None:
    """A process may be named like a column of its own line."""
    assert parse.process_stat(PROC["self/stat"].encode()) == parse.ProcessStat(12, 250_000, 104_857_600, 2560)


def test_escaped_mount_point() -> None:
    """A space in a mount point is written in octal, and bytes that are no text are kept for the kernel."""
    (mount,) = parse.mounts(b"1 0 8:1 / /a\\040b\xff rw - ext4 /dev/sda1 rw\n")
    assert mount.point == b"/a b\xff"


def test_interface_without_space() -> None:
    """Old kernels leave no space between an interface and its first counter."""
    assert [*parse.interfaces(b"eth0:1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n")] == [(b"eth0", [1, 2, 3, 4, 5, 6, 7, 8])]
