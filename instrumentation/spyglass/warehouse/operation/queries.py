"""List what the warehouse was asked, from its query log."""

from __future__ import annotations

from typing import Any, NamedTuple

from spyglass.warehouse.client import Warehouse

# From this time on a statement is slow: nobody who looks at a dashboard waits longer.
SLOW_MS = 1_000
_LISTED = """
SELECT
    at, query_id, user AS user, kind, duration_ms, read_rows, read_bytes, written_rows, written_bytes, result_rows,
    answer_bytes, error_code, statement, client
FROM spyglass.query_log
WHERE ({user:String} = '' OR user = {user:String})
    AND (NOT {slow:Bool} OR duration_ms >= {slow_ms:Float64})
    AND (NOT {failed:Bool} OR error_code != 0)
ORDER BY if({slow:Bool}, duration_ms, 0) DESC, at DESC, query_id
LIMIT {limit:UInt32}
"""


class Wanted(NamedTuple):
    """Say which entries are wanted; ``user`` "" is everybody."""

    user: str = ""
    slow: bool = False
    failed: bool = False
    limit: int = 20


def listed(client: Warehouse, wanted: Wanted) -> list[dict[str, Any]]:
    """Return entries of the log, newest first, or the slowest first where only slow ones are wanted."""
    return client.rows(_LISTED, slow_ms=float(SLOW_MS), **wanted._asdict())
