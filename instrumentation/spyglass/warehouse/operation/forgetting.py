"""Delete what a user wrote and every trace of who it was, and look whether the id is gone.

The traces of a user are those in which any span carries the id. Their texts (``span_content``) are deleted; in their
other rows (spans, logs, facts, totals) the id goes from every column; session ids, bodies of logs, and labels and
explanations of evaluations go whole. So it is with what the user logged or judged outside of these traces; scores stay.
Dead letters that contain the id are deleted, of whatever organization they are: nobody knows before they are stored.
So are the statements of the query log that name it.

Rows are changed by mutations, not by writing them again: a ReplacingMergeTree keeps the earlier version on disk until
it happens to merge the two, and a version that came without the change could win. Mutations rewrite all versions, and
have ended when the statement returns. The spans come last, because they say which traces are the user's: a run that
died half way is simply done again. A span that is sent again later brings its id back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from spyglass import names
from spyglass.errors import StillFoundError, UsageError
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.query_log import FLUSH
from spyglass.warehouse.statements import literal, quote

_COLUMNS = """
SELECT table, name, type, is_in_sorting_key OR is_in_partition_key AS key
FROM system.columns
WHERE database = 'spyglass' AND default_kind NOT IN ('ALIAS', 'EPHEMERAL') AND table IN (
    SELECT name FROM system.tables WHERE database = 'spyglass' AND engine LIKE '%MergeTree')
ORDER BY table, position
"""
_TEXTS = "span_content"
_LETTERS = "dead_letters"
_LOG = "query_log"
_USER = "user_id = {user:String}"
# Rows of a user who need not be that of their trace, or have none.
_OWN = {
    "evaluations": _USER,
    "logs": f"attributes[{literal(names.USER_ID)}] = {{user:String}}",
}
# What goes whole from the rows of the user's traces, found there or not.
_WHOLE = frozenset({"session_id", "body", "label", "explanation"})
_WHOLE_KEYS = ", ".join(map(literal, (names.EVALUATION_LABEL, names.EVALUATION_EXPLANATION)))
_SCOPE = "({organization:String} = '' OR organization = {organization:String})"
_TRACES = f"""
trace_id != '' AND trace_id IN (SELECT trace_id FROM spyglass.spans WHERE user_id = {{user:String}} AND {_SCOPE})
"""  # noqa: S608 -- own parts
# A body of source "insert" is binary, and what stands before a text there may look like a letter. JSON escapes slashes.
_IN_LETTER = r"""
(if(source = 'row', match(replaceAll(body, '\\/', '/'), {pattern:String}), position(body, {user:String}) > 0)
    OR match(reason, {pattern:String}))
"""
_IN_STATEMENT = "match(statement, {pattern:String})"  # somebody asked for the user by name
_STRING = re.compile(r"(LowCardinality\()?(Nullable\()?(String|FixedString\(\d+\))\)*")


@dataclass(frozen=True, slots=True)
class Column:
    """Name a column that may hold text; ``key`` columns cannot be changed."""

    table: str
    name: str
    type: str
    key: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Name a user, and the organization that is meant, where one is; raises UsageError for an empty id."""

    user: str
    organization: str = ""

    def __post_init__(self) -> None:
        if not self.user:
            raise UsageError("The id of the user is empty: that would be every span without one.")

    @property
    def parameters(self) -> dict[str, str]:
        """Return the values of the statements here; the pattern finds the id where it is no part of a longer word."""
        word = r"[0-9A-Za-z_]"
        before = f"(^|[^{word[1:]})" if re.match(word, self.user) else ""
        after = f"($|[^{word[1:]})" if re.match(word, self.user[-1]) else ""
        pattern = before + re.escape(self.user) + after
        return {"user": self.user, "organization": self.organization, "pattern": pattern}


def count(client: Warehouse, person: Person) -> Iterator[tuple[str, int]]:
    """Yield each table with the number of rows that forget() would delete or change."""
    client.execute(FLUSH)
    for table, _, where in _steps(_columns(client)):
        yield table, _count(client, table, where, person)


def forget(client: Warehouse, person: Person) -> Iterator[tuple[str, int]]:
    """Delete and change the user's rows, and yield each table with the number of rows as soon as it is done."""
    client.execute(FLUSH)
    for table, change, where in _steps(_columns(client)):
        rows = _count(client, table, where, person)
        if rows:
            client.execute(
                f"ALTER TABLE spyglass.{quote(table)} {change} WHERE {where} SETTINGS mutations_sync = 2",
                **person.parameters,
            )
        yield table, rows


def check(client: Warehouse, person: Person) -> None:
    """Search every text of the tables that know traces or users, dead letters and the query log for the id.

    Raises StillFoundError with the columns where it is. Earlier versions of rows are searched, too.
    """
    places = []
    for table, columns in _by_table(_columns(client)).items():
        found = ", ".join(f"countIf({_found(column)}) AS c{place}" for place, column in enumerate(columns))
        sql = f"SELECT {found} FROM spyglass.{quote(table)} WHERE {_scope(columns)}"  # noqa: S608 -- quoted names
        row = client.rows(sql, **person.parameters)[0]
        places += [f"{table}.{column.name}" for place, column in enumerate(columns) if row[f"c{place}"]]
    if _count(client, _LETTERS, _IN_LETTER, person):
        places.append(f"{_LETTERS}.body")
    if _count(client, _LOG, _IN_STATEMENT, person):
        places.append(f"{_LOG}.statement")
    if places:
        raise StillFoundError(places)


def _steps(columns: list[Column]) -> Iterator[tuple[str, str, str]]:
    """Yield table, change and condition, in the order in which they are to be done."""
    tables = _by_table(columns)
    yield _TEXTS, "DELETE", f"{_scope(tables.pop(_TEXTS))} AND {_TRACES}"
    yield _LETTERS, "DELETE", _IN_LETTER
    yield _LOG, "DELETE", _IN_STATEMENT
    for table in sorted(tables, key=lambda name: (name == "spans", name)):
        changes = [f"{quote(column.name)} = {_without(column)}" for column in tables[table] if _changes(column)]
        theirs = _theirs(table, tables[table])
        if changes and theirs:
            yield table, "UPDATE " + ", ".join(changes), f"{_scope(tables[table])} AND ({theirs})"


def _theirs(table: str, columns: list[Column]) -> str:
    """Return a condition for rows that are about the user; empty for a table whose key would have to change."""
    if any(column.name == "trace_id" for column in columns):
        return f"{_TRACES} OR {_OWN.get(table, '0')}"
    return _USER if any(column.name == "user_id" and not column.key for column in columns) else ""


def _by_table(columns: list[Column]) -> dict[str, list[Column]]:
    found: dict[str, list[Column]] = {}
    for column in columns:
        found.setdefault(column.table, []).append(column)
    return found


def _scope(columns: list[Column]) -> str:
    return _SCOPE if any(column.name == "organization" for column in columns) else "1"


def _columns(client: Warehouse) -> list[Column]:
    """Return the columns with text of the tables that have traces or users."""
    every = [Column(row["table"], row["name"], row["type"], bool(row["key"])) for row in client.rows(_COLUMNS)]
    tables = {column.table for column in every if column.name in ("trace_id", "user_id")}
    return [column for column in every if column.table in tables and "String" in column.type]


def _count(client: Warehouse, table: str, where: str, person: Person) -> int:
    sql = f"SELECT count() AS rows FROM spyglass.{quote(table)} WHERE {where}"  # noqa: S608 -- quoted names
    return int(client.rows(sql, **person.parameters)[0]["rows"])


def _changes(column: Column) -> bool:
    return not column.key and column.name not in ("trace_id", "span_id")


def _found(column: Column) -> str:
    """Return SQL that is true where a column holds the id."""
    if column.name == "user_id":
        return "user_id = {user:String}"
    return _found_in(column.type, quote(column.name))


def _found_in(kind: str, value: str, depth: int = 0) -> str:
    inner = f"x{depth}"
    if kind.startswith("Array("):
        return f"arrayExists({inner} -> {_found_in(kind[6:-1], inner, depth + 1)}, {value})"
    if kind.startswith("Map("):
        return " OR ".join(
            f"arrayExists({inner} -> match({inner}, {{pattern:String}}), {part}({value}))"
            for part in ("mapKeys", "mapValues")
        )
    return f"ifNull(match({value}, {{pattern:String}}), 0)" if _STRING.fullmatch(kind) else "0"


def _without(column: Column) -> str:
    """Return SQL for a column's value without the id."""
    name = quote(column.name)
    if column.name in _WHOLE:
        return "''"
    if column.name == "user_id":
        return "if(user_id = {user:String}, '', user_id)"
    return _without_in(column.type, name)


def _without_in(kind: str, value: str, depth: int = 0) -> str:
    inner = f"x{depth}"
    if kind.startswith("Array("):
        return f"arrayMap({inner} -> {_without_in(kind[6:-1], inner, depth + 1)}, {value})"
    if kind.startswith("Map("):
        gone = f"match(k, {{pattern:String}}) OR match(v, {{pattern:String}}) OR k IN ({_WHOLE_KEYS})"
        return f"mapFilter((k, v) -> NOT ({gone}), {value})"
    return f"if({_found_in(kind, value)}, '', {value})" if _STRING.fullmatch(kind) else value
