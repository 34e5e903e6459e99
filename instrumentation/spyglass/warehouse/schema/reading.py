"""Read a statement of a migration: what it does to what, and where its parts stand.

Migrations are ours and regular. What is not among the kinds here is refused by name, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from spyglass.errors import MigrationError
from spyglass.warehouse.statements import Token, tokens, unquote

KINDS = (
    "CREATE DATABASE",
    "CREATE TABLE",
    "CREATE MATERIALIZED VIEW",
    "CREATE VIEW",
    "CREATE DICTIONARY",
    "CREATE FUNCTION",
    "ALTER TABLE",
    "RENAME TABLE",
    "DROP TABLE",
    "DROP VIEW",
    "DROP DICTIONARY",
    "DROP FUNCTION",
    "TRUNCATE TABLE",
    "DELETE FROM",
    "INSERT INTO",
)
_CLAUSES = ("PARTITION BY", "PRIMARY KEY", "ORDER BY", "SAMPLE BY", "TTL", "SETTINGS", "COMMENT", "AS")


@dataclass(frozen=True, slots=True)
class Statement:
    """Hold a statement of one of the KINDS.

    ``name`` is what it is about, as ``database.name`` or ``name``; ``name_tokens`` are the first token of the name and
    the one behind it.
    """

    text: str
    tokens: tuple[Token, ...]
    kind: str
    name: str
    name_tokens: tuple[int, int]

    @property
    def name_span(self) -> tuple[int, int]:
        """Return where the name begins and ends in the text."""
        first, behind = self.name_tokens
        return self.tokens[first].start, self.tokens[behind - 1].end

    @property
    def rest(self) -> tuple[Token, ...]:
        """Return the tokens behind the name."""
        return self.tokens[self.name_tokens[1] :]

    def source(self, part: Sequence[Token]) -> str:
        """Return a run of tokens as it is written."""
        return self.text[part[0].start : part[-1].end] if part else ""

    def clause(self, name: str) -> tuple[Token, ...]:
        """Return the tokens of a clause of a CREATE TABLE, such as ORDER BY, without its name; () where it has none."""
        outer = [place for place, depth in enumerate(_depths(self.rest)) if depth == 0]
        starts = [place for place in outer if any(_at(self.rest, place, other) for other in _CLAUSES)]
        for place in starts:
            if _at(self.rest, place, name):
                end = min((other for other in starts if other > place), default=len(self.rest))
                return self.rest[place + len(name.split()) : end]
        return ()

    def find(self, word: str) -> int | None:
        """Return the place in ``rest`` of a keyword outside all brackets."""
        for place, depth in enumerate(_depths(self.rest)):
            if depth == 0 and self.rest[place].is_word(word):
                return place
        return None


def read(text: str) -> Statement:
    """Read a statement; raises MigrationError for one of another kind."""
    found = tuple(tokens(text))
    for kind in KINDS:
        if _at(found, 0, kind):
            first = _behind_condition(found, len(kind.split()))
            behind = first + 3 if first + 1 < len(found) and found[first + 1].text == "." else first + 1
            if behind <= len(found):
                name = ".".join(unquote(token.text) for token in found[first:behind] if token.text != ".")
                return Statement(text, found, kind, name, (first, behind))
    words = " ".join(token.text for token in found[:4])
    raise MigrationError(
        f"A migration cannot do {words!r}: it would not be known what that does on a cluster, or what it costs.",
        f"It is one of {', '.join(KINDS)}; see clickhouse/README.md.",
    )


def words(part: Sequence[Token], place: int, most: int) -> tuple[str, ...]:
    """Return up to ``most`` tokens from a place on in upper case, for comparison with keywords."""
    return tuple(token.text.upper() for token in part[place : place + most])


def inside(part: Sequence[Token]) -> tuple[Token, ...]:
    """Return what stands in the brackets that a run of tokens begins with."""
    for place, depth in enumerate(_depths(part)):
        if place and depth == 0:
            return tuple(part[1:place])
    return tuple(part[1:])


def listed(part: Sequence[Token]) -> Iterator[tuple[Token, ...]]:
    """Yield the items of a list, which commas outside all brackets separate."""
    item: list[Token] = []
    for token, depth in zip(part, _depths(part), strict=True):
        if token.text == "," and depth == 0:
            yield tuple(item)
            item = []
        else:
            item.append(token)
    if item:
        yield tuple(item)


def edited(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """Return a text in which spans (start, end) are replaced; a span of no length inserts."""
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _at(part: Sequence[Token], place: int, keywords: str) -> bool:
    expected = tuple(keywords.split())
    return words(part, place, len(expected)) == expected and part[place].kind == "word"


def _behind_condition(part: Sequence[Token], place: int) -> int:
    for condition in ("IF NOT EXISTS", "IF EXISTS"):
        if place < len(part) and _at(part, place, condition):
            return place + len(condition.split())
    return place


def _depths(part: Sequence[Token]) -> Iterator[int]:
    """Yield how many brackets are open around each token; the brackets themselves stand outside."""
    depth = 0
    for token in part:
        if token.text in (")", "]"):
            depth -= 1
        yield depth
        if token.text in ("(", "["):
            depth += 1
