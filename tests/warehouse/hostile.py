"""Compose statements that try to leave the tables, from what is hostile, where it hides, and how it is spelled."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from spyglass.warehouse.statements import tokens


def lines(name: str) -> tuple[str, ...]:
    """Return the lines of a file of parts; the first says what they are."""
    text = (Path(__file__).parent / "hostile_parts" / f"{name}.txt").read_text("utf-8")
    return tuple(text.splitlines()[1:])


SCALARS, TABLES, COMMANDS = lines("scalars"), lines("tables"), lines("commands")
WITH_PARAMETERS = lines("with_parameters")
_AROUND_SCALARS, _AROUND_TABLES = lines("around_scalars"), lines("around_tables")
_WORDS = lines("words")
_NAMES = ("system.processes", "processes", "system", "file", "query_log", "default.$file", "a`; DROP TABLE spans", "")
_BLANKS = (" ", "\n", "\t", "  ", " /* x */ ", " -- x\n", "\r\n", "\f", "\v", "\u00a0", "\u2003", "\ufeff", " # x\n")
SETTINGS: tuple[dict[str, str], ...] = (
    {},
    {"limit": "1"},
    {"offset": "1000"},
    {"max_result_rows": "1", "max_block_size": "1", "result_overflow_mode": "break"},
    {"max_result_bytes": "1", "result_overflow_mode": "break"},
    {"extremes": "1"},
    {"wait_end_of_query": "1"},
    {"output_format_json_quote_64bit_integers": "1", "default_format": "JSONCompact"},
    {"default_format": "Vertical"},
    {"default_format": "RawBLOB"},
    {"default_format": "Template"},
    {"default_format": "SQLInsert"},
)


class Attempt(NamedTuple):
    """Hold a statement and the parameters of its request."""

    sql: str
    parameters: dict[str, str]


def attempts(places: Mapping[str, str]) -> SearchStrategy[Attempt]:
    """Return statements that must be refused; ``places`` replaces $file, $folder, $port and $out."""
    scalars = st.builds(_put, st.sampled_from(_AROUND_SCALARS), st.just("$x"), st.sampled_from(SCALARS))
    tables = st.builds(_put, st.sampled_from(_AROUND_TABLES), st.just("$t"), st.sampled_from(TABLES))
    questions = scalars | tables
    commands = st.builds(_put, st.sampled_from(COMMANDS), st.just("$sub"), questions)
    nested = st.builds(_nest, st.sampled_from(_AROUND_TABLES), questions)
    placed = (questions | commands | nested).map(lambda sql: filled(sql, places))
    return st.builds(Attempt, placed.flatmap(_respelled), st.sampled_from(SETTINGS))


def _put(around: str, mark: str, inner: str) -> str:
    return around.replace(mark, inner)


def _nest(around: str, inner: str) -> str:
    return around.replace("$t", f"({inner})")


def filled(sql: str, places: Mapping[str, str]) -> str:
    """Return a statement with the test's own file, folder, port and name."""
    for mark, value in places.items():
        sql = sql.replace(f"${mark}", value)
    return sql


def _respelled(sql: str) -> SearchStrategy[str]:
    """Return a statement with other blanks, cases and quotes, which mean the same wherever the engine takes them."""
    every = list(tokens(sql))
    ways = [_spelled(token.text) if token.kind == "word" else st.just(token.text) for token in every]
    gaps = [st.just("") if after.start == before.end else st.sampled_from(_BLANKS) for before, after in pairwise(every)]
    parts = st.tuples(st.tuples(*ways), st.tuples(*gaps))
    plain = st.just(sql)
    return plain | parts.map(lambda found: _joined(*found)) | parts.map(lambda found: _joined(*found) + " ; ")


def _joined(words: tuple[str, ...], gaps: tuple[str, ...]) -> str:
    return "".join(word + gap for word, gap in zip(words, (*gaps, ""), strict=True))


def _spelled(word: str) -> SearchStrategy[str]:
    """Return ways to write a word; most stay as they are, or nothing would be left that the engine understands."""
    escaped = "".join(f"\\x{ord(letter):02x}" for letter in word)
    other = st.sampled_from((word.upper(), word.lower(), f"`{word}`", f'"{word}"', f'"{escaped}"', f"{word}/**/"))
    return st.integers(0, 9).flatmap(lambda number: other if number == 0 else st.just(word))


def values(places: Mapping[str, str]) -> SearchStrategy[str]:
    """Return values of parameters that would like to be more than values."""
    texts = st.sampled_from((*SCALARS, *TABLES, *COMMANDS, *_NAMES)).map(lambda text: filled(text, places))
    return texts | texts.map(lambda text: f"') , {text}, ('") | st.text(max_size=20)


def soups(places: Mapping[str, str]) -> SearchStrategy[Attempt]:
    """Return words in any order, with whole hostile parts among them."""
    parts = st.sampled_from((*_WORDS, *_WORDS, *SCALARS, *TABLES, *COMMANDS)) | st.text(max_size=3)
    joined = st.lists(parts, min_size=1, max_size=12).map(lambda found: filled(" ".join(found), places))
    cut = st.tuples(joined, st.integers(0, 200)).map(lambda found: found[0][: found[1]])
    return st.builds(Attempt, joined | joined.map(lambda sql: f"SELECT {sql}") | cut, st.sampled_from(SETTINGS))
