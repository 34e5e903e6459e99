"""``spyglass query`` lists, explains and asks questions, in a form for people and in three for scripts."""

from __future__ import annotations

import csv
import importlib
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from spyglass.cli import query
from spyglass.errors import UsageError
from spyglass.warehouse import questions
from tests.warehouse.command import spyglass
from tests.warehouse.fleet import Fleet
from tests.warehouse.wire import PASSWORDS

RANGE = ("--since", "-13d")


def test_list_names_every_question(fleet: Fleet) -> None:
    """The command alone, and with --list, prints each name with its sentence."""
    listed = spyglass(fleet.server, "query", "--list")
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == questions.names()
    assert "Which runs cost the most?" in listed.stdout
    assert spyglass(fleet.server, "query").stdout == listed.stdout


def test_help_shows_parameters_and_columns(fleet: Fleet) -> None:
    """--help of a question has what it takes with defaults, what it gives with units, and how ranges are read."""
    shown = spyglass(fleet.server, "query", "top_runs", "--help")
    assert shown.returncode == 0
    for text in ("Which runs cost the most?", "--limit VALUE", "(default: 10)", "--since TIME", "[1e-9 USD]"):
        assert text in shown.stdout, text
    assert "(required)" in spyglass(fleet.server, "query", "trace", "--help").stdout
    assert "by minute" in spyglass(fleet.server, "query", "latency_by_agent", "--help").stdout


def _rows(fleet: Fleet, name: str, *words: str) -> list[dict[str, Any]]:
    asked = spyglass(fleet.server, "query", name, *words, "--json")
    assert asked.returncode == 0, asked.stderr
    return [json.loads(line) for line in asked.stdout.splitlines()]


def test_table_json_csv_and_parquet_agree(fleet: Fleet, tmp_path: Path) -> None:
    """Tables show money in USD; JSON, CSV and Parquet have the same rows with nano-USD."""
    words = ("project_spend", *RANGE, "--until", fleet.now.isoformat())
    rows = _rows(fleet, *words)
    assert len(rows) == 3
    assert all(isinstance(row["total_cost_nano_usd"], int) for row in rows)
    found = list(csv.DictReader(io.StringIO(spyglass(fleet.server, "query", *words, "--csv").stdout)))
    assert [row["total_cost_nano_usd"] for row in found] == [str(row["total_cost_nano_usd"]) for row in rows]
    path = tmp_path / "spend.parquet"
    written = spyglass(fleet.server, "query", *words, "--parquet", str(path))
    assert (written.returncode, written.stdout) == (0, "")
    assert str(path) in written.stderr
    parquet: Any = importlib.import_module("pyarrow.parquet")  # it has no types
    stored = parquet.read_table(path).to_pylist()
    assert [row["total_cost_nano_usd"] for row in stored] == [row["total_cost_nano_usd"] for row in rows]
    assert [each.name for each in tmp_path.iterdir()] == ["spend.parquet"]
    head, *lines = (line.split() for line in spyglass(fleet.server, "query", *words).stdout.splitlines())
    place = head.index("total_cost_usd")
    assert [Decimal(line[place]) * 10**9 for line in lines] == [row["total_cost_nano_usd"] for row in rows]


def test_unknown_is_a_dash_in_tables_and_null_in_json(fleet: Fleet) -> None:
    """The model without a price has no cost: a dash, null, and never 0."""
    unpriced = [row for row in _rows(fleet, "model_comparison", *RANGE) if row["model"] == "nobody-7b"]
    assert {row["cost_nano_usd"] for row in unpriced} == {None}
    head, *lines = spyglass(fleet.server, "query", "model_comparison", *RANGE).stdout.splitlines()
    place = head.split().index("cost_usd")
    assert {line.split()[place] for line in lines if "nobody-7b" in line} == {"-"}


def test_options_and_param_mean_the_same(fleet: Fleet) -> None:
    """A parameter is an option of its name, or --param NAME=VALUE, whose value may hold anything."""
    ends = ("--until", fleet.now.isoformat())
    by_option = _rows(fleet, "top_runs", *RANGE, *ends, "--organization", "acme", "--limit", "2")
    by_param = _rows(
        fleet, "top_runs", *ends, "--param", "since=-13d", "--param", "organization=acme", "--param", "limit=2"
    )
    assert by_option == by_param
    assert {row["organization"] for row in by_option} == {"acme"}
    for hostile in ("x' OR 1 = 1 --", "{limit:UInt32}", "\\", "a\tb\nc"):
        assert _rows(fleet, "top_runs", *RANGE, f"--organization={hostile}") == []


def test_no_rows_are_said(fleet: Fleet) -> None:
    """An answer without rows is an answer."""
    asked = spyglass(fleet.server, "query", "trace", "--trace-id", "f" * 32)
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, "", "No rows.\n")


def test_sql_is_printed_and_runs(fleet: Fleet) -> None:
    """--sql asks nothing and prints what `spyglass sql` understands."""
    printed = spyglass(fleet.server, "query", "retention_sizes", "--sql").stdout
    answer = spyglass(fleet.server, "sql", printed, "--json")
    assert {json.loads(line)["table"] for line in answer.stdout.splitlines()} >= {"spans", "llm_calls"}


def test_another_server_is_asked(fleet: Fleet) -> None:
    """--url and --user name any server, with the password from the environment."""
    words = ("query", "executive_totals", *RANGE, "--json", "--url", fleet.reader.url, "--user")
    elsewhere = {"SPYGLASS_PORT_WAREHOUSE": "1"}
    asked = spyglass(fleet.server, *words, "reader", CLICKHOUSE_PASSWORD=PASSWORDS["reader"], **elsewhere)
    assert json.loads(asked.stdout)["runs"] > 0
    refused = spyglass(fleet.server, *words, "reader", CLICKHOUSE_PASSWORD="wrong", **elsewhere)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("spyglass: ")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("trace",), "spyglass: trace needs a value for trace_id: 32 hex digits."),
        (("trace", "--param", "trace"), "spyglass: --param 'trace' is not NAME=VALUE."),
        (("trace", "--param", "id=1"), "spyglass: trace has no parameter 'id'. It takes trace_id."),
        (("trace", "--trace-id=1", "--param", "trace_id=2"), "spyglass: trace_id is given twice."),
        (("top_runs", "--limit", "x"), "spyglass: limit is no whole number between 0 and 4294967295: 'x'."),
        (("top_runs", "--since", "soon"), "spyglass: since is no moment: 'soon'. It looks like"),
        (("top_runs", "--parquet", "/proc/no/file"), "spyglass: /proc/no/file cannot be written: "),
        (("nope",), "usage: spyglass query"),
        (("top_runs", "--nope"), "usage: spyglass"),
        (("top_runs", "--json", "--csv"), "usage: spyglass query top_runs"),
    ],
)
def test_misuse_is_explained(fleet: Fleet, words: tuple[str, ...], sentence: str) -> None:
    """What cannot be understood ends with 2 and says why, without a stack trace and without an answer."""
    asked = spyglass(fleet.server, "query", *words)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert asked.stderr.startswith(sentence), asked.stderr


def test_nobody_there_is_said(fleet: Fleet) -> None:
    """Without a warehouse the command ends with 1 and says at which address nothing answers."""
    asked = spyglass(fleet.server, "query", "retention_sizes", SPYGLASS_PORT_WAREHOUSE="1")
    assert asked.returncode == 1
    assert asked.stderr.startswith("spyglass: ")
    assert "127.0.0.1:1" in asked.stderr


def test_a_failed_file_leaves_nothing(tmp_path: Path) -> None:
    """Where the answer breaks off, neither the file nor a part of it stays."""

    def broken() -> Any:
        yield b"PAR1"
        raise UsageError("gone")

    with pytest.raises(UsageError):
        query._write(tmp_path / "x.parquet", broken())
    assert list(tmp_path.iterdir()) == []
