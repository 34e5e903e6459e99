"""Dead letters are listed, and sent to their tables again."""

from __future__ import annotations

import json
import time

import pytest

from tests.warehouse.command import spyglass
from tests.warehouse.wire import Server, span

_LONG_AGO = "1990-01-01 00:00:00"
_COLUMNS = "Timestamp, TraceId, ServiceName"


@pytest.fixture
def empty(own_server: Server) -> Server:
    """Provide a warehouse without any dead letter."""
    for table in ("dead_letters", "spans", "metrics_gauge"):
        own_server.sql(f"TRUNCATE TABLE spyglass.{table}")
    return own_server


def _letters(server: Server, *words: str) -> list[dict[str, object]]:
    done = spyglass(server, "warehouse", "dead-letters", "--json", *words)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def _insert_texts(server: Server, *times: str) -> None:
    """Send a body whose times are texts, one row each; the engine refuses it as a whole when one is no time."""
    rows = " UNION ALL ".join(
        f"SELECT '{when}' AS Timestamp, '{place:032x}' AS TraceId, 'texts' AS ServiceName"
        for place, when in enumerate(times)
    )
    block = server.post(f"SELECT * FROM ({rows}) ORDER BY TraceId FORMAT Native").body
    answer = server.post(block, "collector", query=f"INSERT INTO spyglass.otel_traces ({_COLUMNS}) FORMAT Native")
    assert answer.status == 200


def _spans(server: Server) -> list[str]:
    return server.sql("SELECT trace_id FROM spans ORDER BY trace_id", "reader").splitlines()


def test_a_poison_row_does_not_hold_its_neighbours(empty: Server) -> None:
    """Rows of a refused body that can be stored are stored; the others become letters of their own, with reasons."""
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    _insert_texts(empty, now, "no time", now, now, "nor this")
    assert _spans(empty) == []
    (done,) = _letters(empty, "--retry")
    assert (done["stored"], done["left"]) == (3, 2)
    assert _spans(empty) == [f"{place:032x}" for place in (0, 2, 3)]
    left = _letters(empty)
    assert [(letter["source"], letter["rows"], letter["error_code"]) for letter in left] == [("row", 1, 41)] * 2
    assert all("read DateTime" in str(letter["reason"]) for letter in left)


def test_a_row_whose_time_has_come_is_stored(empty: Server) -> None:
    """A row that was too far ahead is stored by a retry once it is not, and its letter is gone."""
    ahead = time.time_ns() + 3_602_000_000_000
    empty.insert("otel_traces", [span(1, Timestamp=f"{ahead / 1e9:.9f}"), span(2, Timestamp=_LONG_AGO)])
    assert len(_letters(empty)) == 2
    time.sleep(max(0.0, ahead / 1e9 - 3600 - time.time()) + 0.1)
    retried = _letters(empty, "--retry")
    assert sorted((one["stored"], one["left"]) for one in retried) == [(0, 1), (1, 0)]
    assert _spans(empty) == [f"{1:032x}"]
    (left,) = _letters(empty)
    assert "is before 2000" in str(left["reason"])


def test_a_broken_body_stays(empty: Server) -> None:
    """A body that cannot be read stays as it is, with its reason and the time when it came; the exit code is 1."""
    empty.insert_block("otel_logs", b"\x10\x01garbage")
    (before,) = _letters(empty)
    done = spyglass(empty, "warehouse", "dead-letters", "--retry")
    assert done.returncode == 1
    assert done.stdout.endswith("1 dead letters tried again: 0 rows stored, 1 left.\n")
    (after,) = _letters(empty)
    assert (after["id"], after["received_at"], after["bytes"]) == (before["id"], before["received_at"], before["bytes"])


def test_only_the_named_letters_are_tried(empty: Server) -> None:
    """Letters are chosen by table and by id; an id that none has is not understood."""
    empty.insert_block("otel_logs", b"\x10\x01garbage")
    empty.insert("otel_traces", [span(1, Timestamp=_LONG_AGO), span(2, Timestamp=_LONG_AGO)])
    assert [letter["table_name"] for letter in _letters(empty, "--table", "otel_logs")] == ["otel_logs"]
    chosen = str(_letters(empty, "--table", "otel_traces", "--limit", "1")[0]["id"])
    assert [one["id"] for one in _letters(empty, "--retry", chosen)] == [chosen]
    done = spyglass(empty, "warehouse", "dead-letters", "--retry", "ABC")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("spyglass: There is no dead letter ABC.")


def test_a_retry_of_nothing_is_well(empty: Server) -> None:
    """Without dead letters a retry says so and ends with 0."""
    done = spyglass(empty, "warehouse", "dead-letters", "--retry")
    assert (done.returncode, done.stdout) == (0, "0 dead letters tried again: 0 rows stored, 0 left.\n")


def test_a_value_that_json_lacks_is_never_made_up(empty: Server) -> None:
    """A NaN is lost in the JSON of a row's letter: the row stays a letter, and does not become a 0."""
    block = empty.block("otel_metrics_gauge", [{"MetricName": "m", "TimeUnix": _LONG_AGO, "Value": "nan"}])
    assert empty.insert_block("otel_metrics_gauge", block).status == 200
    (done,) = _letters(empty, "--retry")
    assert (done["stored"], done["left"]) == (0, 1)
    assert empty.sql("SELECT count() FROM metrics_gauge", "reader") == "0"


def test_a_body_of_poison_stays_whole(empty: Server) -> None:
    """Where more than a hundred rows of a body cannot be stored, it stays one letter instead of hundreds."""
    _insert_texts(empty, *("no time" for _ in range(110)))
    (done,) = _letters(empty, "--retry")
    assert (done["stored"], done["left"]) == (0, 110)
    assert [letter["rows"] for letter in _letters(empty)] == [110]


def test_a_letter_for_no_table_stays(empty: Server) -> None:
    """A letter whose table does not exist stays, with the engine's sentence, and stops no other."""
    empty.sql("INSERT INTO spyglass.dead_letters (source, table_name, body) SELECT 'row', 'otel_nothing', '{}'")
    _insert_texts(empty, "no time", "2026-01-01 00:00:00")
    retried = {one["table_name"]: (one["stored"], one["left"]) for one in _letters(empty, "--retry")}
    assert retried == {"otel_nothing": (0, 1), "otel_traces": (1, 1)}
    assert {str(letter["table_name"]) for letter in _letters(empty)} == {"otel_nothing", "otel_traces"}
