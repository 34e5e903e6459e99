"""Write the statements about tokens: inclusive numbers, known faults, types, and where a number comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spyglass import names
from spyglass.dialects import conditions
from spyglass.dialects.ottl import Group, absent, any_of, attribute, both, group, put, text
from spyglass.dialects.rows import INPUT_WITH_CACHE, condition_of, name_invalid
from spyglass.dialects.tables import Fault, dialects, faults
from spyglass.errors import DialectTableError

MODEL_KINDS = (names.Kind.LLM, names.Kind.EMBEDDING)
TOKEN_KEYS = (
    names.INPUT_TOKENS,
    names.OUTPUT_TOKENS,
    names.CACHE_READ_TOKENS,
    names.CACHE_WRITE_TOKENS,
    names.REASONING_TOKENS,
)
# From here on a number of tokens, and of seconds, is absurd.
MOST = 10**12
INPUT, OUTPUT = attribute(names.INPUT_TOKENS), attribute(names.OUTPUT_TOKENS)
READ, WRITTEN = attribute(names.CACHE_READ_TOKENS), attribute(names.CACHE_WRITE_TOKENS)
SOURCE, FIRST = attribute(names.USAGE_SOURCE), attribute(names.TIME_TO_FIRST_CHUNK)
COUNTED = f"({OUTPUT} != nil or {INPUT} != nil)"
SENT = {names.INPUT_TOKENS: names.SENT_INPUT_TOKENS, names.OUTPUT_TOKENS: names.SENT_OUTPUT_TOKENS}
# While a span is being normalised, its scope says whether its emitter has a known fault, or counts the cache apart.
ODD_SCOPE = attribute(names.USAGE_FAULT, "scope")
APART = "cache apart"


def usage_groups() -> list[Group]:
    """Return the groups for tokens, once the dialects have been read."""
    return [
        group("span", f"{ODD_SCOPE} != nil", [*_with_cache(), *_faults()]),
        group("span", _odd(), _types()),
        group("span", any_of(attribute(names.KIND), MODEL_KINDS), _sources()),
        group("span", f"{COUNTED} and {absent(names.USAGE_SOURCE)}", _sums()),
    ]


def marked_scopes() -> Iterator[str]:
    """Return the statements that mark the scopes of emitters with a known fault, or that count the cache apart."""
    scopes = [scope for fault in faults() for scope in fault.scope.split("|")]
    yield f'set({ODD_SCOPE}, "fault") where {any_of("scope.name", scopes)}'
    for condition in _apart():
        yield f"set({ODD_SCOPE}, {text(APART)}) where {condition}"


def whole(key: str) -> str:
    """Return the condition that an attribute is a count that can be: a whole number, neither negative nor absurd."""
    return f"IsInt({attribute(key)}) and {attribute(key)} >= 0 and {attribute(key)} < {MOST}"


def _apart() -> Iterator[str]:
    """Return a condition on the scope for each emitter that counts what came from and went to the cache apart."""
    for dialect in dialects():
        for row in dialect.rows:
            if row.concept == INPUT_WITH_CACHE:
                yield both(condition_of(dialect), conditions.ottl(row.condition))


def _with_cache() -> Iterator[str]:
    """Add what came from and went to the cache where the emitter counts it apart, once."""
    apart = (
        f"{ODD_SCOPE} == {text(APART)} and ({READ} != nil or {WRITTEN} != nil) and {absent(names.SENT_INPUT_TOKENS)}"
    )
    yield put(names.SENT_INPUT_TOKENS, INPUT, apart)
    sum_ = f"Int({INPUT}) + Coalesce([{READ}, 0]) + Coalesce([{WRITTEN}, 0])"
    yield put(
        names.INPUT_TOKENS, sum_, f"{ODD_SCOPE} == {text(APART)} and {attribute(names.SENT_INPUT_TOKENS)} == {INPUT}"
    )


def _faults() -> Iterator[str]:
    for fault in faults():
        condition = both(any_of("scope.name", fault.scope.split("|")), conditions.ottl(fault.condition))
        yield put(names.USAGE_FAULT, text(fault.id), both(condition, _versions(fault)))
        if fault.correct:
            yield from _correct(fault)


def _versions(fault: Fault) -> str:
    """Return the condition that the scope's version, of which two places count, is one of those with the fault."""
    if not fault.versions:
        return ""
    found = re.fullmatch(r"(<=?)(\d+)\.(\d+)", fault.versions)
    if not found:
        raise DialectTableError(fault.id, fault.versions)
    how, major, minor = found.groups()
    first, second = (f'Int(Split(scope.version, ".")[{place}])' for place in (0, 1))
    return f"({first} < {major} or ({first} == {major} and {second} {how} {minor}))"


def _correct(fault: Fault) -> Iterator[str]:
    """Put the right number in place and keep what was sent; a number that is right already keeps no mark."""
    target, _, difference = fault.correct.partition(" = ")
    right = " - ".join(attribute(key) for key in difference.split(" - "))
    marked = f"{attribute(names.USAGE_FAULT)} == {text(fault.id)}"
    yield f"delete_key(span.attributes, {text(names.USAGE_FAULT)}) where {marked} and {right} <= {attribute(target)}"
    yield put(SENT[target], attribute(target), marked)
    yield put(target, right, marked)


def _odd() -> str:
    """Return the condition that a number is of a wrong type or unit; most calls have the first two, few the others."""
    always = [_wrong(key) for key in TOKEN_KEYS[:2]]
    often_absent = [f"({attribute(key)} != nil and ({_wrong(key)}))" for key in TOKEN_KEYS[2:]]
    seconds = f"({FIRST} != nil and not ({FIRST} >= 0 and {FIRST} < {MOST}))"
    there = f"({OUTPUT} != nil or {INPUT} != nil or {FIRST} != nil)"
    return f"{there} and ({' or '.join([*always, *often_absent, seconds])})"


def _wrong(key: str) -> str:
    place = attribute(key)
    return f"(not IsInt({place}) and {place} != nil) or {place} < 0 or {place} >= {MOST}"


def _types() -> Iterator[str]:
    """Name what is wrong. A whole number of another type becomes one; all else stays as it came: no column takes it."""
    for key in TOKEN_KEYS:
        place = attribute(key)
        yield f"{name_invalid(key, 'text')} where IsString({place})"
        yield put(key, f"Int({place})", f"IsString({place}) or (IsDouble({place}) and Int({place}) == {place})")
        yield f"{name_invalid(key, 'fraction')} where IsDouble({place})"
        yield from _ranges(key)
    yield f"{name_invalid(names.TIME_TO_FIRST_CHUNK, 'text')} where IsString({FIRST})"
    yield from _ranges(names.TIME_TO_FIRST_CHUNK)


def _ranges(key: str) -> Iterator[str]:
    place = attribute(key)
    number = f"IsInt({place}) or IsDouble({place}) or IsString({place})"
    yield f"{name_invalid(key, 'no number')} where {place} != nil and not ({number})"
    yield f"{name_invalid(key, 'negative')} where {place} < 0"
    yield f"{name_invalid(key, 'absurd')} where {place} >= {MOST}"


def _sources() -> Iterator[str]:
    """Say where a model call's tokens come from; nothing in and nothing out is what one writes that knows none."""
    sent = f"{attribute(names.SENT_OUTPUT_TOKENS)} == 0"
    yield put(names.SENT_OUTPUT_TOKENS, OUTPUT, f"{OUTPUT} == 0 and ({INPUT} == nil or {INPUT} == 0)")
    yield put(names.SENT_INPUT_TOKENS, INPUT, sent)
    yield from (f"delete_key(span.attributes, {text(key)}) where {sent}" for key in SENT)
    known = f"{_known(names.INPUT_TOKENS)} or {_known(names.OUTPUT_TOKENS)}"
    yield put(names.USAGE_SOURCE, text(names.UsageSource.REPORTED), f"{absent(names.USAGE_SOURCE)} and ({known})")
    yield put(names.USAGE_SOURCE, text(names.UsageSource.MISSING), absent(names.USAGE_SOURCE))
    for key in (names.REQUEST_MODEL, names.RESPONSE_MODEL):
        yield f"{name_invalid(key, 'no text')} where not IsString({attribute(key)}) and {attribute(key)} != nil"
    yield from _reasons()


def _sums() -> Iterator[str]:
    """Say that tokens on anything but a model call are a sum of what calls used."""
    yield put(names.USAGE_SOURCE, text(names.UsageSource.AGGREGATED))
    yield from _reasons()


def _reasons() -> Iterator[str]:
    """Make a list of the reasons why a model stopped, which come as one, as JSON, or singly."""
    reasons = attribute(names.FINISH_REASONS)
    yield put(names.FINISH_REASONS, f"ParseJSON({reasons})", f'IsString({reasons}) and HasPrefix({reasons}, "[")')
    yield put(names.FINISH_REASONS, f"[{reasons}]", f"IsString({reasons})")


def _known(key: str) -> str:
    return f"({attribute(key)} >= 0 and {attribute(key)} < {MOST})"
