"""Cut the base into batches of whole traces, as Native blocks of spans that happened just now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from spyglass.bench.warehouse import wire
from spyglass.bench.warehouse.telemetry import RECENT
from spyglass.warehouse.client import Warehouse

# No trace is pressed together more than this; its spans lie in the last two of these before now.
WITHIN = timedelta(seconds=10)
# A trace can be sent in as many pieces: piece p has the spans of which the number ends with p.
PIECES = 10
_SIZES = """
SELECT
    trace_no, count() AS spans,
    arrayMap(piece -> countEqual(groupArray(span_no % {pieces:UInt8}), piece), range({pieces:UInt8})) AS pieces
FROM bench.base GROUP BY trace_no ORDER BY trace_no
"""


@dataclass(frozen=True, slots=True)
class Slice:
    """Name the traces from first to last, and say how many spans they have, and how many each piece of them."""

    first: int
    last: int
    pieces: tuple[int, ...]

    @property
    def spans(self) -> int:
        """Return how many spans it has."""
        return sum(self.pieces)

    @property
    def where(self) -> str:
        """Return the condition on the base."""
        return f"trace_no BETWEEN {self.first} AND {self.last}"


def slices(warehouse: Warehouse, spans: int) -> Iterator[Slice]:
    """Yield traces of the base that together have at least so many spans, until no more is left."""
    found: list[dict[str, Any]] = []
    for row in warehouse.rows(_SIZES, pieces=PIECES):
        found.append(row)
        if sum(each["spans"] for each in found) >= spans:
            pieces = tuple(map(sum, zip(*(each["pieces"] for each in found), strict=True)))
            yield Slice(found[0]["trace_no"], row["trace_no"], pieces)
            found = []


def now(where: str, replica: int, organization: str = "", suffix: str = "") -> wire.Part:
    """Return the part of the base that a condition names, as if it had happened in the last seconds."""
    days = range(RECENT + 1)
    begin = datetime.now(UTC) - 2 * WITHIN
    return wire.Part(
        days, [replica] * len(days), [begin] * len(days), where, WITHIN, organization=organization, suffix=suffix
    )
