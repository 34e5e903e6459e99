"""A backup holds everything, is taken while the warehouse serves, and is restored exactly or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import BackupError
from spyglass.warehouse.operation import manifest
from spyglass.warehouse.operation.manifest import Digest, File, Manifest
from tests.warehouse.command import spyglass
from tests.warehouse.wire import METRICS, PASSWORDS, Server, span, usage

_ODD = "tab\t, line\n, blank\n\n, quote ', backslash \\N, zero \x00, \u2019"
_TOTALS = " UNION ALL ".join(
    f"SELECT '{table}', count(), sum(cityHash64(formatRowNoNewline('TSV', *))) FROM spyglass.{table} FINAL"
    for table in (
        "spans",
        "span_content",
        "evaluations",
        "metrics_gauge",
        "metrics_summary",
        "dead_letters",
        "model_prices",
    )
)
_TOTALS = f"SELECT * FROM ({_TOTALS}) ORDER BY ALL"
# The log of queries grows by the questions that are asked here.
_STORED = """
SELECT sum(rows), count() FROM system.parts WHERE active AND database = 'spyglass' AND table != 'query_log'
"""


@pytest.fixture(scope="module")
def full(own_server: Server) -> Server:
    """Provide a warehouse with rows of every kind: odd texts, NaN, NULL, replaced rows, several weeks, dead letters."""
    rows = [span(n, usage(input=n) | {"gen_ai.input.messages": _ODD + str(n), "x": _ODD}) for n in range(1, 50)]
    own_server.insert("otel_traces", rows)
    own_server.insert("otel_traces", rows[:5])
    own_server.insert("otel_traces", [span(n, Timestamp=f"{1_700_000_000 + n * 604_800}.5") for n in range(100, 103)])
    for kind, columns in METRICS.items():
        own_server.insert(f"otel_metrics_{kind}", [{"MetricName": "m", "TimeUnix": rows[0]["Timestamp"]} | columns])
    nan = {"MetricName": "nan", "TimeUnix": rows[0]["Timestamp"], "Value": "nan"}
    own_server.insert("otel_metrics_gauge", [nan, nan | {"MetricName": "third", "Value": 0.1 + 0.2}])
    for score in ("0", "0.3", "nan"):  # a score, corrected twice
        judged = {"gen_ai.evaluation.name": "n", "gen_ai.evaluation.score.value": score}
        event = {"EventName": "gen_ai.evaluation.result", "TraceId": "t", "LogAttributes": judged}
        own_server.insert("otel_logs", [{"Timestamp": rows[0]["Timestamp"]} | event])
    own_server.insert_block("otel_logs", b"\x10\x01g\x00\t\n\n\\N\xff")
    return own_server


@pytest.fixture(scope="module")
def backup(full: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide a backup of it."""
    folder = tmp_path_factory.mktemp("backups") / "one"
    done = spyglass(full, "warehouse", "backup", str(folder))
    assert done.returncode == 0, done.stderr
    assert "spans, partition " in done.stderr
    assert " tables backed up.\n" in done.stdout
    return folder


@pytest.fixture
def copy(backup: Path, tmp_path: Path) -> Path:
    """Provide a copy that may be broken."""
    return Path(shutil.copytree(backup, tmp_path / "copy"))


def test_a_backup_is_restored_exactly(full: Server, backup: Path, new_server: Callable[..., Server]) -> None:
    """Every row is there again as it was, replaced ones once; costs are computed with prices again."""
    other = new_server().start()
    done = spyglass(other, "warehouse", "restore", str(backup), "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert (rows["spans"], rows["span_content"], rows["dead_letters"], rows["metrics_sum"]) == (52, 49, 1, 1)
    assert rows["evaluations"] == 1
    assert other.sql(_TOTALS) == full.sql(_TOTALS)
    other.insert("otel_traces", [span(900, usage(input=1000, output=10))])
    assert other.sql(f"SELECT cost_nano_usd > 0 FROM spans WHERE trace_id = '{900:032x}'", "reader") == "1"
    again = spyglass(other, "warehouse", "restore", str(backup))
    assert again.returncode == 1
    assert "the warehouse is not empty: " in again.stderr


def test_over_an_address(full: Server, tmp_path: Path) -> None:
    """A server is named by its address, and its user's password comes from the environment."""
    url = ["--url", f"http://127.0.0.1:{full.port}", "--user", "admin"]
    words = ["warehouse", "backup", str(tmp_path / "b"), "--json", *url]
    done = spyglass(full, *words, CLICKHOUSE_PASSWORD=PASSWORDS["admin"])
    assert json.loads(done.stdout)["rows"]["spans"] == 52


def test_a_folder_in_use_is_refused(full: Server, backup: Path) -> None:
    """A backup is never written over another, or into a place that cannot be written."""
    done = spyglass(full, "warehouse", "backup", str(backup))
    assert (done.returncode, done.stderr) == (
        1,
        f"spyglass: Backup {backup}: the folder is not empty. Name a new one.\n",
    )
    done = spyglass(full, "warehouse", "backup", "/proc/nowhere")
    assert done.returncode == 1
    assert done.stderr.startswith("spyglass: Backup /proc/nowhere: it cannot be written (")


def _largest(folder: Path) -> Path:
    return max(folder.glob("*/*.lz4"), key=lambda path: path.stat().st_size)


def _cut(folder: Path) -> None:
    _largest(folder).write_bytes(_largest(folder).read_bytes()[:-1])


def _flip(folder: Path) -> None:
    data = bytearray(_largest(folder).read_bytes())
    data[len(data) // 2] ^= 1
    _largest(folder).write_bytes(data)


def _lose(folder: Path) -> None:
    _largest(folder).unlink()


def _lose_manifest(folder: Path) -> None:
    (folder / manifest.NAME).unlink()


def _cut_manifest(folder: Path) -> None:
    text = (folder / manifest.NAME).read_text("utf-8")
    (folder / manifest.NAME).write_text(text[: len(text) // 2], "utf-8")


def _change_manifest(folder: Path) -> None:
    text = (folder / manifest.NAME).read_text("utf-8")
    (folder / manifest.NAME).write_text(text.replace('"rows": 49', '"rows": 48'), "utf-8")


def _come_from_the_future(folder: Path) -> None:
    found = manifest.read(folder)
    found.migrations["9999_later"] = "0"
    manifest.write(folder, found)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_cut, "it is damaged: "),
        (_flip, "it is damaged: "),
        (_lose, "it is incomplete: "),
        (_lose_manifest, "it is incomplete: there is no manifest.json"),
        (_cut_manifest, "it is damaged: manifest.json"),
        (_change_manifest, "it is damaged: manifest.json"),
        (_come_from_the_future, "its schema has migration 9999_later, which this version of spyglass does not know"),
    ],
)
def test_a_damaged_backup_is_refused_before_anything_is_written(
    server: Server, copy: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    """Whatever is wrong with the files is said in a sentence, and the warehouse is not touched."""
    before = server.sql(_STORED)
    damage(copy)
    done = spyglass(server, "warehouse", "restore", str(copy))
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert server.sql(_STORED) == before


@given(st.lists(st.binary().filter(lambda line: b"\n" not in line)), st.data())
def test_a_digest_knows_rows_and_not_their_order(lines: list[bytes], data: st.DataObject) -> None:
    """Rows in any order and cut into any pieces have the same digest; one row more or changed has another."""
    text = b"".join(line + b"\n" for line in lines)
    expected, shuffled, more = Digest(), Digest(), Digest()
    expected.update(text)
    other = b"".join(line + b"\n" for line in data.draw(st.permutations(lines)))
    cut = data.draw(st.integers(0, len(other)))
    for piece in (other[:cut], other[cut:]):
        shuffled.update(piece)
    more.update(text + b"more\n")
    assert (shuffled.rows, shuffled.sum) == (expected.rows, expected.sum) == (len(lines), expected.sum)
    assert more.sum != expected.sum


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    """What is written is read; a layout of another version is refused."""
    made = Manifest({"0001_a": "x"}, {"t": ["a"]}, [File("t/1", "t", 2, 3, "y"), File("t/2", "t", 1, 1 << 63, "z")])
    manifest.write(tmp_path, made)
    assert manifest.read(tmp_path) == made
    assert made.totals() == {"t": (3, (1 << 63) + 3)}
    text = (tmp_path / manifest.NAME).read_text("utf-8")
    (tmp_path / manifest.NAME).write_text(text.replace('"layout": 1', '"layout": 2'), "utf-8")
    with pytest.raises(BackupError, match="its layout is 2"):
        manifest.read(tmp_path)
