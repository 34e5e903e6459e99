"""Questions are files with a strict header, bound by the server, allowed to the reader and bounded in time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import QuestionError
from spyglass.warehouse import questions
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.questions import header
from tests.warehouse.fleet import Fleet

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = """\
-- question: How many?
-- Of all that came.
-- More of that.
-- parameters:
-- - since DateTime64(3, 'UTC') = -24h: start of
--   the range
-- - word String = '': in the name
-- - limit UInt32: most rows
-- columns:
-- - name
-- - cost_nano_usd (1e-9 USD): of the calls
-- - calls: that came

SELECT {since:DateTime64(3, 'UTC')}, {word:String} -- a remark
LIMIT {limit:UInt32}
"""
# change of GOOD → what is said of it, with the line
WRONG = {
    ("-- question: How many?\n", ""): "line 1: a file begins with '-- question: '",
    ("-- question: How many?", "-- question:"): "line 1: 'question' stands before its sentence",
    ("How many?", "How many."): "line 1: a question ends with a question mark",
    ("-- parameters:\n", "-- parameters: since\n"): "line 4: 'parameters' stands alone",
    (
        "-- - name\n",
        "-- - name\n-- parameters:\n",
    ): "line 11: 'parameters' is out of order: question, parameters, columns",
    ("-- - limit UInt32:", "-- - limit UInt32"): "line 8: a parameter looks like",
    ("-- - limit UInt32:", "-- - limit:"): "line 8: a parameter looks like",
    ("-- - limit UInt32:", "-- - limit Float64:"): "line 8: Float64 is none of String, UInt32, DateTime64(3, 'UTC')",
    ("-- - name\n", "-- - Name\n"): "line 10: a column looks like",
    ("-- - name\n", "-- name\n"): "line 10: a column looks like",
    ("-- - name\n", "--   name\n"): "line 10: nothing stands before a line that goes on",
    ("-- - calls: that came\n", "-- - name\n"): "line 12: name is there twice",
    ("-- - calls: that came\n", "-- - calls: that came\n-- question: And?\n"): "line 13: 'question' is out of order",
    ("{word:String}", "{word:UInt32}"): "line 14: the header has no parameter word of type UInt32",
    ("{word:String}", "{words:String}"): "line 14: the header has no parameter words of type String",
    ("{word:String}", "1"): "line 12: the SQL does not use the parameter word",
}


def _write(folder: Path, text: str) -> Path:
    path = folder / "some.sql"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_header_says_what_a_question_takes_and_gives(tmp_path: Path) -> None:
    """Sentence, notes, parameters with defaults, columns with units, and the SQL are read from the file."""
    question = header.parse(_write(tmp_path, GOOD))
    assert (question.name, question.sentence) == ("some", "How many?")
    assert question.notes == "Of all that came. More of that."
    assert [(each.name, each.default, each.sentence) for each in question.parameters] == [
        ("since", "-24h", "start of the range"),
        ("word", "", "in the name"),
        ("limit", None, "most rows"),
    ]
    assert [(each.name, each.unit, each.sentence) for each in question.columns] == [
        ("name", "", ""),
        ("cost_nano_usd", "1e-9 USD", "of the calls"),
        ("calls", "", "that came"),
    ]
    assert question.sql.startswith("SELECT")


@pytest.mark.parametrize(("old", "new"), WRONG)
def test_a_wrong_header_is_refused(tmp_path: Path, old: str, new: str) -> None:
    """What is wrong with a file is one sentence with its path and line."""
    assert GOOD.count(old) == 1
    path = _write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(QuestionError) as raised:
        header.parse(path)
    assert str(raised.value).startswith(f"{path}, {WRONG[old, new]}")


@pytest.mark.parametrize(
    "text", ["", "SELECT 1\n", "-- question: What?\nSELECT 1\n", "-- question: A?\n-- columns:\n-- - a\n"]
)
def test_a_file_that_lacks_a_part_is_refused(tmp_path: Path, text: str) -> None:
    """A file needs a question, columns and SQL."""
    with pytest.raises(QuestionError, match=r"some\.sql, line \d+: "):
        header.parse(_write(tmp_path, text))


def _bound(tmp_path: Path, **values: object) -> Mapping[str, str]:
    return questions.bind(header.parse(_write(tmp_path, GOOD)), {"limit": 5} | values, NOW)


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ("now", "2026-03-01 12:00:00.000"),
        ("-24h", "2026-02-28 12:00:00.000"),
        ("90m", "2026-03-01 10:30:00.000"),
        ("-2w", "2026-02-15 12:00:00.000"),
        ("2026-02-03", "2026-02-03 00:00:00.000"),
        ("2026-02-03T04:05:06.789Z", "2026-02-03 04:05:06.789"),
        ("2026-02-03T04:05:06+02:00", "2026-02-03 02:05:06.000"),
        ("2026-02-03 04:05", "2026-02-03 04:05:00.000"),
        (datetime(2026, 2, 3, 4, 5, 6, 7999, UTC).replace(tzinfo=None), "2026-02-03 04:05:06.007"),
        (datetime(2026, 2, 3, 4, tzinfo=timezone(timedelta(hours=1))), "2026-02-03 03:00:00.000"),
    ],
)
def test_moments_are_written_in_many_ways(tmp_path: Path, given_value: object, expected: str) -> None:
    """Relative times, dates, RFC 3339 and datetimes become moments in UTC."""
    assert _bound(tmp_path, since=given_value)["since"] == expected


@given(moment=st.datetimes(datetime(1971, 1, 1), datetime(2105, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 -- hypothesis wants naive bounds
def test_any_moment_is_bound_as_it_is(tmp_path_factory: pytest.TempPathFactory, moment: datetime) -> None:
    """However a moment is given, its milliseconds in UTC are bound."""
    folder = tmp_path_factory.mktemp("question")
    expected = moment.astimezone(UTC).replace(tzinfo=None, microsecond=moment.microsecond // 1000 * 1000)
    for value in (moment, moment.astimezone(UTC).isoformat()):
        assert datetime.fromisoformat(_bound(folder, since=value)["since"]) == expected


@given(text=st.text())
def test_any_text_is_a_moment_or_one_sentence(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """What is no moment is refused by name, never with another error."""
    try:
        datetime.fromisoformat(_bound(tmp_path_factory.mktemp("question"), since=text)["since"])
    except QuestionError as error:
        assert str(error).startswith("since ")  # noqa: PT017 -- most texts raise, and some do not


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"words": "x"}, "some has no parameter 'words'. It takes limit, since, word."),
        ({"limit": "many"}, "limit is no whole number between 0 and 4294967295: 'many'."),
        ({"limit": "-1"}, "limit is no whole number between 0 and 4294967295: '-1'."),
        ({"limit": 2**32}, "limit is no whole number between 0 and 4294967295: '4294967296'."),
        ({"limit": "\u0661"}, "limit is no whole number between 0 and 4294967295: '\u0661'."),
        ({"since": "yesterday"}, "since is no moment: 'yesterday'. It looks like now, -24h, "),
        ({"since": "9999999999h"}, "since is no moment: "),
        ({"since": "1969-01-01"}, "since is not between 1970 and 2106: 1969-01-01."),
        ({"word": "a\0b"}, "word holds a byte that no text has: NUL."),
    ],
)
def test_a_wrong_value_is_one_sentence(tmp_path: Path, values: Mapping[str, object], sentence: str) -> None:
    """Unknown parameters and values of the wrong type are named, with what would be right."""
    with pytest.raises(QuestionError) as raised:
        _bound(tmp_path, **values)
    assert str(raised.value).startswith(sentence)


def test_a_missing_value_and_an_empty_range_are_one_sentence() -> None:
    """A parameter without a default must be given, and a range ends after it begins."""
    with pytest.raises(QuestionError, match=r"^trace needs a value for trace_id: 32 hex digits\.$"):
        questions.bind(questions.load("trace"), {})
    with pytest.raises(QuestionError, match=r"^since \(.*\) is not before until \(.*\)\.$"):
        questions.bind(questions.load("top_runs"), {"since": "-1h", "until": "-2h"})


def test_an_unknown_question_is_one_sentence() -> None:
    """A name that is no question says where the names are, whatever else is there of this name."""
    for name in ("nope", "../queries/trace", "README"):
        with pytest.raises(
            QuestionError, match=r"^There is no question '.*'\. spyglass query --list names them all\.$"
        ):
            questions.load(name)


def _values(fleet: Fleet, question: questions.Question) -> dict[str, str]:
    """Return a value for each parameter of a question, over a range with rows."""
    known = {
        "since": fleet.now - timedelta(days=13),
        "trace_id": fleet.spans[0].trace_id,
        "session_id": "session-1",
        "organization": "acme",
        "limit": 100,
    }
    takes = {parameter.name: parameter.default for parameter in question.parameters}
    free = {name: "x" for name, default in takes.items() if default is None}
    return questions.bind(question, free | {name: value for name, value in known.items() if name in takes})


@pytest.mark.parametrize("name", questions.names())
def test_the_reader_gets_the_columns_of_the_header(fleet: Fleet, name: str) -> None:
    """The gate lets every question pass, and its answer has the columns that the header names, in this order."""
    question = questions.load(name)
    answer = fleet.reader.text(question.sql, "TSVWithNames", **_values(fleet, question))
    assert answer.splitlines()[0].split("\t") == [column.name for column in question.columns]


@pytest.mark.parametrize("name", questions.names())
def test_every_question_has_a_test(name: str) -> None:
    """Each file is asked by name in a test that compares its numbers."""
    here = Path(__file__)
    tests = [path for path in here.parent.glob("test_*.py") if path != here and "command" not in path.name]
    assert any(f'"{name}"' in path.read_text("utf-8") for path in tests)


# Tables that grow with the fleet, all of which are ordered by time.
_BIG = re.compile(r"spyglass\.(spans|span_content|logs|llm_calls|fact_agent_executions|trace_minutes|rollup_\w+)")


def _unbounded(warehouse: Warehouse, sql: str, **values: str) -> list[str]:
    """Return the big tables of which the engine would read all time; what it can leave out has no parts in the plan."""
    plan = warehouse.text(f"EXPLAIN indexes = 1 {sql}", "TSVRaw", **values)
    reads = re.split(r"ReadFromMergeTree \(", plan)[1:]
    found = [(read.partition(")")[0], read) for read in reads if "Parts: " in read]
    return [
        table for table, read in found if _BIG.match(table) and not re.search(r"Condition:.*(time|started_at)", read)
    ]


@pytest.mark.parametrize("name", questions.names())
def test_no_question_reads_all_time(fleet: Fleet, name: str) -> None:
    """The engine finds a bound of time for each big table that a question reads, so it reads only those parts."""
    admin = fleet.server.client("admin")
    question = questions.load(name)
    assert _unbounded(admin, question.sql, **_values(fleet, question)) == []
    admin.close()


def test_a_question_without_bounds_would_be_found(fleet: Fleet) -> None:
    """The check above sees tables that are read from their beginning."""
    admin = fleet.server.client("admin")
    sql = "SELECT count() FROM spyglass.spans FINAL WHERE kind = 'tool'"
    assert _unbounded(admin, sql) == ["spyglass.spans"]
    assert _unbounded(admin, "SELECT max(duration_ns) FROM spyglass.spans") == ["spyglass.spans"]
    assert _unbounded(admin, f"{sql} AND timestamp > now() - INTERVAL 20 DAY") == []
    admin.close()
