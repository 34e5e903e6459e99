"""List what an ALTER TABLE can do: what it costs, and on which tables of a cluster it is done, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spyglass.errors import MigrationError
from spyglass.warehouse.schema.reading import Statement, listed, words
from spyglass.warehouse.statements import Token

INSTANT = "instant"
REWRITE = "rewrite"
LOCAL = "local"  # only the stored table has it
LOCAL_FIRST = "local first"  # the distributed table must not promise what the stored one lacks
LOCAL_LAST = "local last"
_LONGEST_NAME = 3
_COMMA_INSIDE = "MODIFY QUERY"
_WITH_COMMAS = ("UPDATE", "MODIFY SETTING", "RESET SETTING")


@dataclass(frozen=True, slots=True)
class Action:
    """Hold one action of an ALTER TABLE, its effect (INSTANT or REWRITE) and its order on a cluster."""

    name: str
    text: str
    effect: str
    order: str


# A rewrite reads or writes parts that exist, or takes away what they hold. The longer name goes first.
_ACTIONS = {
    "ADD COLUMN": (INSTANT, LOCAL_FIRST),
    "ADD CONSTRAINT": (INSTANT, LOCAL),
    "ADD INDEX": (INSTANT, LOCAL),
    "ADD PROJECTION": (INSTANT, LOCAL),
    "ALTER COLUMN": (REWRITE, LOCAL_FIRST),
    "APPLY DELETED MASK": (REWRITE, LOCAL),
    "CLEAR COLUMN": (REWRITE, LOCAL),
    "CLEAR INDEX": (REWRITE, LOCAL),
    "CLEAR PROJECTION": (REWRITE, LOCAL),
    "COMMENT COLUMN": (INSTANT, LOCAL_FIRST),
    "DELETE": (REWRITE, LOCAL),
    "DETACH PARTITION": (REWRITE, LOCAL),
    "DROP COLUMN": (REWRITE, LOCAL_LAST),
    "DROP CONSTRAINT": (INSTANT, LOCAL),
    "DROP INDEX": (INSTANT, LOCAL),
    "DROP PART": (REWRITE, LOCAL),
    "DROP PARTITION": (REWRITE, LOCAL),
    "DROP PROJECTION": (INSTANT, LOCAL),
    "MATERIALIZE COLUMN": (REWRITE, LOCAL),
    "MATERIALIZE INDEX": (REWRITE, LOCAL),
    "MATERIALIZE PROJECTION": (REWRITE, LOCAL),
    "MATERIALIZE TTL": (REWRITE, LOCAL),
    "MODIFY COLUMN": (REWRITE, LOCAL_FIRST),
    "MODIFY COMMENT": (INSTANT, LOCAL_FIRST),
    "MODIFY ORDER BY": (REWRITE, LOCAL),
    "MODIFY QUERY": (INSTANT, LOCAL),
    "MODIFY SETTING": (INSTANT, LOCAL),
    "MODIFY TTL": (REWRITE, LOCAL),
    "REMOVE TTL": (INSTANT, LOCAL),
    "RENAME COLUMN": (REWRITE, LOCAL_FIRST),
    "RESET SETTING": (INSTANT, LOCAL),
    "UPDATE": (REWRITE, LOCAL),
}
# What may follow the name in MODIFY COLUMN without a part being read: new parts have it, old ones are as they were.
_METADATA = frozenset({"ALIAS", "CODEC", "COMMENT", "DEFAULT", "MATERIALIZED", "REMOVE", "RESET"})
_WITHOUT_TTL_RUN = ("MATERIALIZE_TTL_AFTER_MODIFY", "=", "0")


def of(statement: Statement) -> list[Action]:
    """Return the actions of an ALTER TABLE in their order; raises MigrationError for one that is not known."""
    end = statement.find("SETTINGS")
    body = statement.rest[:end]
    parts = [body] if " ".join(words(body, 0, 2)) == _COMMA_INSIDE else list(_parts(body))
    settings = words(statement.rest, end or len(statement.rest), len(statement.rest))
    return [_action(statement, part, settings) for part in parts]


def _parts(body: Sequence[Token]) -> list[tuple[Token, ...]]:
    """Split at the commas before an action; some have others, between the values that they set."""
    parts: list[tuple[Token, ...]] = []
    for item in listed(body):
        if parts and _name(item) is None and _name(parts[-1]) in _WITH_COMMAS:
            parts[-1] += item  # source() brings the comma back: it takes the text from the first token to the last
        else:
            parts.append(item)
    return parts


def _action(statement: Statement, part: Sequence[Token], settings: tuple[str, ...]) -> Action:
    name = _name(part)
    if name is None:
        raise MigrationError(
            f"ALTER TABLE {statement.name} cannot do {' '.join(words(part, 0, 3))!r} in a migration:"
            " it is not known what that costs.",
            "Add it to the actions in spyglass/warehouse/schema/actions.py.",
        )
    effect, order = _ACTIONS[name]
    if name == "MODIFY COLUMN" and _METADATA.intersection(words(part, _behind_name(part), 1)):
        effect = INSTANT
    if name == "MODIFY TTL" and any(settings[at : at + 3] == _WITHOUT_TTL_RUN for at in range(len(settings))):
        effect = INSTANT
    return Action(name, statement.source(part), effect, order)


def _name(part: Sequence[Token]) -> str | None:
    for length in range(_LONGEST_NAME, 0, -1):
        name = " ".join(words(part, 0, length))
        if name in _ACTIONS:
            return name
    return None


def _behind_name(part: Sequence[Token]) -> int:
    """Return the place behind MODIFY COLUMN [IF EXISTS] name, where a nested column's name has a dot."""
    place = 5 if words(part, 2, 2) == ("IF", "EXISTS") else 3
    return place + 2 if place < len(part) and part[place].text == "." else place
