"""Migrations run once, in order, and never change after; a run that died is taken up again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from spyglass.errors import MigrationError
from spyglass.warehouse import migrations
from spyglass.warehouse.client import Warehouse
from tests.warehouse.wire import PASSWORDS, Server, span

FIRST = "-- a; comment\nCREATE TABLE IF NOT EXISTS spyglass.m1 (a String DEFAULT ';') ENGINE = Memory;\n"
SECOND = (
    "CREATE TABLE IF NOT EXISTS spyglass.m2 (a Int8) ENGINE = Memory; /* ; */ INSERT INTO spyglass.m1 (a) SELECT 'x;y';"
)


SCHEMA = "SELECT name, create_table_query FROM system.tables WHERE database = 'spyglass' ORDER BY name"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Provide two migrations."""
    (tmp_path / "0001_first.sql").write_text(FIRST, "utf-8")
    (tmp_path / "0002_second.sql").write_text(SECOND, "utf-8")
    return tmp_path


@pytest.fixture
def client(server: Server) -> Iterator[Warehouse]:
    """Provide the admin of a warehouse whose migrations are put aside during the test."""
    admin = server.client()
    admin.execute("RENAME TABLE spyglass.schema_migrations TO spyglass.schema_migrations_kept")
    yield admin
    for table in ("schema_migrations", "m1", "m2", "m3"):
        admin.execute(f"DROP TABLE IF EXISTS spyglass.{table} SYNC")
    admin.execute("RENAME TABLE spyglass.schema_migrations_kept TO spyglass.schema_migrations")
    admin.close()


def _ignore(_: str) -> None:
    """Say nothing."""


def test_fresh_and_again(client: Warehouse, folder: Path) -> None:
    """Everything runs the first time, in order, and nothing the second time."""
    said: list[str] = []
    files = migrations.load(folder)
    assert migrations.apply(client, files, said.append) == 2
    assert said == ["migration 0001_first done", "migration 0002_second done"]
    assert migrations.apply(client, files, said.append) == 0
    assert client.rows("SELECT a FROM spyglass.m1") == [{"a": "x;y"}]
    states = client.rows("SELECT number, name, state FROM spyglass.schema_migrations FINAL ORDER BY number")
    assert states == [
        {"number": 1, "name": "0001_first", "state": "done"},
        {"number": 2, "name": "0002_second", "state": "done"},
    ]


def test_a_new_file_runs_alone(client: Warehouse, folder: Path) -> None:
    """Only what has not run runs."""
    migrations.apply(client, migrations.load(folder)[:1], _ignore)
    assert [file.name for file in migrations.pending(client, migrations.load(folder))] == ["0002_second"]


def test_changed_file(client: Warehouse, folder: Path) -> None:
    """A file that changed after it ran is refused by name, with the remedy, and nothing runs."""
    migrations.apply(client, migrations.load(folder)[:1], _ignore)
    (folder / "0001_first.sql").write_text(FIRST + "\n-- harmless?\n", "utf-8")
    with pytest.raises(MigrationError, match=r"0001_first was changed after it ran\. Put the file back"):
        migrations.apply(client, migrations.load(folder), _ignore)
    assert client.rows("EXISTS TABLE spyglass.m2") == [{"result": 0}]


def test_warehouse_of_a_newer_version(client: Warehouse, folder: Path) -> None:
    """A migration that ran and is in no file means that a newer version was here."""
    files = migrations.load(folder)
    migrations.apply(client, files, _ignore)
    with pytest.raises(MigrationError, match="has migration 0002_second, which this version of spyglass does not know"):
        migrations.apply(client, files[:1], _ignore)


def test_killed_between_two_statements(server: Server, client: Warehouse, folder: Path) -> None:
    """A run that is killed leaves its file STARTED; the next run finishes it, and nothing is there twice."""
    slow = "CREATE TABLE IF NOT EXISTS spyglass.m2 (a Int8) ENGINE = Memory; SELECT sleep(3); "
    (folder / "0002_second.sql").write_text(slow + "CREATE TABLE IF NOT EXISTS spyglass.m3 (a Int8) ENGINE = Memory")
    code = f"""
from pathlib import Path
from spyglass.warehouse import migrations
from spyglass.warehouse.client import Warehouse
warehouse = Warehouse("http://127.0.0.1:{server.port}", "admin", {PASSWORDS["admin"]!r})
migrations.apply(warehouse, migrations.load(Path({str(folder)!r})), print)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL) as run:
        while client.rows("EXISTS TABLE spyglass.m2") == [{"result": 0}]:
            assert run.poll() is None
            time.sleep(0.02)
        run.kill()
    states = "SELECT name, state FROM spyglass.schema_migrations FINAL ORDER BY number"
    assert [row["state"] for row in client.rows(states)] == ["done", "started"]
    assert client.rows("EXISTS TABLE spyglass.m3") == [{"result": 0}]
    assert migrations.apply(client, migrations.load(folder), _ignore) == 1
    assert [row["state"] for row in client.rows(states)] == ["done", "done"]
    assert client.rows("EXISTS TABLE spyglass.m3") == [{"result": 1}]


def test_every_file_can_come_again(new_server: Callable[..., Server], server: Server) -> None:
    """A run that died at the end of a file does all of it again, and comes to the same schema."""
    young = new_server()
    young.command = (str(Path(__file__).parent / "node.py"), "plain")
    admin = young.start().client()
    for file in migrations.load():
        for statement in (*file.statements, *file.statements):
            admin.execute(statement)
    schema = SCHEMA.replace("ORDER BY", "AND name NOT LIKE 'schema%' ORDER BY")
    assert young.sql(schema) == server.sql(schema)
    assert young.sql("SELECT count() FROM spyglass.dim_hour FINAL") == "24"


def test_a_warehouse_killed_in_its_migrations(new_server: Callable[..., Server], server: Server) -> None:
    """Killed with each file that it finishes, a new warehouse comes to the schema of one that nobody disturbed."""
    young = new_server()
    for place in (1, 4, 8, 12):
        young.start(wait=False)
        assert young.process is not None
        while f"migration {place:04}_" not in young.log:
            assert young.process.poll() is None, young.log
            time.sleep(0.005)
        young.stop(signal.SIGKILL)
    young.start()
    assert young.sql(SCHEMA) == server.sql(SCHEMA)
    assert young.sql("SELECT uniqExact(state) FROM spyglass.schema_migrations FINAL") == "1"


def test_crash_half_way(client: Warehouse, folder: Path) -> None:
    """A file that failed in the middle is STARTED; the next run does it again from its start and finishes it."""
    broken = SECOND.replace("INSERT INTO", "INSERT INTO spyglass.nowhere SELECT 1; INSERT INTO")
    (folder / "0002_second.sql").write_text(broken, "utf-8")
    with pytest.raises(MigrationError, match=r"0002_second failed at statement 2 of 3: .*nowhere"):
        migrations.apply(client, migrations.load(folder), _ignore)
    states = client.rows("SELECT name, state FROM spyglass.schema_migrations FINAL ORDER BY number")
    assert [row["state"] for row in states] == ["done", "started"]
    (folder / "0002_second.sql").write_text(SECOND, "utf-8")
    assert migrations.apply(client, migrations.load(folder), _ignore) == 1
    assert client.rows("SELECT count() AS n FROM spyglass.m1") == [{"n": 1}]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("0004_gap.sql", "SELECT 1", "Migration 0003 is missing"),
        ("0002_twice.sql", "SELECT 1", "Migration 0003 is missing"),
        ("third.sql", "SELECT 1", "is not named like 0001_what_it_does.sql"),
        ("0003_empty.sql", "-- nothing\n", "has no statement"),
    ],
)
def test_broken_folder(folder: Path, name: str, text: str, sentence: str) -> None:
    """A gap, a number used twice, a wrong name and an empty file are refused before anything runs."""
    (folder / name).write_text(text, "utf-8")
    with pytest.raises(MigrationError, match=sentence):
        migrations.load(folder)


def test_no_folder(tmp_path: Path) -> None:
    """A folder without migrations is a broken installation, not an empty schema."""
    with pytest.raises(MigrationError, match="There is no migration"):
        migrations.load(tmp_path)


def test_a_changed_file_stops_the_start(new_server: Callable[..., Server]) -> None:
    """The process says which file, and does not answer as if it were ready."""
    server = new_server().start()
    server.sql(
        "INSERT INTO spyglass.schema_migrations (number, name, checksum, state) VALUES (1, '0001_landing', 'x', 'done')"
    )
    server.stop()
    server.start(wait=False)
    assert server.process is not None
    assert server.process.wait(60) == 1
    server.process = None
    last = server.log.strip().splitlines()[-1]
    assert last.startswith("spyglass: Migration 0001_landing was changed after it ran.")


def test_retention_changes_with_the_setting(new_server: Callable[..., Server]) -> None:
    """Other days in the settings change the tables at the next start, and only those."""
    server = new_server().start()
    server.stop()
    server.settings = {"SPYGLASS_RETENTION_LOGS_DAYS": "7"}
    server.start()
    engine = server.sql("SELECT engine_full FROM system.tables WHERE database = 'spyglass' AND name = 'logs'")
    assert "toDateTime(ingested_at) + toIntervalDay(7)" in engine
    assert server.log.count("retention of logs set") == 1
    assert "retention of spans set" not in server.log


def test_spans_move_into_the_order_of_traces(new_server: Callable[..., Server]) -> None:
    """Spans from before their table was made anew are all there afterwards, each value as it was."""
    young = new_server()
    young.command = (str(Path(__file__).parent / "node.py"), "plain")
    admin = young.start().client()
    files = migrations.load()
    before, after = files[:19], files[19:]
    for statement in (statement for file in before for statement in file.statements):
        admin.execute(statement)
    rows = [span(number, {"gen_ai.agent.name": f"a{number % 3}", "note": "x"}) for number in range(1, 300)]
    admin.insert_data("spyglass.otel_traces", list(rows[0]), _json(rows), "JSONEachRow")
    state = "SELECT count() AS n, sum(sipHash64(*)) AS hash FROM spyglass.spans"
    (found,) = admin.rows(state)
    for statement in (statement for file in after for statement in file.statements):
        admin.execute(statement)
    assert found["n"] == len(rows)
    assert admin.rows(state) == [found]
    assert admin.rows("EXISTS TABLE spyglass.spans_aside") == [{"result": 0}]


def _json(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()
