"""The commands: spyglass sql and spyglass warehouse."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from spyglass.warehouse import migrations
from tests.warehouse.wire import PASSWORDS, Server

_FILES = len(migrations.load())


def _spyglass(server: Server, *words: str, text: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "spyglass", *words]
    return subprocess.run(
        command,
        env=server.environment | environment,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_sql_prints_a_table(server: Server) -> None:
    """Without options, rows are a table for people."""
    done = _spyglass(server, "sql", "SELECT 1 AS one, 'x' AS letter")
    assert done.returncode == 0, done.stderr
    assert "one" in done.stdout
    assert "│" in done.stdout


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--json"], '{"n":"41","s":"it\'s"}\n'),
        (["--csv"], '"n","s"\n"41","it\'s"\n'),
        (["--format", "TSV"], "41\tit\\'s\n"),
    ],
)
def test_sql_formats_and_parameters(server: Server, options: list[str], expected: str) -> None:
    """Scripts get JSON, CSV or any format of ClickHouse; values are parameters of the server."""
    sql = "SELECT toString({n:UInt64}) AS n, {s:String} AS s"
    done = _spyglass(server, "sql", sql, "--param", "n=41", "--param", "s=it's", *options)
    assert (done.returncode, done.stdout) == (0, expected), done.stderr


def test_sql_from_standard_input(server: Server) -> None:
    """A dash reads the query from standard input."""
    assert _spyglass(server, "sql", "-", "--format", "TSV", text="SELECT 5").stdout == "5\n"


def test_sql_is_the_reader(server: Server) -> None:
    """The command asks as the read-only user, so replaced rows are never counted twice and nothing is written."""
    done = _spyglass(server, "sql", "DROP TABLE spyglass.spans")
    assert done.returncode == 1
    assert done.stderr == "spyglass: Cannot execute query in readonly mode (MUTATING). (READONLY)\n"
    assert _spyglass(server, "sql", "SELECT getSetting('final')", "--format", "TSV").stdout == "true\n"


def test_sql_error_is_one_sentence(server: Server) -> None:
    """A mistake is the engine's sentence, short, without a trace."""
    done = _spyglass(server, "sql", "SELECT nope FROM spans")
    assert done.returncode == 1
    assert done.stderr.startswith("spyglass: Unknown expression identifier `nope`")
    assert done.stderr.count("\n") == 1


def test_sql_prints_all_or_nothing(server: Server) -> None:
    """A query that fails after millions of rows prints none of them, and the exit code says so."""
    done = _spyglass(server, "sql", "SELECT throwIf(number = 3000000), number FROM numbers(4000000)", "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("spyglass: Value passed to 'throwIf' function is non-zero")


def test_sql_without_a_warehouse(server: Server) -> None:
    """Nothing answers: the sentence names the address and the remedy."""
    done = _spyglass(server, "sql", "SELECT 1", SPYGLASS_PORT_WAREHOUSE="1")
    assert done.returncode == 1
    assert done.stderr.startswith("spyglass: The warehouse at http://127.0.0.1:1 does not answer (")
    assert "spyglass up" in done.stderr


@pytest.mark.parametrize("word", ["n", "=1", "a b=1"])
def test_sql_broken_parameter(server: Server, word: str) -> None:
    """A parameter that is not NAME=VALUE is not understood."""
    done = _spyglass(server, "sql", "SELECT 1", "--param", word)
    assert done.returncode == 2
    assert done.stderr == f"spyglass: --param {word!r} is not NAME=VALUE.\n"


def test_dead_letters(server: Server) -> None:
    """Dead letters are listed newest first, for people and for scripts."""
    for number in range(3):
        server.insert_block("otel_traces", b"\x07\x01dead" + bytes([number]))
    done = _spyglass(server, "warehouse", "dead-letters", "--json", "--limit", "2")
    letters = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(letters) == 2
    assert letters[0]["received_at"] >= letters[1]["received_at"]
    assert {"source", "table_name", "reason", "error_code", "rows", "bytes", "id"} <= letters[0].keys()
    shown = _spyglass(server, "warehouse", "dead-letters", "--limit", "1").stdout
    assert shown.count("\n") == 1
    assert "otel_traces" in shown


def test_migrate(server: Server) -> None:
    """Migrating an up-to-date warehouse does nothing, over any address, and a dry run prints no SQL."""
    done = _spyglass(server, "warehouse", "migrate")
    assert (done.returncode, done.stdout) == (0, f"0 of {_FILES} migrations run; the schema is up to date.\n")
    url = ["--url", f"http://127.0.0.1:{server.port}", "--user", "admin"]
    done = _spyglass(server, "warehouse", "migrate", "--dry-run", *url, CLICKHOUSE_PASSWORD=PASSWORDS["admin"])
    assert (done.returncode, done.stdout) == (0, "")


def test_dry_run_prints_what_would_run(server: Server) -> None:
    """A dry run against a warehouse without a schema prints every statement and runs none."""
    server.sql("RENAME TABLE spyglass.schema_migrations TO spyglass.schema_migrations_kept")
    try:
        done = _spyglass(server, "warehouse", "migrate", "--dry-run")
        assert len(re.findall(r"^-- \d{4}_\w+$", done.stdout, re.MULTILINE)) == _FILES
        assert "CREATE TABLE IF NOT EXISTS spyglass.spans" in done.stdout
        assert server.sql("EXISTS TABLE spyglass.schema_migrations") == "0"
    finally:
        server.sql("RENAME TABLE spyglass.schema_migrations_kept TO spyglass.schema_migrations")


def test_wrong_password_for_migrate(server: Server) -> None:
    """A refused password is one sentence."""
    url = ["--url", f"http://127.0.0.1:{server.port}", "--user", "admin"]
    done = _spyglass(server, "warehouse", "migrate", *url, CLICKHOUSE_PASSWORD="wrong")
    assert done.returncode == 1
    assert done.stderr.startswith("spyglass: admin: Authentication failed")
    assert done.stderr.count("\n") == 1
