"""Put the dialects' tables into the form that the collector's processor spyglass_normalise reads.

The processor reads sources and conditions as the tables write them; how is said in deploy/go/collector/normalise, in
source.go and condition.go. Concepts become the attributes that hold them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from spyglass.dialects.tables import Dialect, Row, concepts, dialects

# An entry of the configuration.
Entry = dict[str, object]


class Line(Entry):
    """Hold an entry that is written in one line."""


JSON = "json"
INPUT_WITH_CACHE = "input_with_cache"
EVENT = "event "
KIND = "kind"
# The conventions of OpenTelemetry, which most others use too, mark the spans that no other dialect has marked.
CONVENTIONS = "semconv"
# Most spans have one of these: a kind that follows from nothing but its value is looked up.
LOOKED_UP = ("gen_ai.operation.name", "openinference.span.kind")
CONVERTED = ("bool", "enum", "bare", "last")


def dialect_entries() -> list[Entry]:
    """Return an entry for each dialect, in the order in which they are asked."""
    return [_dialect(dialect) for dialect in dialects()]


def event_entries() -> list[Entry]:
    """Return the rows of all dialects that read the span's events."""
    found = [row for dialect in dialects() for row in dialect.rows if row.source.startswith(EVENT)]
    return [_event(row) for row in found]


def kinds_by_value() -> dict[str, dict[str, str]]:
    """Return the kinds that follow from a single value of the keys that most spans have."""
    made: dict[str, dict[str, str]] = {}
    for row in (row for dialect in dialects() for row in dialect.rows if _looked_up(row)):
        key, _, values = row.condition.partition("=")
        made.setdefault(key, {}).update(dict.fromkeys(values.split("|"), row.source[1:]))
    return made


def scopes(pattern: str) -> list[str]:
    """Return how the names of scopes begin; ``a{b c}|d`` is ab, ac and d."""
    made = []
    for part in pattern.split("|"):
        base, _, ends = part.partition("{")
        made += [base + end for end in ends.rstrip("}").split()] if ends else [base]
    return made


def _dialect(dialect: Dialect) -> Entry:
    name, _, part = dialect.name.partition(".")
    marks = dialect.title and (dialect.scope or not part)
    apart = [row.condition for row in dialect.rows if row.concept == INPUT_WITH_CACHE]
    made: Entry = {
        "name": dialect.name,
        "scopes": scopes(dialect.scope) if dialect.scope else [],
        "when": "" if dialect.scope else dialect.mark,
        "mark": name if marks else "",
        "rest": marks and name == CONVENTIONS,
        "framework": dialect.framework,
        "cache_apart": apart,
        "rows": list(_rows(dialect)),
    }
    return {key: value for key, value in made.items() if value}


def _rows(dialect: Dialect) -> Iterator[Entry]:
    spoken = [row for row in dialect.rows if row.concept != INPUT_WITH_CACHE and not row.source.startswith(EVENT)]
    for key, same in groupby(spoken, key=_looked_up):
        if key:  # one look-up stands for all values, those of other dialects too
            yield Line({"set": concepts()[KIND], "lookup": key})
        else:
            yield from (_row(row) for row in same)


def _looked_up(row: Row) -> str:
    """Return the key by whose value alone the row says a kind, or nothing."""
    key, _, values = row.condition.partition("=")
    simple = row.concept == KIND and key in LOOKED_UP and values and "&" not in values
    return key if simple else ""


def _row(row: Row) -> Entry:
    if row.concept == JSON:
        return _line(json=row.source, when=row.condition)
    how = row.type if row.type in CONVERTED else row.unit if row.unit == "ms" else ""
    return _line(**{"set": concepts()[row.concept], "from": row.source, "as": how, "when": row.condition})


def _event(row: Row) -> Entry:
    name, _, key = row.source.removeprefix(EVENT).partition(">")
    return _line(event=name, key=key, set=concepts()[row.concept], list=row.type == "list")


def _line(**entry: object) -> Line:
    return Line({key: value for key, value in entry.items() if value})
