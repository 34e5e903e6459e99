"""Filesystems and disks of a host."""

import os

from tests.probes.trees import BLOCK, MOUNTINFO, Clock, Make, Tree, only, space, values


def test_filesystems(make: Make) -> None:
    """Each device is told once, at the mount nearest to the root; pseudo, network and image filesystems are not."""
    found = values(make().collect())
    root = ("/dev/nvme0n1p1", "/", "ext4", "rw")
    stick = ("/dev/sdb1", "/mnt/usb stick", "vfat", "ro")
    assert only(found, "system.filesystem.limit") == {root: 1000 * BLOCK, stick: 1000 * BLOCK}
    usage = only(found, "system.filesystem.usage")
    assert [usage[*root, state] // BLOCK for state in ("used", "free", "reserved")] == [600, 300, 100]
    assert found["system.filesystem.utilization", *root, "reserved"] == 0.1


def test_root_of_a_container(tree: Tree, make: Make) -> None:
    """An overlay is told where it is the root, and nowhere else."""
    tree.write(
        "proc/self/mountinfo",
        "1 0 0:30 / / rw - overlay overlay rw,lowerdir=/a\n2 1 0:31 / /var/lib/x/merged rw - overlay overlay2 rw\n",
    )
    assert [*only(values(make().collect()), "system.filesystem.limit")] == [("overlay", "/", "overlay", "rw")]


def test_mount_appears(tree: Tree, make: Make, clock: Clock) -> None:
    """The list of mounts is read again after a minute."""
    probe = make()
    probe.collect()
    tree.write("proc/self/mountinfo", MOUNTINFO + "40 27 8:17 / /data rw - ext4 /dev/sdc1 rw\n")
    assert len(only(values(probe.collect()), "system.filesystem.limit")) == 2
    clock.now += 60
    assert len(only(values(probe.collect()), "system.filesystem.limit")) == 3


def test_filesystem_that_says_nothing(make: Make) -> None:
    """A filesystem that cannot be asked, or has no size, has no points and does not disturb the others."""

    def refuse(point: bytes) -> os.statvfs_result:
        if point == b"/":
            raise PermissionError(13, "Permission denied")
        return space(blocks=0)

    probe = make(statvfs=refuse)
    assert not only(values(probe.collect()), "system.filesystem.limit")
    assert any("space of /" in finding.sentence for finding in probe.findings())


def test_disks(make: Make) -> None:
    """Whole disks of real hardware are told: bytes of 512-byte sectors, seconds of milliseconds."""
    found = values(make().collect())
    assert only(found, "system.disk.io") == {("nvme0n1", "read"): 8000 * 512, ("nvme0n1", "write"): 16000 * 512}
    assert only(found, "system.disk.operations") == {("nvme0n1", "read"): 100, ("nvme0n1", "write"): 200}
    assert only(found, "system.disk.merged") == {("nvme0n1", "read"): 20, ("nvme0n1", "write"): 40}
    assert only(found, "system.disk.operation_time") == {("nvme0n1", "read"): 3.0, ("nvme0n1", "write"): 5.0}
    assert only(found, "system.disk.io_time") == {("nvme0n1",): 7.0}


def test_disk_comes_and_goes(tree: Tree, make: Make) -> None:
    """A disk that is plugged in between two collections is told as long as it is there, as the same series."""
    probe = make()
    probe.collect()
    before = (tree.root / "proc/diskstats").read_text()
    tree.write("sys/block/sdb/device/model", "stick\n")
    with_stick = before + "   8  16 sdb 1 2 3 4 5 6 7 8 9 10 11\n"
    tree.write("proc/diskstats", with_stick)
    first = {series for series, _ in probe.collect() if series.attributes.get("system.device") == "sdb"}
    assert len(first) == 9
    tree.write("proc/diskstats", before)
    assert "sdb" not in {series.attributes.get("system.device") for series, _ in probe.collect()}
    tree.write("proc/diskstats", with_stick)
    assert first <= {series for series, _ in probe.collect()}


def test_hidden_path_of_a_disk(tree: Tree, make: Make) -> None:
    """A hidden path of an NVMe disk is not counted beside the disk."""
    tree.write("sys/block/nvme0c0n1/device/model", "disk\n")
    tree.write("sys/block/nvme0c0n1/hidden", "1\n")
    tree.write("proc/diskstats", " 259 5 nvme0c0n1 1 2 3 4 5 6 7 8 9 10 11\n")
    assert not only(values(make().collect()), "system.disk.io")
