import os
from pathlib import Path

import pytest

from spyglass.probes.reader import CHUNK_BYTES, Reader


def test_kept_descriptor_reads_anew(tmp_path: Path) -> None:
    """A file that is open is read from its beginning each time, through the same descriptor."""
    file = tmp_path / "stat"
    reader = Reader(tmp_path)
    file.write_text("one")
    assert reader.read("stat") == b"one"
    file.write_text("two, longer")
    assert reader.read("stat") == b"two, longer"
    assert len(reader._descriptors) == 1


@pytest.mark.parametrize("size", [0, 1, 2048, 2049, CHUNK_BYTES, CHUNK_BYTES * 3 + 1])
def test_whole_files(tmp_path: Path, size: int) -> None:
    """Files of any length come whole, both ways."""
    (tmp_path / "file").write_bytes(os.urandom(size))
    reader = Reader(tmp_path)
    assert reader.read("file") == reader.read_once("file") == (tmp_path / "file").read_bytes()


@pytest.mark.parametrize("path", ["proc/vmstat", "proc/self/mountinfo", "proc/cpuinfo", "proc/self/limits"])
def test_files_in_pieces(path: str) -> None:
    """What the kernel gives out in pieces of a page ends as it does when read to its end."""
    kept, whole = Reader().read(path), Path("/", path).read_bytes()
    assert kept.count(b"\n") == whole.count(b"\n")
    assert kept.split()[-2:-1] == whole.split()[-2:-1]


def test_missing_and_unreadable(tmp_path: Path) -> None:
    """What cannot be read is empty, with its reason, until it can be read."""
    reader = Reader(tmp_path)
    (tmp_path / "folder").mkdir()
    assert reader.read("missing") == reader.read_once("folder") == b""
    assert reader.names("missing/too") == []
    assert reader.problems == {
        "missing": "no such file or directory",
        "folder": "is a directory",
        "missing/too": "no such file or directory",
    }
    (tmp_path / "missing").write_text("here")
    assert reader.read("missing") == b"here"
    assert "missing" not in reader.problems


def test_foreign_descriptor_is_left_alone(tmp_path: Path) -> None:
    """A descriptor that the application closed and got again for a file of its own is never closed by us."""
    (tmp_path / "ours").write_text("ours")
    (tmp_path / "theirs").write_text("theirs")
    reader = Reader(tmp_path)
    reader.read("ours")
    (descriptor,) = reader._descriptors.values()
    os.close(descriptor)
    theirs = os.open(tmp_path / "theirs", os.O_RDONLY)
    assert theirs == descriptor
    reader.close()
    assert os.read(theirs, 10) == b"theirs"
    os.close(theirs)


def test_closed_descriptor_is_opened_again(tmp_path: Path) -> None:
    """A descriptor that the application closed is opened again at the next reading but one."""
    (tmp_path / "ours").write_text("ours")
    reader = Reader(tmp_path)
    reader.read("ours")
    os.close(*reader._descriptors.values())
    assert reader.read("ours") == b""
    assert reader.read("ours") == b"ours"
    reader.close()
