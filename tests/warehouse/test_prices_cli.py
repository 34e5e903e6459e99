"""The command spyglass prices, on a real warehouse."""

from __future__ import annotations

import csv
import io
import json
import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.warehouse.wire import Server, one, span, usage

pytestmark = pytest.mark.stack

TEXT = """\
models:
- {provider: vllm, model: filed, valid_from: 2026-01-01, usd_per_million_tokens: {input: 0.2, output: 0.6}}
resources:
- {resource: gpu_hour, label: rack-7, valid_from: 2026-01-01, usd_per_hour: 2.1}
"""


@pytest.fixture(scope="module")
def priced() -> Iterator[Server]:
    """Run a warehouse whose prices the tests may change."""
    running = Server()
    try:
        yield running.start()
    finally:
        running.remove()


def _prices(server: Server, *words: str, file: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = server.environment | ({"SPYGLASS_PRICES_FILE": str(file)} if file else {})
    command = [sys.executable, "-m", "spyglass", "prices", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def _rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_list_is_of_now_with_the_source(priced: Server) -> None:
    """One row per name that contains the words in any case; scripts get exact decimals as text."""
    done = _prices(priced, "list", "--provider", "OpenAI", "--model", "GPT-4o-mini", "--json")
    assert done.returncode == 0, done.stderr
    found = {(row["provider"], row["model"]): row for row in _rows(done)}
    row = found["openai", "gpt-4o-mini"]
    assert row["usd_per_million_tokens"][0] == {
        "tier": "",
        "daily_from": 0,
        "above": 0,
        "input": "0.15",
        "cache_read": "0.075",
        "cache_write": "0.15",
        "cache_write_1h": "0.15",
        "output": "0.6",
        "reasoning": "0.6",
        "audio_input": "0.15",
        "audio_cache_read": "0.075",
        "audio_output": "0.6",
    }
    (batch,) = [step for step in row["usd_per_million_tokens"] if step["tier"] == "batch"]
    assert (batch["input"], batch["output"]) == ("0.075", "0.3")
    assert (row["source"], row["valid_to"]) == ("genai-prices", None)
    assert all("openai" in provider and "gpt-4o-mini" in model for provider, model in found)


def test_list_for_people(priced: Server) -> None:
    """People get a table with a line of names, and a sentence where nothing is found."""
    lines = _prices(priced, "list", "--provider", "openai", "--model", "gpt-4o-mini").stdout.splitlines()
    assert lines[0].split() == [
        *("provider", "model", "input", "output", "cache_read", "cache_write", "reasoning", "usd_per_request"),
        *("steps", "source", "valid_from"),
    ]
    assert ["openai", "gpt-4o-mini", "0.15", "0.6"] in [line.split()[:4] for line in lines]
    done = _prices(priced, "list", "--model", "no-such")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "No price has such a name.\n")


def test_set_history_remove(priced: Server) -> None:
    """A price is set, changed, seen in the list and the history, and removed; who did it is kept."""
    name = ("vllm", "commanded")
    done = _prices(priced, "set", *name, "--input", "1", "--output", "2", "--from", "2026-01-01")
    assert (done.returncode, done.stdout) == (0, "1 prices of vllm commanded written.\n"), done.stderr
    options = ("--input", "3", "--output", "4", "--cache-read", "0.3", "--cache-write", "3.5", "--reasoning", "5")
    times = ("--request", "0.01", "--from", "2026-01-01", "--until", "2100-01-01")
    assert _prices(priced, "set", *name, *options, *times).returncode == 0
    (row,) = _rows(_prices(priced, "list", "--model", "commanded", "--json"))
    (step,) = row["usd_per_million_tokens"]
    amounts = ("3", "4", "0.3", "3.5", "5")
    assert tuple(step[key] for key in ("input", "output", "cache_read", "cache_write", "reasoning")) == amounts
    assert (row["usd_per_request"], row["valid_to"], row["source"]) == ("0.01", "2100-01-01", "override")
    done = _prices(priced, "remove", *name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 prices of vllm commanded written.\n", "")
    found = _rows(_prices(priced, "history", *name, "--json"))
    assert [(row["action"], row["valid_to"]) for row in found] == [
        ("removed", "2100-01-01"),
        ("changed", "2100-01-01"),
        ("added", None),
    ]
    assert {row["who"] for row in found} == {pwd.getpwuid(os.getuid()).pw_name}
    assert priced.sql("SELECT count() FROM spyglass.model_prices FINAL WHERE model = 'commanded'") == "0"


def test_a_set_price_counts_at_once(priced: Server) -> None:
    """The next span is priced with it: the dictionary is loaded again by the command, at setting and removing."""
    name = ("openai", "gpt-4o")
    call = usage("gpt-4o", "openai", input=1_000_000, output=0)
    costs = []
    for number, command in enumerate((["list"], ["set", *name, "--input", "9", "--output", "0"], ["remove", *name])):
        assert _prices(priced, *command).returncode == 0
        row = span(41_000 + number, call)
        priced.insert("otel_traces", [row])
        sql = "SELECT cost_nano_usd AS cost FROM spans WHERE trace_id = {t:String}"
        costs.append(one(priced, sql, t=row["TraceId"])["cost"])
    assert costs == [2_500_000_000, 9_000_000_000, 2_500_000_000]


def test_unpriced(priced: Server) -> None:
    """Names without a price are listed with calls and tokens until they have one."""
    priced.insert("otel_traces", [span(42_001, usage("nameless", "vllm", input=7, output=2))])
    expected = {"provider": "vllm", "model": "nameless", "calls": 1, "input_tokens": 7, "output_tokens": 2}
    assert _rows(_prices(priced, "list", "--unpriced", "--model", "nameless", "--json")) == [expected]
    assert _prices(priced, "set", "vllm", "nameless", "--input", "1", "--output", "1").returncode == 0
    done = _prices(priced, "list", "--unpriced", "--model", "nameless")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Every model that spans carry has a price.\n"


def test_diff_sync_export(priced: Server, tmp_path: Path) -> None:
    """Diff says what sync will do, sync does it, diff then says nothing, and the export is the file again."""
    file = tmp_path / "prices.yaml"
    file.write_text(TEXT, "utf-8")
    diff = _prices(priced, "diff", "--json", file=file)
    assert diff.returncode == 1
    assert [(row["action"], row.get("model"), row.get("resource")) for row in _rows(diff)] == [
        ("added", "filed", None),
        ("added", None, "gpu_hour"),
    ]
    sync = _prices(priced, "sync", "--json", file=file)
    assert (sync.returncode, sync.stdout) == (0, diff.stdout)
    again = _prices(priced, "diff", file=file)
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr == "The prices are those of the package and the file.\n"
    exported = tmp_path / "exported.yaml"
    exported.write_text(_prices(priced, "export").stdout, "utf-8")
    assert "model: filed" in exported.read_text("utf-8")
    assert "gpt-4o" not in exported.read_text("utf-8")  # the package's are in the package
    table = list(csv.DictReader(io.StringIO(_prices(priced, "export", "--format", "csv").stdout)))
    assert [row["usd_per_hour"] for row in table if row["label"] == "rack-7"] == ["2.1"]
    assert json.loads(_prices(priced, "export", "--format", "json").stdout)["resources"][0]["usd_per_hour"] == "2.1"
    removed = _prices(priced, "remove", "vllm", "filed")
    assert removed.stderr == "It was in a file: sync brings it back while it is there.\n"
    assert [line.split()[:3] for line in _prices(priced, "diff", file=file).stdout.splitlines()[1:]] == [
        ["added", "vllm", "filed"]
    ]
    file.write_text("", "utf-8")
    assert [row["action"] for row in _rows(_prices(priced, "sync", "--json", file=file))] == ["removed"]


SET = ("set", "vllm", "wrong")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((*SET, "--input", "-1", "--output", "1"), "spyglass: input: -1 is no price. A price is finite"),
        ((*SET, "--input", "1", "--output", "nan"), "spyglass: output: nan is no price."),
        ((*SET, "--input", "1", "--output", "1", "--cache-read", "x"), "spyglass: cache_read: 'x' is not a number."),
        ((*SET, "--input", "1", "--output", "1", "--from", "soon"), "spyglass: 'soon' is no time. Write a date"),
        (
            (*SET, "--input", "1", "--output", "1", "--from", "2026-02-01", "--until", "2026-02-01"),
            "spyglass: It ends at 2026-02-01, not after its start.",
        ),
        (("set", "vllm", "", "--input", "1", "--output", "1"), "spyglass: The model has no name."),
        (("remove", "vllm", "never-set"), "spyglass: vllm never-set has 0 given prices to remove."),
    ],
)
def test_misuse(priced: Server, words: tuple[str, ...], sentence: str) -> None:
    """What cannot be done is one sentence and 2, and no price is written."""
    done = _prices(priced, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1
    assert priced.sql("SELECT count() FROM spyglass.model_prices WHERE model IN ('', 'wrong')") == "0"


def test_an_overlap_is_misuse(priced: Server) -> None:
    """A second price for the same time is refused, with the interval of the first."""
    name = ("set", "vllm", "claimed", "--input", "1", "--output", "1")
    assert _prices(priced, *name, "--from", "2026-01-01", "--until", "2026-02-01").returncode == 0
    done = _prices(priced, *name, "--from", "2026-01-31")
    assert done.returncode == 2
    assert done.stderr == (
        "spyglass: vllm claimed has a price of source 'override' already, from 2026-01-01 until 2026-02-01. "
        "Remove that one, or choose an interval beside it.\n"
    )


@pytest.mark.parametrize("command", ["diff", "sync"])
def test_a_bad_file(priced: Server, tmp_path: Path, command: str) -> None:
    """A file that cannot be understood is one sentence with the place, and nothing of it is written."""
    file = tmp_path / "prices.yaml"
    file.write_text(TEXT.replace("2.1", "dear"), "utf-8")
    done = _prices(priced, command, file=file)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"spyglass: {file}: resources, entry 1: usd_per_hour: 'dear' is not a number.")
    done = _prices(priced, command, file=tmp_path / "absent")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
