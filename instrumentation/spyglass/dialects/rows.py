"""Write the statements that read the rows of a dialect's table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from spyglass import names
from spyglass.dialects import conditions
from spyglass.dialects.ottl import Group, absent, attribute, both, group, put, text
from spyglass.dialects.tables import Dialect, Row, concepts, dialects

JSON = "json"
INPUT_WITH_CACHE = "input_with_cache"
EVENT = "event "
CONVENTIONS = "semconv"
KIND = "kind"
# Most spans have one of these: their values are looked up in a map, which stands in the scope meanwhile.
LOOKED_UP = ("gen_ai.operation.name", "openinference.span.kind")
KINDS_OF_SCOPE = attribute(names.KIND, "scope")
SECONDS = {"s": "{}", "ms": "Double({}) / 1000.0"}
UUID_BEHIND = "^(?P<name>.+?)[_.]?[(]?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
LAST_WORD = " (?P<name>[^ ]+)$"
NANOSECONDS = 1e9


def dialect_groups() -> Iterator[Group]:
    """Return a group for each dialect, whose condition only its spans fulfil."""
    for dialect in dialects():
        statements = [*_mark(dialect), *_statements(dialect.rows)]
        if statements:
            yield group("span", condition_of(dialect), statements)


def _mark(dialect: Dialect) -> Iterator[str]:
    """Mark the spans with the dialect; the conventions of OpenTelemetry, which most others use too, mark the rest."""
    name, _, part = dialect.name.partition(".")
    if dialect.title and (dialect.scope or not part):
        yield put(names.DIALECT, text(name), absent(names.DIALECT) if name == CONVENTIONS else "")


def condition_of(dialect: Dialect) -> str:
    """Return the condition that only the spans of the dialect fulfil."""
    return f"{of_scope(dialect)} != nil" if dialect.scope else conditions.ottl(dialect.mark)


def of_scope(dialect: Dialect) -> str:
    """Return the path that is there, while spans are being normalised, in scopes whose name says the dialect."""
    return attribute(f"{names.DIALECT}.{dialect.name}", "scope")


def event_statements() -> Iterator[tuple[str, str]]:
    """Return what is read from the span's events: the name of the event, and the statement."""
    for dialect in dialects():
        for row in dialect.rows:
            if row.source.startswith(EVENT):
                name, _, key = row.source.removeprefix(EVENT).partition(">")
                since = f"Double(spanevent.time_unix_nano - span.start_time_unix_nano) / {NANOSECONDS}"
                value = attribute(key, "spanevent") if key else since
                target = concepts()[row.concept]
                one = f"[{value}]" if row.type == "list" else value
                there = f"{value} != nil" if key else ""
                yield name, put(target, one, both(f"spanevent.name == {text(name)}", absent(target), there))


def kinds_by_value() -> dict[str, dict[str, str]]:
    """Return the kinds that follow from a single value of the keys that most spans have."""
    made: dict[str, dict[str, str]] = {}
    for row in (row for dialect in dialects() for row in dialect.rows if looked_up(row)):
        key, _, values = row.condition.partition("=")
        made.setdefault(key, {}).update(dict.fromkeys(values.split("|"), row.source[1:]))
    return made


def looked_up(row: Row) -> str:
    """Return the key in whose map of values the row stands, or nothing."""
    key, _, values = row.condition.partition("=")
    simple = row.concept == KIND and key in LOOKED_UP and values and "&" not in values
    return key if simple else ""


def _statements(rows: Iterable[Row]) -> Iterator[str]:
    spoken = [row for row in rows if row.concept != INPUT_WITH_CACHE and not row.source.startswith(EVENT)]
    for (concept, condition, key), same in groupby(spoken, key=_group_key):
        if key:
            yield put(names.KIND, f"{KINDS_OF_SCOPE}[{text(key)}][{attribute(key)}]", absent(names.KIND))
        elif concept == JSON:
            yield from _parse(next(same))
        else:
            yield from _concept(concepts()[concept], conditions.ottl(condition), list(same))


def _group_key(row: Row) -> tuple[str, str, str]:
    key = looked_up(row)
    return row.concept, "" if key else row.condition, key


def _parse(row: Row) -> Iterator[str]:
    """Parse a JSON attribute into the cache; the places in it are read from there, and what is no JSON is named."""
    place, condition = f'span.cache["{row.source}"]', conditions.ottl(row.condition)
    there = both(f"{attribute(row.source)} != nil", condition)
    yield f"set({place}, ParseJSON({attribute(row.source)})) where {there}"
    yield f"{name_invalid(row.source, 'no JSON')} where {there} and {place} == nil"


def name_invalid(key: str, what: str) -> str:
    """Return the function that names a value as invalid, without a condition."""
    return f"append({attribute(names.NORMALISE_INVALID)}, {text(f'{key}: {what}')})"


def _concept(target: str, condition: str, rows: list[Row]) -> Iterator[str]:
    """Read a concept where the span lacks it: plain sources in one statement, the others in one each."""
    where = both(absent(target), condition)
    for plain, same in groupby(rows, key=_is_plain):
        if plain:
            values = [_value(row) for row in same]
            yield put(target, values[0] if len(values) == 1 else f"Coalesce([{', '.join(values)}])", where)
        else:
            # What is computed of nothing is an error, which costs more than to look whether there is something.
            for row in same:
                yield from _computed(target, row, where)


def _computed(target: str, row: Row, where: str) -> Iterator[str]:
    first = _first(row)
    if " + " in row.source:  # a sum of a text would be an error, of which nobody heard
        yield f"{name_invalid(row.source.split(' + ')[0], 'text')} where {both(where, f'IsString({first})')}"
    yield put(target, _value(row), both(where, f"{first} != nil"))


def _is_plain(row: Row) -> bool:
    computed = (
        row.type in {"bool", "enum", "bare", "last"} or row.unit == "ms" or ">" in row.source or " + " in row.source
    )
    return row.source.startswith("=") or not computed


def _first(row: Row) -> str:
    return conditions.path(row.source.split(" + ")[0])


def _value(row: Row) -> str:
    if row.source.startswith("="):
        return row.source[1:] if row.type == "bool" else text(row.source[1:])
    first, *others = (conditions.path(source) for source in row.source.split(" + "))
    if others:
        return " + ".join([first, *(f"Coalesce([{other}, 0])" for other in others)])
    return _read(first, row)


def _read(place: str, row: Row) -> str:
    if row.type == "number":
        return SECONDS.get(row.unit, "{}").format(place)
    if row.type == "bool":
        return f"Bool({place})"
    if row.type == "enum":
        return f'ConvertCase(Split({place}, ".")[1], "lower")'
    if row.type == "last":
        return f'ExtractPatterns({place}, {text(LAST_WORD)})["name"]'
    if row.type == "bare":
        return f'Coalesce([ExtractPatterns({place}, {text(UUID_BEHIND)})["name"], {place}])'
    return place
