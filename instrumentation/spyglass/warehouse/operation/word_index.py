"""Keep an index of the words in prompts and outputs, for who wants it: it finds a word without reading the texts.

It costs: an index is about as large as the compressed text, and inserts become dearer the more rows a partition holds
(figures below, measured with texts of 1.06 KB a span). Without it a search reads every text of its range.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from spyglass.errors import WarehouseError
from spyglass.warehouse.client import Warehouse

TABLE = "span_content"
# Index → expression; the question search_prompts asks in the same words, else the engine would not use it.
INDEXES = {"input_words": "lowerUTF8(input)", "output_words": "lowerUTF8(output)"}
BYTES_PER_SPAN = (165, 185)
INSERTS_DEARER = (3, 5)
_POLL_SECONDS = 0.5
_TYPE = "TYPE text(tokenizer = 'splitByNonAlpha')"
_HAS = """
SELECT name, data_compressed_bytes AS bytes FROM system.data_skipping_indices
WHERE database = 'spyglass' AND table = {table:String} AND name IN {names:Array(String)}
"""
_PARTS = """
SELECT sum(rows) AS rows, sum(bytes_on_disk) AS bytes
FROM system.parts WHERE database = 'spyglass' AND table = {table:String} AND active
"""
_UNDER_WAY = """
SELECT max(parts_to_do) AS parts, max(latest_fail_reason) AS reason FROM system.mutations
WHERE database = 'spyglass' AND table = {table:String} AND NOT is_done AND match(command, '(input|output)_words')
"""


@dataclass(frozen=True, slots=True)
class Status:
    """Say whether new texts are indexed, and how large the table and the index are on disk.

    ``building_parts`` are the parts that a mutation has still to read or to clean.
    """

    on: bool
    rows: int
    bytes: int
    index_bytes: int
    building_parts: int


def status(client: Warehouse) -> Status:
    """Return how the index stands."""
    found = client.rows(_HAS, table=TABLE, names=list(INDEXES))
    (parts,) = client.rows(_PARTS, table=TABLE)
    (work,) = client.rows(_UNDER_WAY, table=TABLE)
    return Status(
        on=len(found) == len(INDEXES),
        rows=int(parts["rows"]),
        bytes=int(parts["bytes"]),
        index_bytes=sum(int(row["bytes"]) for row in found),
        building_parts=int(work["parts"]),
    )


def switch_on(client: Warehouse) -> None:
    """Index the texts that come from now on, and earlier ones when the engine merges them."""
    _alter(client, *(f"ADD INDEX IF NOT EXISTS {name} {what} {_TYPE}" for name, what in INDEXES.items()))


def materialise(client: Warehouse, report: Callable[[str], None]) -> None:
    """Index every text that is stored, and return when that is done; raises WarehouseError where it fails."""
    _alter(client, *(f"MATERIALIZE INDEX {name}" for name in INDEXES))
    _wait(client, report)


def switch_off(client: Warehouse, report: Callable[[str], None]) -> None:
    """Remove the index and return when its files are gone; the texts stay."""
    _alter(client, *(f"DROP INDEX IF EXISTS {name}" for name in INDEXES))
    _wait(client, report)


def _alter(client: Warehouse, *actions: str) -> None:
    client.execute(f"ALTER TABLE spyglass.{TABLE} {', '.join(actions)} SETTINGS mutations_sync = 0, alter_sync = 0")


def _wait(client: Warehouse, report: Callable[[str], None]) -> None:
    said = 0
    while True:
        (work,) = client.rows(_UNDER_WAY, table=TABLE)
        if work["reason"]:
            raise WarehouseError(f"The index cannot be built: {work['reason']}", "The engine goes on trying.")
        if not work["parts"]:
            return
        if work["parts"] != said:
            said = work["parts"]
            report(f"{said} parts to do")
        time.sleep(_POLL_SECONDS)
