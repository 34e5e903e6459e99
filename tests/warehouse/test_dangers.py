"""A migration that rewrites what is stored says so, and a plan says what it would cost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spyglass.errors import MigrationError
from spyglass.warehouse import migrations
from spyglass.warehouse.schema import dangers, plan
from spyglass.warehouse.schema.reading import read
from tests.warehouse.command import spyglass
from tests.warehouse.wire import Server, span

REWRITES = (
    "ALTER TABLE spyglass.s MODIFY COLUMN a String",
    "ALTER TABLE spyglass.s MODIFY COLUMN IF EXISTS a.b String CODEC(ZSTD(1))",
    "ALTER TABLE spyglass.s MODIFY COLUMN a String DEFAULT 'x'",
    "ALTER TABLE spyglass.s MODIFY COLUMN a TTL b + INTERVAL 1 DAY",
    "ALTER TABLE spyglass.s ALTER COLUMN a TYPE String",
    "ALTER TABLE spyglass.s UPDATE a = 1, b = 2 WHERE c",
    "ALTER TABLE spyglass.s DELETE WHERE c",
    "ALTER TABLE spyglass.s MATERIALIZE COLUMN a",
    "ALTER TABLE spyglass.s MATERIALIZE INDEX a",
    "ALTER TABLE spyglass.s MATERIALIZE PROJECTION a",
    "ALTER TABLE spyglass.s MATERIALIZE TTL",
    "ALTER TABLE spyglass.s ADD COLUMN b Int8, DROP COLUMN a",
    "ALTER TABLE spyglass.s DROP PARTITION '2026-01-05'",
    "ALTER TABLE spyglass.s CLEAR COLUMN a IN PARTITION 1",
    "ALTER TABLE spyglass.s RENAME COLUMN a TO b",
    "ALTER TABLE spyglass.s MODIFY ORDER BY (a, b)",
    "ALTER TABLE spyglass.s MODIFY TTL a + INTERVAL 1 DAY",
    "DELETE FROM spyglass.s WHERE a",
    "DROP TABLE spyglass.s",
    "TRUNCATE TABLE spyglass.s",
    "CREATE MATERIALIZED VIEW spyglass.v ENGINE = Memory POPULATE AS SELECT 1",
)
INSTANT = (
    "ALTER TABLE spyglass.s ADD COLUMN a Array(Tuple(Int8, Int8)) DEFAULT [(1, 2)], ADD INDEX i a TYPE minmax",
    "ALTER TABLE spyglass.s MODIFY COLUMN a CODEC(ZSTD(3))",
    "ALTER TABLE spyglass.s MODIFY COLUMN a.b COMMENT 'DROP COLUMN'",
    "ALTER TABLE spyglass.s MODIFY COLUMN IF EXISTS a REMOVE TTL",
    "ALTER TABLE spyglass.s MODIFY SETTING ttl_only_drop_parts = 1",
    "ALTER TABLE spyglass.s MODIFY TTL a + INTERVAL 1 DAY SETTINGS materialize_ttl_after_modify = 0",
    "ALTER TABLE spyglass.v MODIFY QUERY SELECT a, b, count() FROM spyglass.s GROUP BY a, b",
    "ALTER TABLE spyglass.s DROP INDEX i",
    "CREATE TABLE spyglass.s (a Int8 COMMENT 'TRUNCATE TABLE x') ENGINE = Null",
    "RENAME TABLE spyglass.s TO spyglass.t",
    "DROP VIEW spyglass.v",
)


def _file(folder: Path, text: str) -> list[migrations.Migration]:
    (folder / "0001_change.sql").write_text(text, "utf-8")
    return migrations.load(folder)


def test_the_project_says_its_dangers() -> None:
    """No migration of the project rewrites anything without saying why and how long."""
    assert list(dangers.unsaid(migrations.load())) == []


@pytest.mark.parametrize("statement", REWRITES)
def test_rewrites_have_to_say_so(server: Server, tmp_path: Path, statement: str) -> None:
    """What reads, writes or loses rows is found by file, line and statement, and a comment above it is enough."""
    server.sql(f"EXPLAIN AST {statement}")
    text = f"-- about it\nCREATE TABLE spyglass.x (a Int8) ENGINE = Null;\n\n-- hello\n{statement};\n"
    (sentence,) = dangers.unsaid(_file(tmp_path, text))
    found = read(statement)
    assert sentence.startswith(
        f"0001_change.sql line 5: {found.kind} {found.name} reads, writes or loses what is stored"
    )
    assert list(dangers.unsaid(_file(tmp_path, text.replace("-- hello", "-- danger: a minute\n-- hello")))) == []


@pytest.mark.parametrize("statement", INSTANT)
def test_what_is_instant_needs_no_word(server: Server, tmp_path: Path, statement: str) -> None:
    """What only changes metadata passes as it is."""
    server.sql(f"EXPLAIN AST {statement}")
    files = _file(tmp_path, statement)
    dangers.check(files)
    assert dangers.effect(read(statement)) == "instant"


@pytest.mark.parametrize(
    "comment", ["-- danger:\n", "-- danger: long ago\n\n-- other\n", "-- no danger: x\n", "/* danger: x */\n"]
)
def test_words_that_do_not_count(tmp_path: Path, comment: str) -> None:
    """An empty reason, one that is not right above, and another form do not count."""
    with pytest.raises(MigrationError, match=r"0001_change\.sql line \d+: TRUNCATE TABLE spyglass\.s .*Say it there"):
        dangers.check(_file(tmp_path, f"{comment}TRUNCATE TABLE spyglass.s"))


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    """Statements are numbered by the line on which they begin, behind their comments, also where two are alike."""
    files = _file(tmp_path, "-- a\nSELECT 1;\n\n-- b;\n/* c\n */ SELECT 1; SELECT\n2\n")
    assert files[0].lines == (2, 6, 6)


def test_a_plan_says_what_is_touched(server: Server, tmp_path: Path) -> None:
    """A plan has effect, rows and bytes of the table, what the file says of it, and the SQL in its form."""
    server.insert("otel_traces", [span(77_000_001)])
    drop = "-- danger: a second\nALTER TABLE spyglass.spans DROP COLUMN stream"
    files = _file(tmp_path, f"{drop};\nCREATE TABLE spyglass.new (a Int8) ENGINE = Null")
    rewrite, created = plan.steps(server.client(), files, files, None)
    assert (rewrite.effect, rewrite.table, rewrite.danger) == ("rewrite", "spyglass.spans", "a second")
    assert (rewrite.line, rewrite.sql) == (2, (files[0].statements[0],))
    assert rewrite.rows >= 1
    assert rewrite.bytes > 100
    assert (created.effect, created.rows, created.bytes, created.danger) == ("instant", 0, 0, "")
    assert list(plan.steps(server.client(), files, [], None)) == []


def test_dry_run_as_json(server: Server) -> None:
    """A dry run prints one object for each statement that is to run."""
    server.sql("RENAME TABLE spyglass.schema_migrations TO spyglass.schema_migrations_kept")
    try:
        done = spyglass(server, "warehouse", "migrate", "--dry-run", "--json")
    finally:
        server.sql("RENAME TABLE spyglass.schema_migrations_kept TO spyglass.schema_migrations")
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(steps) == sum(len(file.statements) for file in migrations.load())
    assert steps[1]["table"] == "spyglass.otel_traces"
    assert steps[1]["effect"] == "instant"
