"""Keep rows of an organization or project for a shorter time than their tables do.

A table drops its rows by itself after the days of its setting (see ``retention``). A rule of the table
``retention_rules`` names fewer days for a group of tables; ``enforce`` deletes what is older. The most exact rule
counts: of a project, else of its organization, else the one for everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from spyglass.errors import RetentionRuleError
from spyglass.settings import variable
from spyglass.warehouse import retention
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.statements import literal

_RULES = """
SELECT table_group AS table_group, organization, project, days
FROM spyglass.retention_rules FINAL ORDER BY table_group, organization, project
"""
_ENGINES = (
    "SELECT name, engine_full FROM system.tables WHERE database = 'spyglass' AND has({tables:Array(String)}, name)"
)
_BYTES = """
SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts
WHERE database = 'spyglass' AND active GROUP BY table
"""
_TTL = re.compile(r"toIntervalDay\((\d+)\)")
_CUTOFF = "SELECT toString(now64(3, 'UTC') - toIntervalDay({days:UInt32})) AS cutoff"


@dataclass(frozen=True, slots=True)
class Rule:
    """Say how many days a group of tables keeps rows of a project; "" stands for every organization or project."""

    table_group: str
    organization: str
    project: str
    days: int

    @property
    def condition(self) -> str:
        """Return SQL that is true for the rows that this rule is about."""
        parts = [
            f"{name} = {literal(value)}"
            for name, value in (("organization", self.organization), ("project", self.project))
            if value
        ]
        return " AND ".join(parts) or "1"

    def is_refined_by(self, other: Rule) -> bool:
        """Say whether another rule is about a part of this one's rows, and so counts there instead."""
        return (
            other != self
            and other.table_group == self.table_group
            and self.organization in ("", other.organization)
            and self.project in ("", other.project)
            and (self.organization, self.project) != (other.organization, other.project)
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """Say what a table holds; ``oldest`` is when its oldest row came, None where there is none."""

    table: str
    table_group: str
    rows: int
    bytes: int
    oldest: datetime | None
    days: int | None


@dataclass(frozen=True, slots=True)
class Enforced:
    """Say how many rows of a table a rule deleted, in how many partitions."""

    table: str
    rule: Rule
    partitions: int
    rows: int


def rules(client: Warehouse) -> list[Rule]:
    """Return the rules in order."""
    return [Rule(**row) for row in client.rows(_RULES)]


def kept(client: Warehouse) -> list[Kept]:
    """Return what each table with a retention holds."""
    days = _days(client)
    sizes = {row["table"]: row["bytes"] for row in client.rows(_BYTES)}
    found = []
    for group, tables in retention.groups().items():
        for table in tables:
            row = client.rows(f"SELECT count() AS rows, min(ingested_at) AS oldest FROM spyglass.{table}")[0]  # noqa: S608 -- own names
            oldest = row["oldest"] if row["rows"] else None
            found.append(Kept(table, group, row["rows"], sizes.get(table, 0), oldest, days[table]))
    return found


def write(client: Warehouse, rule: Rule) -> None:
    """Write a rule in the place of an earlier one for the same rows; raises RetentionRuleError when it cannot hold."""
    if rule.organization and rule.table_group in retention.OF_NOBODY:
        raise RetentionRuleError(
            f"The rows of {rule.table_group} belong to no organization.", "Set the rule for everybody."
        )
    days = _days(client)
    for table in retention.groups()[rule.table_group]:
        limit = days[table]
        if limit is not None and rule.days > limit:
            setting = variable(retention.TABLES[table])
            raise RetentionRuleError(
                f"{table} keeps its rows for {limit} days, so a rule of {rule.days} days would not hold.",
                f"Raise {setting} to {rule.days} or more and start the warehouse again, then set the rule.",
            )
    row = {
        "table_group": rule.table_group,
        "organization": rule.organization,
        "project": rule.project,
        "days": rule.days,
    }
    client.insert("spyglass.retention_rules", [row])


def enforce(client: Warehouse) -> Iterator[Enforced]:
    """Delete the rows that are older than their rule says, and yield how many each rule took from each table.

    Only partitions that hold such rows are rewritten, and there only the parts with such rows, so a run that finds
    nothing costs a count. A row is older when it came more than the rule's days ago, to the millisecond.
    """
    every = rules(client)
    for rule in every:
        where = f"{_scope(rule, every)} AND ingested_at < {_cutoff(client, rule.days)}"
        for table in retention.groups().get(rule.table_group, ()):
            yield _enforce(client, table, rule, where)


def _enforce(client: Warehouse, table: str, rule: Rule, where: str) -> Enforced:
    counts = client.rows(
        f"SELECT _partition_id AS partition, count() AS rows FROM spyglass.{table} WHERE {where} GROUP BY partition"  # noqa: S608 -- own names, quoted values
    )
    for found in counts:
        # A mutation, because a lightweight DELETE leaves the text on disk until the parts happen to be merged.
        client.execute(
            f"ALTER TABLE spyglass.{table} DELETE IN PARTITION ID {literal(found['partition'])} WHERE {where} "
            "SETTINGS mutations_sync = 2"
        )
    return Enforced(table, rule, len(counts), sum(found["rows"] for found in counts))


def _scope(rule: Rule, every: Sequence[Rule]) -> str:
    exceptions = [f"NOT ({other.condition})" for other in every if rule.is_refined_by(other)]
    return " AND ".join([rule.condition, *exceptions])


def _cutoff(client: Warehouse, days: int) -> str:
    moment = client.rows(_CUTOFF, days=days)[0]["cutoff"]
    return f"toDateTime64({literal(moment)}, 3, 'UTC')"


def _days(client: Warehouse) -> dict[str, int | None]:
    """Return the days after which each table drops rows by itself; None where it does not."""
    engines = client.rows(_ENGINES, tables=list(retention.TABLES))
    found = {row["name"]: _TTL.search(row["engine_full"]) for row in engines}
    return {table: int(ttl[1]) if ttl else None for table, ttl in found.items()}
