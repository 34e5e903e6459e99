"""Read the small files of /proc and /sys: the often read ones through descriptors that stay open.

Opening and closing costs more than reading. A descriptor of /proc belongs to the process that opened it, so a forked
child has to close what it inherited.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

CHUNK_BYTES = 16_384
# /proc gives a table out in pieces of whole lines that fill a page as well as they can. A piece that leaves more room
# than any line of ours takes is the last one, and asking for more would cost a third of all reading.
LAST_PIECE_BYTES = 2_048


class Reader:
    """Read files below ``root``; what cannot be read is b"" and stands in ``problems`` with its reason."""

    def __init__(self, root: str | Path = "/") -> None:
        self.root = str(root).rstrip("/")
        self.problems: dict[str, str] = {}
        self._descriptors: dict[str, int] = {}
        self._files: dict[str, tuple[int, int]] = {}  # device and inode

    def read(self, path: str) -> bytes:
        """Return the whole file, such as ``proc/stat``, through a descriptor that is kept."""
        try:
            descriptor = self._descriptors.get(path)
            if descriptor is None:
                descriptor = self._open(path)
            data = os.pread(descriptor, CHUNK_BYTES, 0)
            if len(data) > LAST_PIECE_BYTES:
                data += _rest(descriptor, len(data))
        except OSError as error:
            self._forget(path, error)
            return b""
        if self.problems:
            self.problems.pop(path, None)
        return data

    def read_once(self, path: str) -> bytes:
        """Return the whole file, its lines however long, without keeping it open: for what is read seldom."""
        try:
            descriptor = os.open(f"{self.root}/{path}", os.O_RDONLY)
            try:
                data = _rest(descriptor, 0)
            finally:
                os.close(descriptor)
        except OSError as error:
            self.problems[path] = _reason(error)
            return b""
        self.problems.pop(path, None)
        return data

    def size(self, path: str) -> int | None:
        """Return the size that the kernel gives for a file or folder, None when it is not there."""
        try:
            return os.stat(f"{self.root}/{path}").st_size  # noqa: PTH116 -- a Path costs more than the call
        except OSError:
            return None

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder; an unreadable folder has none."""
        try:
            found = os.listdir(f"{self.root}/{folder}")  # noqa: PTH208 -- a Path per name costs ten times as much
        except OSError as error:
            self.problems[folder] = _reason(error)
            return []
        self.problems.pop(folder, None)
        return found

    def exists(self, path: str) -> bool:
        """Say whether a file or folder is there."""
        return os.path.exists(f"{self.root}/{path}")  # noqa: PTH110 -- Path.exists() raises for too long a path

    def close(self) -> None:
        """Close every descriptor; the next read opens them again."""
        for path in list(self._descriptors):
            self._close(path)

    def _open(self, path: str) -> int:
        descriptor = self._descriptors[path] = os.open(f"{self.root}/{path}", os.O_RDONLY)
        self._files[path] = _file(descriptor)
        return descriptor

    def _forget(self, path: str, error: OSError) -> None:
        self.problems[path] = _reason(error)
        if path in self._descriptors:
            self._close(path)

    def _close(self, path: str) -> None:
        descriptor, file = self._descriptors.pop(path), self._files.pop(path)
        # A program that turns into a daemon closes descriptors that it does not know, and then the number may belong
        # to a file of its own.
        with contextlib.suppress(OSError):
            if _file(descriptor) == file:
                os.close(descriptor)


def _file(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _rest(descriptor: int, size: int) -> bytes:
    data = b""
    while piece := os.pread(descriptor, CHUNK_BYTES, size + len(data)):
        data += piece
    return data


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
