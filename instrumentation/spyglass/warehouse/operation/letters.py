"""List dead letters, and send them to their tables again.

A letter never leaves the engine for that: its body is read by the table function ``format`` and inserted into the
landing table, whose views do the rest. Rows of one body are halved until the ones that cannot be stored stand alone, so
a poison row does not hold its neighbours; it becomes a letter of its own, as JSON. A letter goes only after its rows
are stored, and rows that come again replace themselves, so a retry that dies half way is simply done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from spyglass.errors import StatementError, UsageError
from spyglass.warehouse import codes
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.statements import quote

# Beyond this many poison rows in one body it is the body that is wrong: each of them costs a dozen inserts.
_MOST_POISON_ROWS = 100
_ROW_LETTERS_AT_ONCE = 1000

_LIST = """
SELECT received_at, source, table_name, column_names, reason, error_code, rows, bytes, hex(body_hash) AS id
FROM spyglass.dead_letters FINAL
WHERE ({table:String} = '' OR table_name = {table:String})
    AND (empty({ids:Array(String)}) OR has({ids:Array(String)}, id))
ORDER BY received_at DESC, id
LIMIT {limit:UInt64}
"""
_NOW = "SELECT toString(now64(3, 'UTC')) AS now"
_KEY = "source = {source:String} AND table_name = {table:String} AND has({ids:Array(String)}, hex(body_hash))"
# What came again meanwhile is a newer version, and stays.
_OLD = _KEY + " AND received_at < toDateTime64({before:String}, 3, 'UTC')"
_LEFT = f"SELECT hex(body_hash) AS id, reason FROM spyglass.dead_letters FINAL WHERE {_KEY}"  # noqa: S608 -- own parts
_DELETE = f"DELETE FROM spyglass.dead_letters WHERE {_OLD}"  # noqa: S608 -- own parts
_NEW_REASON = f"""
INSERT INTO spyglass.dead_letters
    (received_at, source, table_name, column_names, reason, error_code, rows, bytes, body)
SELECT received_at, source, table_name, column_names, {{reason:String}}, {{code:Int32}}, rows, bytes, body
FROM spyglass.dead_letters FINAL WHERE {_KEY}
"""  # noqa: S608 -- own parts

# Bodies of source "insert": the rows of one Native body, in their order.
_BLOCK = f"format(Native, (SELECT body FROM spyglass.dead_letters FINAL WHERE {_KEY} LIMIT 1))"  # noqa: S608 -- own parts
_COUNT = f"SELECT count() AS rows FROM {_BLOCK}"  # noqa: S608 -- own parts
_RANGE = "LIMIT {rows:UInt64} OFFSET {first:UInt64} SETTINGS max_threads = 1"
# NaN and infinities are values of metrics, but none of JSON: they are written in quotes, and read back so.
_ROW_LETTER = f"""
INSERT INTO spyglass.dead_letters (received_at, source, table_name, reason, error_code, rows, bytes, body)
SELECT toDateTime64({{at:String}}, 3, 'UTC'), 'row', {{table:String}}, {{reason:String}}, {{code:Int32}}, 1,
    length(body), formatRowNoNewline('JSONEachRow', *) AS body
FROM {_BLOCK} {_RANGE}, output_format_json_quote_denormals = 1
"""  # noqa: S608 -- own parts

# Bodies of source "row": one JSON object each. A null would become 0 where the column has none: it is refused instead.
_STRUCTURE = """
(SELECT arrayStringConcat(
    arrayMap(c -> concat('`', c.2, '` ', c.3), arraySort(groupArray((position, name, type)))), ', ')
FROM system.columns WHERE database = 'spyglass' AND table = {table:String})
"""
_BODIES = f"(SELECT arrayStringConcat(groupArray(body), '\\n') FROM spyglass.dead_letters FINAL WHERE {_KEY})"  # noqa: S608 -- own parts
_OBJECTS = f"format(JSONEachRow, {_STRUCTURE}, {_BODIES}) SETTINGS input_format_null_as_default = 0"


@dataclass(frozen=True, slots=True)
class Retried:
    """Say what became of one letter: rows that are stored now, rows that are still dead letters and why."""

    id: str
    table_name: str
    stored: int
    left: int
    reason: str = ""


def listed(client: Warehouse, table: str = "", limit: int = 20, ids: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return dead letters without their bodies, newest first; of one landing table, or with these ids, where given."""
    return client.rows(_LIST, table=table, limit=limit, ids=list(ids))


def retry(client: Warehouse, letters: Sequence[dict[str, Any]]) -> Iterator[Retried]:
    """Send the listed letters to their tables again and yield what became of each.

    Raises WarehouseError when the warehouse cannot be asked.
    """
    before = str(client.rows(_NOW)[0]["now"])

    def kind(letter: dict[str, Any]) -> tuple[str, str]:
        return letter["source"], letter["table_name"]

    for (source, table), group in groupby(sorted(letters, key=kind), kind):
        found = list(group)
        if source == "insert":
            for letter in found:
                yield _retry_block(client, letter, before)
        else:
            for start in range(0, len(found), _ROW_LETTERS_AT_ONCE):
                ids = [letter["id"] for letter in found[start : start + _ROW_LETTERS_AT_ONCE]]
                yield from _retry_rows(client, {"source": source, "table": table}, ids, before)


def check_ids(letters: Sequence[dict[str, Any]], ids: Sequence[str]) -> None:
    """Raise UsageError for an id that none of the listed letters has."""
    missing = sorted(set(ids) - {letter["id"] for letter in letters})
    if missing:
        raise UsageError(f"There is no dead letter {missing[0]}.", "spyglass warehouse dead-letters lists them.")


def _retry_block(client: Warehouse, letter: dict[str, Any], before: str) -> Retried:
    key = {"source": "insert", "table": letter["table_name"], "ids": [letter["id"]]}
    insert = _insert_of(letter)
    at = letter["received_at"].strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    try:
        rows = int(client.rows(_COUNT, **key)[0]["rows"])
        if rows == 0:
            raise codes.refused(codes.CANNOT_READ_ALL_DATA, "Cannot read all data: the body has no rows.")

        def store(first: int, count: int) -> None:
            client.execute(insert, **key, first=first, rows=count)

        poison = list(islice(_halve(0, rows, store), _MOST_POISON_ROWS + 1))
    except StatementError as error:
        return _keep(client, key, letter, error)
    if poison and (rows == 1 or len(poison) > _MOST_POISON_ROWS):
        return _keep(client, key, letter, poison[0][1])
    for first, refusal in poison:
        client.execute(_ROW_LETTER, **key, first=first, rows=1, at=at, reason=refusal.problem, code=refusal.code)
    client.execute(_DELETE, **key, before=before)
    return Retried(
        letter["id"], letter["table_name"], rows - len(poison), len(poison), poison[0][1].problem if poison else ""
    )


def _retry_rows(client: Warehouse, key: dict[str, str], ids: list[str], before: str) -> Iterator[Retried]:
    """Insert letters of one row each; those that the views refuse again have come again, and are still there."""
    insert = f"INSERT INTO spyglass.{quote(key['table'])} SELECT * FROM {_OBJECTS}"  # noqa: S608 -- quoted

    def store(first: int, count: int) -> None:
        part = ids[first : first + count]
        client.execute(insert, **key, ids=part)
        client.execute(_DELETE, **key, ids=part, before=before)

    try:
        for first, refusal in _halve(0, len(ids), store):
            client.execute(_NEW_REASON, **key, ids=[ids[first]], reason=refusal.problem, code=refusal.code)
    except StatementError as error:
        client.execute(_NEW_REASON, **key, ids=ids, reason=error.problem, code=error.code)
    left = {row["id"]: row["reason"] for row in client.rows(_LEFT, **key, ids=ids)}
    for name in ids:
        yield Retried(name, key["table"], int(name not in left), int(name in left), left.get(name, ""))


def _halve(first: int, rows: int, store: Callable[[int, int], None]) -> Iterator[tuple[int, StatementError]]:
    """Store rows and yield those that never can be, each with its error; raises any other error."""
    try:
        store(first, rows)
    except StatementError as error:
        if error.code not in codes.NEVER_STORABLE:
            raise
        if rows == 1:
            yield first, error
            return
        half = rows // 2
        yield from _halve(first, half, store)
        yield from _halve(first + half, rows - half, store)


def _keep(client: Warehouse, key: dict[str, Any], letter: dict[str, Any], error: StatementError) -> Retried:
    client.execute(_NEW_REASON, **key, reason=error.problem, code=error.code)
    return Retried(letter["id"], letter["table_name"], 0, max(int(letter["rows"]), 1), error.problem)


def _insert_of(letter: dict[str, Any]) -> str:
    columns = ", ".join(quote(name) for name in letter["column_names"].split(", "))
    target = f"spyglass.{quote(letter['table_name'])} ({columns})"
    return f"INSERT INTO {target} SELECT {columns} FROM {_BLOCK} {_RANGE}"  # noqa: S608 -- quoted
