"""Describe a backup: which files it has, what they hold, and from which schema they come.

A backup is a folder: ``manifest.json``, ``schema.sql`` (the tables as they were, to read) and one file per table and
partition, ``table/partition.tsv.lz4``. The manifest is written last, so a folder without one is no backup.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from spyglass.errors import BackupError

NAME = "manifest.json"
_LAYOUT = 1
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class File:
    """Describe a file: its rows, the sum of their digests (see ``Digest``), and the SHA-256 of its bytes."""

    path: str
    table: str
    rows: int
    row_sum: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Describe a backup; ``migrations`` maps the names of the files that had run to their checksums."""

    migrations: dict[str, str]
    columns: dict[str, list[str]]
    files: list[File]

    def totals(self) -> dict[str, tuple[int, int]]:
        """Return rows and sum of each table."""
        found = dict.fromkeys(self.columns, (0, 0))
        for file in self.files:
            if file.table:
                rows, total = found[file.table]
                found[file.table] = (rows + file.rows, (total + file.row_sum) % Digest.MODULUS)
        return found


class Digest:
    """Count rows and add up their digests (64 bits of BLAKE2b of the line), so that their order is of no account."""

    MODULUS = 1 << 64

    def __init__(self) -> None:
        self.rows = 0
        self.sum = 0
        self._rest = b""

    def update(self, data: bytes) -> None:
        """Take more of the text; lines end with a line feed."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.rows += len(lines)
        total = sum(int.from_bytes(hashlib.blake2b(line, digest_size=8).digest(), "little") for line in lines)
        self.sum = (self.sum + total) % self.MODULUS


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, with a checksum of itself."""
    content = asdict(manifest)
    document = {"layout": _LAYOUT, "sha256": _checksum(content), "content": content}
    (folder / NAME).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def read(folder: Path) -> Manifest:
    """Read a backup's manifest; raises BackupError when there is none, or it is not as it was written."""
    try:
        document = json.loads((folder / NAME).read_text(encoding="utf-8"))
        layout, content, expected = document["layout"], document["content"], document["sha256"]
    except FileNotFoundError:
        raise BackupError(str(folder), f"it is incomplete: there is no {NAME}.", "Take the backup again.") from None
    except OSError as error:
        raise BackupError(str(folder), f"{NAME} cannot be read ({error.strerror}).") from None
    except (ValueError, KeyError, TypeError):
        raise _damaged(folder, NAME) from None
    if layout != _LAYOUT:
        raise BackupError(str(folder), f"its layout is {layout}.", "Restore it with the version that wrote it.")
    if _checksum(content) != expected:
        raise _damaged(folder, NAME)
    return Manifest(content["migrations"], content["columns"], [File(**file) for file in content["files"]])


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raise BackupError for the first file that is missing or not as it was written."""
    for file in manifest.files:
        path = folder / file.path
        if not path.is_file():
            raise BackupError(str(folder), f"it is incomplete: {file.path} is missing.", "Restore another backup.")
        if sha256(path) != file.sha256:
            raise _damaged(folder, file.path)


def sha256(path: Path) -> str:
    """Return the checksum of a file."""
    found = hashlib.sha256()
    for piece in _pieces(path):
        found.update(piece)
    return found.hexdigest()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE_BYTES):
            yield piece


def _checksum(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _damaged(folder: Path, name: str) -> BackupError:
    return BackupError(str(folder), f"it is damaged: {name} is not as it was written.", "Restore another backup.")
