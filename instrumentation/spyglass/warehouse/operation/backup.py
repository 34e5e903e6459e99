"""Write everything that a warehouse stores into a folder, while it serves.

The folder is the caller's, not the engine's: the engine runs as another user, or on another machine, so its own BACKUP
could not write there. Each partition is as it was at one moment; rows that come during the backup may be in it or not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import lz4.frame

from spyglass.errors import BackupError
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.migrations import DONE
from spyglass.warehouse.operation import manifest, stored
from spyglass.warehouse.operation.manifest import Digest, File, Manifest
from spyglass.warehouse.operation.stored import Table

_SCHEMA = "schema.sql"
_DDL = "SELECT create_table_query AS ddl FROM system.tables WHERE database = 'spyglass' ORDER BY engine, name"
_MIGRATIONS = """
SELECT name, checksum FROM spyglass.schema_migrations FINAL WHERE state = {done:String} ORDER BY number
"""


def backup(client: Warehouse, folder: Path, report: Callable[[str], None]) -> Manifest:
    """Write a backup into a new or empty folder and return its manifest, which is written last.

    Raises BackupError when the folder is in use or cannot be written, WarehouseError when the warehouse fails.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BackupError(str(folder), "the folder is not empty.", "Name a new one.")
        return _write(client, folder, report)
    except OSError as error:
        raise BackupError(str(folder), f"it cannot be written ({error.strerror}).") from None


def _write(client: Warehouse, folder: Path, report: Callable[[str], None]) -> Manifest:
    ran = {row["name"]: row["checksum"] for row in client.rows(_MIGRATIONS, done=DONE)}
    tables = stored.tables(client)
    schema = folder / _SCHEMA
    schema.write_text("\n\n".join(f"{row['ddl']};" for row in client.rows(_DDL)) + "\n", encoding="utf-8")
    files = [File(_SCHEMA, "", 0, 0, manifest.sha256(schema))]
    for table in tables:
        for partition in stored.partitions(client, table):
            files.append(_write_partition(client, folder, table, partition))
            report(f"{table.name}, partition {partition}: {files[-1].rows} rows")
    made = Manifest(ran, {table.name: table.columns for table in tables}, files)
    manifest.write(folder, made)
    return made


def _write_partition(client: Warehouse, folder: Path, table: Table, partition: str) -> File:
    path = folder / table.name / f"{partition}.tsv.lz4"
    path.parent.mkdir(exist_ok=True)
    digest = Digest()
    with lz4.frame.open(path, "wb", content_checksum=True) as stream:
        for piece in stored.text(client, table, partition):
            digest.update(piece)
            stream.write(piece)
    return File(str(path.relative_to(folder)), table.name, digest.rows, digest.sum, manifest.sha256(path))
