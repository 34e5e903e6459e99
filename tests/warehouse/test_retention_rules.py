"""Rows of an organization or project are kept for a shorter time than their tables keep them."""

from __future__ import annotations

import json

import pytest

from tests.warehouse.command import spyglass
from tests.warehouse.wire import Server, span


@pytest.fixture
def server(own_server: Server) -> Server:
    """Provide a warehouse without spans and rules."""
    for table in ("spans", "retention_rules"):
        own_server.sql(f"TRUNCATE TABLE spyglass.{table}")
    return own_server


def _rule(server: Server, *words: str) -> None:
    done = spyglass(server, "warehouse", "retention", "set", *words)
    assert (done.returncode, done.stderr) == (0, "")


def _apply(server: Server) -> list[tuple[str, int, int]]:
    """Return project, days and rows of what each rule deleted from spans."""
    done = spyglass(server, "warehouse", "retention", "--apply", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [(one["rule"]["project"], one["rule"]["days"], one["rows"]) for one in found if one["table"] == "spans"]


def _age(server: Server, project: str, *days: float) -> None:
    """Store a span of a project that came this many days ago, for each."""
    for number, age in enumerate(days):
        names = {"spyglass.organization": "acme", "spyglass.project": project}
        server.insert("otel_traces", [span(number + 1, names)])
        server.sql(
            "ALTER TABLE spyglass.spans UPDATE ingested_at = ingested_at - toIntervalSecond(toUInt32("
            f"{age * 86400:.0f})) WHERE project = '{project}' AND trace_id = '{number + 1:032x}' "
            "SETTINGS mutations_sync = 2"
        )


def _left(server: Server) -> dict[str, int]:
    rows = server.client("reader").rows("SELECT project AS p, count() AS n FROM spans GROUP BY p")
    return {row["p"]: row["n"] for row in rows}


def test_the_most_exact_rule_counts(server: Server) -> None:
    """A project's rule comes before its organization's, that before everybody's; a second run finds nothing."""
    for project in ("short", "long", "other"):
        _age(server, project, 0, 2, 10)
    _rule(server, "spans", "5")
    _rule(server, "spans", "1", "--organization", "acme", "--project", "short")
    _rule(server, "spans", "20", "--organization", "acme", "--project", "long")
    assert _apply(server) == [("", 5, 1), ("long", 20, 0), ("short", 1, 2)]
    assert _left(server) == {"short": 1, "long": 3, "other": 2}
    assert _apply(server) == [("", 5, 0), ("long", 20, 0), ("short", 1, 0)]
    assert server.sql("SELECT sum(rows) FROM system.parts WHERE active AND table = 'spans'") == "6"


def test_a_rule_is_for_its_own_organization_and_group(server: Server) -> None:
    """Rows of others, and of other tables, stay; names are data and never SQL."""
    _age(server, "p", 3)
    _rule(server, "spans", "1", "--organization", "acm' OR 'x' = 'x")
    _rule(server, "logs", "1", "--organization", "acme")
    assert [rows for _, _, rows in _apply(server)] == [0]
    assert _left(server) == {"p": 1}


def test_a_rule_again_replaces_itself(server: Server) -> None:
    """The last days that were set for the same rows are the rule."""
    _rule(server, "spans", "3", "--organization", "acme")
    _rule(server, "spans", "7", "--organization", "acme")
    assert [days for _, days, _ in _apply(server)] == [7]


def test_a_rule_longer_than_the_table_is_refused(server: Server) -> None:
    """A rule that the table's own retention would undo is refused, and the setting to raise is named."""
    done = spyglass(server, "warehouse", "retention", "set", "content", "31", "--organization", "acme")
    assert done.returncode == 2
    assert done.stderr == (
        "spyglass: span_content keeps its rows for 30 days, so a rule of 31 days would not hold. Raise "
        "SPYGLASS_RETENTION_CONTENT_DAYS to 31 or more and start the warehouse again, then set the rule.\n"
    )
    assert server.sql("SELECT count() FROM retention_rules", "reader") == "0"
    _rule(server, "content", "30", "--organization", "acme")


@pytest.mark.parametrize("words", [["spans", "0"], ["spans", "x"], ["nothing", "3"], ["spans", "3", "--project", "p"]])
def test_a_rule_without_sense_is_not_understood(server: Server, words: list[str]) -> None:
    """Days below one, unknown groups, and a project without its organization are refused."""
    done = spyglass(server, "warehouse", "retention", "set", *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_show(server: Server) -> None:
    """Each table is shown with rows, bytes, oldest row and days; an empty one has no oldest row."""
    _age(server, "p", 2)
    _rule(server, "spans", "9", "--organization", "acme", "--project", "p")
    shown = json.loads(spyglass(server, "warehouse", "retention", "--json").stdout)
    tables = {table["table"]: table for table in shown["tables"]}
    assert (tables["spans"]["rows"], tables["spans"]["days"]) == (1, 90)
    assert tables["spans"]["bytes"] > 0
    assert tables["spans"]["oldest"] is not None
    assert (tables["logs"]["rows"], tables["logs"]["oldest"]) == (0, None)
    assert shown["rules"] == [{"table_group": "spans", "organization": "acme", "project": "p", "days": 9}]
    text = spyglass(server, "warehouse", "retention", "--show").stdout
    assert "rule: spans of acme/p: 9 days\n" in text
