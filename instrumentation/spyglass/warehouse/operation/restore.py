"""Bring a backup into an empty warehouse, and compare what it holds then with what was backed up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import lz4.frame

from spyglass.errors import BackupError
from spyglass.warehouse import dictionaries, migrations
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.operation import manifest, stored
from spyglass.warehouse.operation.manifest import Digest, Manifest
from spyglass.warehouse.prices import table as price_table
from spyglass.warehouse.statements import quote

_PIECE_BYTES = 16 << 20
# A new warehouse has prices from its first start on; those of the backup take their place.
_FILLED_AT_START = (
    "dim_date",
    "dim_hour",
    "model_prices",
    "model_price_misses",
    "resource_prices",
    "price_changes",
    "price_book_versions",
)


def restore(client: Warehouse, folder: Path, report: Callable[[str], None]) -> Manifest:
    """Restore a backup and return its manifest.

    Everything that can be checked is checked before anything is written. Raises BackupError when the backup is damaged,
    incomplete or from a newer version, when the warehouse has rows, and when it holds something else afterwards.
    """
    found = manifest.read(folder)
    manifest.check_files(folder, found)
    files = migrations.load()
    _check_version(folder, found, {file.name: file.checksum for file in files})
    _check_empty(client, folder)
    migrations.apply(client, files, report)
    _check_columns(client, folder, found)
    for table in _FILLED_AT_START:
        client.execute(f"TRUNCATE TABLE IF EXISTS spyglass.{table}")
    for file in found.files:
        if file.table:
            for piece in _lines(folder / file.path):
                client.insert_data(f"spyglass.{quote(file.table)}", found.columns[file.table], piece, stored.FORMAT)
            report(f"{file.path}: {file.rows} rows")
    _compare(client, folder, found)
    price_table.synchronise(client)  # those of the backup may be of an older price list
    dictionaries.reload_prices(client)
    return found


def _check_version(folder: Path, found: Manifest, files: Mapping[str, str]) -> None:
    for name, checksum in found.migrations.items():
        if files.get(name) != checksum:
            raise BackupError(
                str(folder),
                f"its schema has migration {name}, which this version of spyglass does not know.",
                "Restore it with the version that wrote it, or a newer one.",
            )


def _check_empty(client: Warehouse, folder: Path) -> None:
    for table in stored.tables(client):
        if table.name not in _FILLED_AT_START and (rows := stored.rows(client, table)):
            raise BackupError(
                str(folder),
                f"the warehouse is not empty: {table.name} has {rows} rows.",
                "Restore into a new one: spyglass warehouse serve with another SPYGLASS_DATA_DIR.",
            )


def _check_columns(client: Warehouse, folder: Path, found: Manifest) -> None:
    columns = {table.name: set(table.columns) for table in stored.tables(client)}
    for table, wanted in found.columns.items():
        missing = sorted(set(wanted) - columns.get(table, set()))
        if missing:
            raise BackupError(str(folder), f"the warehouse has no column {missing[0]} of the table {table}.")


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the text of a file in pieces of whole lines."""
    rest = b""
    with lz4.frame.open(path, "rb") as stream:
        while piece := stream.read(_PIECE_BYTES):
            end = piece.rfind(b"\n") + 1
            if end:
                yield rest + piece[:end]
                rest = piece[end:]
            else:
                rest += piece


def _compare(client: Warehouse, folder: Path, found: Manifest) -> None:
    """Raise BackupError unless each table holds the rows that were backed up, each exactly as it was."""
    expected = found.totals()
    for table in stored.tables(client):
        if table.name in expected:
            digest = Digest()
            there = stored.Table(table.name, found.columns[table.name], table.replaces)
            for partition in stored.partitions(client, there):
                for piece in stored.text(client, there, partition):
                    digest.update(piece)
            rows, total = expected[table.name]
            if (digest.rows, digest.sum) != (rows, total):
                raise BackupError(
                    str(folder),
                    f"after the restore {table.name} has {digest.rows} rows, and not the {rows} of the backup as they "
                    "were.",
                    "Restore into a new warehouse that nobody writes to, with the same or a longer retention.",
                )
