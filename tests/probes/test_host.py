import os

import pytest

from spyglass.probes.host import HostProbe
from spyglass.probes.probe import FindingState
from tests.probes.trees import STAT, Clock, Make, Tree, only, values


def test_processor(make: Make) -> None:
    """CPU time is in seconds by mode since boot, and a guest's time is not counted twice."""
    found = values(make().collect())
    assert only(found, "system.cpu.time") == {
        ("user",): 10.0,
        ("nice",): 0.2,
        ("system",): 3.0,
        ("idle",): 400.0,
        ("iowait",): 0.5,
        ("interrupt",): 0.13,
        ("steal",): 0.08,
    }
    assert found["system.cpu.logical.count",] == 2
    assert found["system.cpu.physical.count",] == 1
    assert found["system.cpu.frequency",] == 2_599_999_000
    assert [found[f"spyglass.system.load.{minutes}m",] for minutes in (1, 5, 15)] == [0.27, 0.32, 0.79]
    assert found["system.uptime",] == 5000.25
    assert found["system.process.count",] == 3
    assert not only(found, "system.cpu.utilization")


def test_utilization(tree: Tree, make: Make) -> None:
    """Utilisation is the share of each mode since the collection before, and stands while no tick passes."""
    probe = make()
    probe.collect()
    tree.replace("proc/stat", "cpu  1000 20 300 40000", "cpu  1060 20 320 40020")
    expected = {"user": 0.6, "nice": 0.0, "system": 0.2, "idle": 0.2, "iowait": 0.0, "interrupt": 0.0, "steal": 0.0}
    for _ in range(2):
        shares = only(values(probe.collect()), "system.cpu.utilization")
        assert {mode: share for (mode,), share in shares.items()} == pytest.approx(expected)


def test_step_back(tree: Tree, make: Make) -> None:
    """Idle time that steps back a little keeps its value: it must not look like a counter that began anew."""
    probe = make()
    probe.collect()
    tree.replace("proc/stat", "40000 50", "39990 51")
    assert values(probe.collect())["system.cpu.time", "idle"] == 400.0
    tree.replace("proc/stat", "39990 51", "40100 51")
    assert values(probe.collect())["system.cpu.time", "idle"] == 401.0


def test_reset_of_processor_time(tree: Tree, make: Make) -> None:
    """CPU time that falls far was reset: the new value is told, and no utilisation."""
    probe = make()
    probe.collect()
    tree.replace("proc/stat", "cpu  1000 20 300 40000", "cpu  1 0 3 400")
    found = values(probe.collect())
    assert found["system.cpu.time", "idle"] == 4.0
    assert not only(found, "system.cpu.utilization")


def test_old_kernel(tree: Tree, make: Make) -> None:
    """A kernel that prints four modes gives four series, not zeros for the rest."""
    tree.write("proc/stat", "cpu  1000 20 300 40000\ncpu0 1000 20 300 40000\nbtime 1700000000\n")
    assert [*only(values(make().collect()), "system.cpu.time")] == [("user",), ("nice",), ("system",), ("idle",)]


def test_frequency_from_cpufreq(tree: Tree, make: Make, clock: Clock) -> None:
    """Where there is cpufreq, the frequency is the mean of its files, read again after 15 seconds."""
    for cpu, kilohertz in enumerate((1_000_000, 3_000_000)):
        tree.write(f"sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_cur_freq", f"{kilohertz}\n")
    probe = make()
    assert values(probe.collect())["system.cpu.frequency",] == 2_000_000_000
    tree.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "5000000\n")
    assert values(probe.collect())["system.cpu.frequency",] == 2_000_000_000
    clock.now += 15
    assert values(probe.collect())["system.cpu.frequency",] == 4_000_000_000


def test_no_frequency(tree: Tree, make: Make) -> None:
    """A machine that does not tell its frequency has no point of it, and a line says so."""
    tree.write("proc/cpuinfo", "processor\t: 0\nBogoMIPS\t: 50.00\n")
    probe = make()
    found = values(probe.collect())
    assert ("system.cpu.frequency",) not in found
    assert found["system.cpu.physical.count",] == 1
    assert any("CPU frequency" in finding.sentence for finding in probe.findings())


def test_memory(make: Make) -> None:
    """Memory by state adds up to the limit, and cached includes reclaimable slab."""
    found = values(make().collect())
    usage = only(found, "system.memory.usage")
    kib = 1024
    assert usage == {
        ("used",): 4_800_000 * kib,
        ("free",): 4_000_000 * kib,
        ("buffers",): 500_000 * kib,
        ("cached",): 6_700_000 * kib,
    }
    assert found["system.memory.limit",] == sum(usage.values()) == 16_000_000 * kib
    assert sum(only(found, "system.memory.utilization").values()) == pytest.approx(1.0)
    assert found["system.memory.linux.available",] == 11_000_000 * kib


def test_swap_and_paging(make: Make) -> None:
    """Swap is told by state, faults by type with the major ones apart, swapped pages by direction."""
    found = values(make().collect())
    assert only(found, "system.paging.usage") == {("used",): 512_000_000, ("free",): 1_536_000_000}
    assert only(found, "system.paging.utilization") == {("used",): 0.25, ("free",): 0.75}
    assert only(found, "system.paging.faults") == {("major",): 40, ("minor",): 4960}
    assert only(found, "system.paging.operations") == {("in",): 7, ("out",): 9}


def test_no_swap(tree: Tree, make: Make) -> None:
    """A host without swap uses 0 bytes of it, and has no utilisation, which would be 0/0."""
    tree.replace(
        "proc/meminfo", "SwapTotal:       2000000 kB\nSwapFree:        1500000", "SwapTotal: 0 kB\nSwapFree: 0"
    )
    found = values(make().collect())
    assert only(found, "system.paging.usage") == {("used",): 0, ("free",): 0}
    assert not only(found, "system.paging.utilization")


def test_missing_rows_of_memory(tree: Tree, make: Make) -> None:
    """A row that the kernel does not print leaves out what needs it, and nothing else."""
    tree.replace("proc/meminfo", "MemAvailable:   11000000 kB\nBuffers:          500000 kB\n", "")
    found = values(make().collect())
    assert [*only(found, "system.memory.usage")] == [("free",), ("cached",)]
    assert ("system.memory.linux.available",) not in found


def test_pressure(make: Make) -> None:
    """Pressure is a counter in seconds and the kernel's share of 10 seconds, without the CPU's undefined full line."""
    found = values(make().collect())
    assert only(found, "spyglass.system.pressure.time") == {
        ("cpu", "some"): 384.591390,
        ("memory", "some"): 1.0,
        ("memory", "full"): 0.5,
        ("io", "some"): 9.758054,
        ("io", "full"): 5.256856,
    }
    assert found["spyglass.system.pressure.share", "cpu", "some"] == pytest.approx(0.0679)


def test_kernel_without_pressure(tree: Tree, make: Make) -> None:
    """A kernel without pressure files gives no points of it, and one line says so."""
    for resource in ("cpu", "memory", "io"):
        tree.remove(f"proc/pressure/{resource}")
    probe = make()
    found = values(probe.collect())
    assert not only(found, "spyglass.system.pressure.time")
    assert not only(found, "spyglass.system.pressure.share")
    (line,) = [finding for finding in probe.findings() if finding.state is FindingState.ABSENT]
    assert line.sentence.startswith("No pressure stall information (proc/pressure/cpu: no such file or directory")


def test_network(make: Make) -> None:
    """Interfaces are told by direction; the loopback and a container's link are not."""
    found = values(make().collect())
    assert only(found, "system.network.io") == {("eth0", "receive"): 1605231701, ("eth0", "transmit"): 5219782}
    assert only(found, "system.network.packet.count") == {("eth0", "receive"): 92308, ("eth0", "transmit"): 50173}
    assert only(found, "system.network.errors") == {("eth0", "receive"): 1, ("eth0", "transmit"): 3}
    assert only(found, "system.network.packet.dropped") == {("eth0", "receive"): 2, ("eth0", "transmit"): 4}


def test_number_that_no_counter_holds(tree: Tree, make: Make) -> None:
    """A line with a number that was negative in the kernel is left out; the other lines are told."""
    tree.write(
        "proc/net/dev",
        "eth0: 18446744073709551615 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n"
        "eth1:7 1 0 0 0 0 0 0 9223372036854775807 1 0 0 0 0 0 0\n",
    )
    found = only(values(make().collect()), "system.network.io")
    assert found == {("eth1", "receive"): 7, ("eth1", "transmit"): 2**63 - 1}


def test_counters_start_at_boot(make: Make) -> None:
    """Every series of the host starts at boot."""
    assert {series.start_ns for series, _ in make().collect()} == {1_700_000_000_000_000_000}


def test_unknown_boot(tree: Tree, make: Make) -> None:
    """Where the time of boot is unknown, the start is unknown, not invented."""
    tree.write("proc/stat", STAT.replace("btime 1700000000\n", ""))
    assert {series.start_ns for series, _ in make().collect()} == {0}


def test_empty_machine(tmp_path: os.PathLike[str]) -> None:
    """A machine that shows nothing gives no values, no error, and a line for each thing that is missing."""
    probe = HostProbe(str(tmp_path))
    assert probe.collect() == []
    lines = [finding.sentence for finding in probe.findings() if finding.state is FindingState.ABSENT]
    assert len(lines) == 11
    assert "No memory (proc/meminfo: no such file or directory)." in lines


def test_file_appears_later(tree: Tree, make: Make) -> None:
    """A file that could not be read at first is read when it can be, and is no problem any more."""
    tree.remove("proc/meminfo")
    probe = make()
    assert not only(values(probe.collect()), "system.memory.limit")
    tree.write("proc/meminfo", "MemTotal:  1 kB\n")
    assert values(probe.collect())["system.memory.limit",] == 1024
    assert not any("meminfo" in finding.sentence for finding in probe.findings())


def test_close_and_go_on(make: Make) -> None:
    """After close() the probe opens its files again."""
    probe = make()
    before = values(probe.collect())
    probe.close()
    assert values(probe.collect()) == before
