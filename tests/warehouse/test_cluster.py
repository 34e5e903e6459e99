"""The migrations are one source for one node and for a cluster: the engine parses both, and nothing is guessed."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import MigrationError
from spyglass.warehouse import migrations
from spyglass.warehouse.schema import placement
from spyglass.warehouse.schema.cluster import ClusterForm
from spyglass.warehouse.schema.reading import Statement, inside, listed, read
from spyglass.warehouse.statements import literal, tokens
from tests.warehouse.wire import Server

FILES = migrations.load()
SPANS = """CREATE TABLE IF NOT EXISTS spyglass.s
(
    organization String,
    trace_id String COMMENT 'of (the) run, ENGINE = Null' CODEC(ZSTD(1)),
    INDEX trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(trace_id)
ORDER BY (organization, lower(trace_id))"""
PRICES = "CREATE TABLE spyglass.retention_rules (a Int8) ENGINE = MergeTree ORDER BY a"
LANDING = "CREATE TABLE spyglass.l (a Int8) ENGINE = Null"
KEYED = "CREATE TABLE spyglass.k (a Int8, b Int8) ENGINE = MergeTree() PARTITION BY b ORDER BY (a, abs(b)) TTL b"
SHARD = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
REPLICATED = f"ReplicatedMergeTree({SHARD})"
EVERYWHERE = "'/clickhouse/tables/everywhere/{database}/{table}', '{shard}_{replica}'"
LOCAL = "spyglass.s_local ON CLUSTER 'duo'"


def _form() -> ClusterForm:
    return ClusterForm("duo", placement.load())


def _after_tables(statement: str) -> list[str]:
    form = _form()
    form.statements([SPANS, PRICES, LANDING])
    return list(form.statements([statement]))


def _distributed(name: str, key: str) -> str:
    return (
        f"CREATE TABLE IF NOT EXISTS spyglass.{name} ON CLUSTER 'duo' AS spyglass.{name}_local\n"
        f"ENGINE = Distributed('duo', 'spyglass', '{name}_local', {key})"
    )


def _every() -> list[str]:
    form = _form()
    return [*form.statements(migrations.STATE_TABLE), *(s for f in form.migrations(FILES) for s in f.statements)]


def test_the_engine_parses_every_statement_of_both_forms(server: Server) -> None:
    """Each statement is one that the engine's parser takes, as it is written and as it is on a cluster."""
    both = [*migrations.STATE_TABLE, *(s for f in FILES for s in f.statements), *_every()]
    for statement in both:
        tree = server.sql(f"EXPLAIN AST {statement}")
        assert "Query" in tree.partition("\n")[0], statement
        kinds = server.sql(f"SELECT count() FROM (SELECT formatQuerySingleLine({literal(statement)}))")
        assert kinds == "1"


def test_every_stored_table_is_replicated_and_has_its_twin() -> None:
    """No plain MergeTree is left, each local table has a Distributed one, and all but INSERT names the cluster."""
    every = [read(statement) for statement in _every()]
    assert all(" ON CLUSTER 'duo'" in each.text for each in every if each.kind != "INSERT INTO")
    tables = {each.name: each for each in every if each.kind == "CREATE TABLE"}
    stored = {name: each for name, each in tables.items() if "MergeTree" in _engine(each)}
    assert len(stored) > 20
    assert all(_engine(each).startswith("Replicated") for each in stored.values())
    sharded = {name.removesuffix("_local") for name in stored if name.endswith("_local")}
    assert sharded == {name for name, each in tables.items() if _engine(each) == "Distributed"}
    assert {name.partition(".")[2] for name in stored if not name.endswith("_local")} <= placement.load().everywhere


def test_versions_of_a_row_meet_on_one_shard() -> None:
    """A shard is chosen by columns that tell rows apart: else a row that comes again would not replace itself."""
    created = [read(s) for f in FILES for s in f.statements if read(s).kind == "CREATE TABLE" and "MergeTree" in s]
    by_name = placement.load()
    assert created
    for each in created:
        key = by_name.key(each)
        if key is None or each.name == "spyglass.logs":  # the trace of a record is as fixed as its id
            continue
        known = {token.text for token in each.clause("ORDER BY") if token.kind == "word"}
        used = {token.text for token in tokens(key) if token.kind == "word"} - {"cityHash64", "toStartOfHour"}
        assert used <= known, each.name


def test_traces_are_in_one_place() -> None:
    """All that has an organization and a trace lies by both."""
    for name in ("spans", "span_content", "fact_agent_executions", "llm_calls", "trace_minutes"):
        assert any(
            s.endswith(f"Distributed('duo', 'spyglass', '{name}_local', cityHash64(organization, trace_id))")
            for s in _every()
        ), name


def test_exceptions_name_tables_that_exist() -> None:
    """A table that is named in the file of exceptions is one that a migration creates."""
    names = {read(s).name for f in FILES for s in f.statements} | {"spyglass.schema_migrations"}
    found = placement.load()
    assert {f"spyglass.{name}" for name in (*found.everywhere, *found.keys)} <= names


def test_a_sharded_table() -> None:
    """The whole of both statements, for one table."""
    local, distributed = _form().statements([SPANS])
    assert local == SPANS.replace("spyglass.s\n", f"{LOCAL}\n").replace(
        "ReplacingMergeTree(",
        f"ReplicatedReplacingMergeTree({SHARD}, ",
    )
    assert distributed == (
        "CREATE TABLE IF NOT EXISTS spyglass.s ON CLUSTER 'duo' AS spyglass.s_local\n"
        "ENGINE = Distributed('duo', 'spyglass', 's_local', cityHash64(organization, trace_id))"
    )


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            PRICES,
            [
                PRICES.replace("rules (", "rules ON CLUSTER 'duo' (")
                .replace("Mer", "ReplicatedMer", 1)
                .replace("Tree ORDER", f"Tree({EVERYWHERE}) ORDER")
            ],
        ),
        (LANDING, ["CREATE TABLE spyglass.l ON CLUSTER 'duo' (a Int8) ENGINE = Null"]),
        (
            KEYED,
            [
                KEYED.replace("k (", "k_local ON CLUSTER 'duo' (").replace(
                    "MergeTree()", f"ReplicatedMergeTree({SHARD})"
                ),
                _distributed("k", "cityHash64(a, abs(b))"),
            ],
        ),
        (
            "CREATE TABLE spyglass.t AS spyglass.s ENGINE = MergeTree ORDER BY a",
            [
                f"CREATE TABLE spyglass.t_local ON CLUSTER 'duo' AS spyglass.s_local ENGINE = {REPLICATED} ORDER BY a",
                _distributed("t", "cityHash64(a)"),
            ],
        ),
        (
            "ALTER TABLE spyglass.s ADD COLUMN x Int8, MODIFY SETTING a = 1, b = 2",
            [
                f"ALTER TABLE {LOCAL} ADD COLUMN x Int8, MODIFY SETTING a = 1, b = 2",
                "ALTER TABLE spyglass.s ON CLUSTER 'duo' ADD COLUMN x Int8",
            ],
        ),
        (
            "ALTER TABLE spyglass.s ADD COLUMN x Int8 AFTER trace_id, ADD INDEX i x TYPE minmax",
            [
                f"ALTER TABLE {LOCAL} ADD COLUMN x Int8 AFTER trace_id, ADD INDEX i x TYPE minmax",
                "ALTER TABLE spyglass.s ON CLUSTER 'duo' ADD COLUMN x Int8 AFTER trace_id",
            ],
        ),
        (
            "-- danger: seconds\nALTER TABLE spyglass.s DROP COLUMN x",
            [
                "ALTER TABLE spyglass.s ON CLUSTER 'duo' DROP COLUMN x",
                f"-- danger: seconds\nALTER TABLE {LOCAL} DROP COLUMN x",
            ],
        ),
        (
            "ALTER TABLE spyglass.s UPDATE a = 1, b = if(a, 2, 3) WHERE 1",
            [f"ALTER TABLE {LOCAL} UPDATE a = 1, b = if(a, 2, 3) WHERE 1"],
        ),
        ("ALTER TABLE spyglass.l ADD COLUMN x Int8", ["ALTER TABLE spyglass.l ON CLUSTER 'duo' ADD COLUMN x Int8"]),
        (
            "RENAME TABLE spyglass.s TO spyglass.t",
            [
                "DROP TABLE IF EXISTS spyglass.s ON CLUSTER 'duo' SYNC",
                "RENAME TABLE IF EXISTS spyglass.s_local TO spyglass.t_local ON CLUSTER 'duo'",
                _distributed("t", "cityHash64(organization, trace_id)"),
            ],
        ),
        ("RENAME TABLE spyglass.l TO spyglass.m", ["RENAME TABLE spyglass.l TO spyglass.m ON CLUSTER 'duo'"]),
        (
            "DROP TABLE IF EXISTS spyglass.s SYNC",
            ["DROP TABLE IF EXISTS spyglass.s ON CLUSTER 'duo' SYNC", f"DROP TABLE IF EXISTS {LOCAL} SYNC"],
        ),
        ("TRUNCATE TABLE spyglass.s", [f"TRUNCATE TABLE {LOCAL}"]),
        (
            "DELETE FROM spyglass.retention_rules WHERE 1",
            ["DELETE FROM spyglass.retention_rules ON CLUSTER 'duo' WHERE 1"],
        ),
        ("INSERT INTO spyglass.s SELECT 1", ["INSERT INTO spyglass.s SELECT 1"]),
        ("CREATE VIEW spyglass.v AS SELECT 1", ["CREATE VIEW spyglass.v ON CLUSTER 'duo' AS SELECT 1"]),
        ("CREATE FUNCTION f AS (a) -> a", ["CREATE FUNCTION f ON CLUSTER 'duo' AS (a) -> a"]),
    ],
)
def test_statements(server: Server, statement: str, expected: list[str]) -> None:
    """Each kind of statement does on the cluster what it does on one node, and is a statement of the engine."""
    found = _after_tables(statement)
    assert found == expected
    for sql in (statement, *found):
        server.sql(f"EXPLAIN AST {sql}")


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("SELECT 1", "A migration cannot do 'SELECT 1'"),
        ("EXCHANGE TABLES spyglass.s AND spyglass.l", "A migration cannot do 'EXCHANGE TABLES spyglass"),
        (
            "CREATE OR REPLACE TABLE spyglass.x (a Int8) ENGINE = Null",
            "A migration cannot do 'CREATE OR REPLACE TABLE'",
        ),
        (
            "CREATE TABLE spyglass.x (a Int8) ENGINE = Memory",
            "spyglass.x has the engine Memory, which is not replicated",
        ),
        ("CREATE TABLE spyglass.x AS spyglass.s", "spyglass.x has the engine ?, which is not replicated"),
        (
            "CREATE TABLE spyglass.x ENGINE = MergeTree ORDER BY a AS SELECT 1 AS a",
            "CREATE TABLE spyglass.x fills it too",
        ),
        ("CREATE TABLE spyglass.x (a Int8) ENGINE = MergeTree ORDER BY tuple()", "spyglass.x has no sorting key"),
        (
            "CREATE MATERIALIZED VIEW spyglass.v ENGINE = MergeTree ORDER BY a AS SELECT 1 AS a",
            "does not write TO a table",
        ),
        (
            "CREATE MATERIALIZED VIEW spyglass.v REFRESH EVERY 1 DAY TO spyglass.s AS SELECT 1",
            "does not write TO a table",
        ),
        ("ALTER TABLE spyglass.s FREEZE", "ALTER TABLE spyglass.s cannot do 'FREEZE' in a migration"),
        ("ALTER TABLE spyglass.s ADD COLUMN a Int8, DROP COLUMN b", "adds and drops columns"),
        ("ALTER TABLE spyglass.nowhere ADD COLUMN a Int8", "spyglass.nowhere: no migration before it creates that"),
        (
            "ALTER TABLE s ADD COLUMN a Int8",
            "ALTER TABLE s: no migration before it creates that. Names are written with",
        ),
        ("DROP TABLE spyglass.s, spyglass.l", "names more than one table"),
        ("RENAME TABLE spyglass.s TO spyglass.t, spyglass.l TO spyglass.m", "does not name one table and its new name"),
    ],
)
def test_what_is_not_understood_is_refused(statement: str, sentence: str) -> None:
    """A statement of another kind, or one that a cluster could not do alike, is refused in one sentence."""
    with pytest.raises(MigrationError) as caught:
        _after_tables(statement)
    assert sentence in str(caught.value)


def test_a_dropped_table_may_become_something_else() -> None:
    """What is created under the name of a dropped table is no sharded table any more."""
    form = _form()
    form.statements([SPANS, "DROP TABLE IF EXISTS spyglass.s SYNC"])
    assert form.statements(["DROP TABLE IF EXISTS spyglass.s"]) == ("DROP TABLE IF EXISTS spyglass.s ON CLUSTER 'duo'",)
    form.statements(["CREATE VIEW spyglass.s AS SELECT 1"])
    assert form.statements(["DROP TABLE spyglass.s"]) == ("DROP TABLE spyglass.s ON CLUSTER 'duo'",)


def test_the_files_keep_their_checksums() -> None:
    """A migration in the form for clusters is the same migration: it is known by the file."""
    for file, made in zip(FILES, _form().migrations(FILES), strict=True):
        assert (made.number, made.name, made.checksum) == (file.number, file.name, file.checksum)
        assert dataclasses.replace(made, statements=(), lines=()) == dataclasses.replace(file, statements=(), lines=())


_WORDS = st.sampled_from(["a", "b", "f", "(", ")", ",", "'x, (y'", "[", "]", "`q ,`", "1", "ENGINE", "-- c, (\n"])


@given(st.lists(_WORDS))
def test_any_run_of_tokens_can_be_read(words: list[str]) -> None:
    """Lists and brackets of any tokens end somewhere, and no token is lost between the commas."""
    found = tuple(tokens(" ".join(words)))
    items = list(listed(found))
    assert sum(map(len, items)) + sum(t.text == "," for t in found) >= len(found)
    assert len(inside(found)) <= max(0, len(found) - 1)


def _engine(statement: Statement) -> str:
    place = statement.find("ENGINE")
    assert place is not None
    return statement.rest[place + 2].text
