"""The parts that need no engine: lexing, frames, error texts, hellos."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import StatementError
from spyglass.warehouse import codes, compression, native
from spyglass.warehouse.statements import into_file, literal, output_format, parse_insert, quote, split, unquote


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';'; SELECT 2;", ["SELECT ';'", "SELECT 2"]),
        ("SELECT 'it''s; x'; 2", ["SELECT 'it''s; x'", "2"]),
        ("SELECT 'a\\';'; 2", ["SELECT 'a\\';'", "2"]),
        ("SELECT `a;b`; 2", ["SELECT `a;b`", "2"]),
        ('SELECT "a;b"; 2', ['SELECT "a;b"', "2"]),
        ("-- a; b\nSELECT 1; -- c;\n", ["-- a; b\nSELECT 1"]),
        ("SELECT /* ; */ 1; 2", ["SELECT /* ; */ 1", "2"]),
        ("SELECT $x$ ; $x$; 2", ["SELECT $x$ ; $x$", "2"]),
        (";;\n ; -- nothing\n", []),
        ("", []),
    ],
)
def test_split(text: str, statements: list[str]) -> None:
    """A semicolon in a string, a name or a comment ends no statement."""
    assert split(text) == statements


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_split_finds_what_was_joined(texts: list[str]) -> None:
    """Statements made of any literals come apart where they were put together."""
    statements = [f"SELECT {literal(text)}" for text in texts]
    assert split(";\n".join(statements)) == statements


@given(st.text(min_size=1))
def test_quote(name: str) -> None:
    """Any name survives its quotes."""
    assert unquote(quote(name)) == name


HEADS = {
    "INSERT INTO t FORMAT CSV\n1": ("t", "", "t", (), "", "CSV", "1"),
    "insert into d.t (a, `b c`) format Native \r\nx": ("d.t (a, `b c`)", "d", "t", ("a", "b c"), "", "Native", "x"),
    'INSERT INTO TABLE "d"."t" VALUES (1)': ('"d"."t"', "d", "t", (), "", "Values", " (1)"),
    "INSERT INTO t (a.b) SETTINGS x = 1, y = 'z' FORMAT TSV\n": (
        "t (a.b)",
        "",
        "t",
        ("a.b",),
        "x = 1, y = 'z'",
        "TSV",
        "",
    ),
    "-- c\nINSERT /* FORMAT */ INTO t (a) -- x\nFORMAT Native\n\n\n": ("t (a)", "", "t", ("a",), "", "Native", "\n\n"),
    "INSERT INTO t (* EXCEPT(a)) FORMAT CSV\n1": ("t (* EXCEPT(a))", "", "t", (), "", "CSV", "1"),
    "INSERT INTO `tä` FORMAT CSV\nä": ("`tä`", "", "tä", (), "", "CSV", "ä"),
}


@pytest.mark.parametrize("head", HEADS)
def test_parse_insert(head: str) -> None:
    """The head of an INSERT is read, and its data begins exactly behind it."""
    found = parse_insert(head.encode())
    assert found is not None
    data = head.encode()[found.data :].decode()
    read = (found.target, found.database, found.table, found.columns, found.settings, found.format, data)
    assert read == HEADS[head]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "INSERT INTO t SELECT 1",
        "INSERT INTO t (a) WITH x AS (SELECT 1) SELECT * FROM x FORMAT CSV",
        "INSERT INTO FUNCTION file('x') SELECT 1",
        "INSERT INTO t FROM INFILE 'x' FORMAT CSV",
        "INSERT INTO a.b.c FORMAT CSV",
        "INSERT",
        "INSERT INTO",
        "",
        "'INSERT INTO t FORMAT CSV'",
    ],
)
def test_no_insert_with_data(text: str) -> None:
    """Everything else goes to the engine as it is."""
    assert parse_insert(text.encode()) is None


@given(st.binary(max_size=200))
def test_parse_insert_never_fails(data: bytes) -> None:
    """Any bytes are an INSERT or are not; behind the head they are data, whatever they are."""
    parse_insert(data)
    found = parse_insert(b"INSERT INTO t FORMAT Native\n" + data)
    assert found is not None
    assert found.data == len(b"INSERT INTO t FORMAT Native\n")


def test_into_file_keeps_the_clauses() -> None:
    """The file goes before the query's own FORMAT, or with the default one to the end."""
    assert into_file("SELECT 1", "/x", "JSON") == "SELECT 1\nINTO OUTFILE '/x' FORMAT JSON"
    assert into_file("SELECT 1 FORMAT CSV", "/x", "JSON") == "SELECT 1  INTO OUTFILE '/x' FORMAT CSV"
    assert output_format("SELECT 1 FORMAT CSV") is not None
    assert output_format("SELECT format FROM x") is None


@given(st.binary(max_size=5000))
def test_frames(data: bytes) -> None:
    """Frames come apart as what went in."""
    assert compression.unframe(compression.Frames().encode(data)) == data


@given(st.binary(min_size=1, max_size=300))
def test_broken_frames_are_errors(data: bytes) -> None:
    """Any bytes that are no frames are an error with a code, never another exception."""
    with pytest.raises(StatementError) as caught:
        compression.unframe(data)
    assert caught.value.code in (codes.CANNOT_DECOMPRESS, codes.CHECKSUM_DOESNT_MATCH)


@given(st.integers(0, 2**64 - 1))
def test_varints(number: int) -> None:
    """A number survives."""
    assert native.read_varint(native.varint(number) + b"x", 0) == (number, len(native.varint(number)))


@pytest.mark.parametrize(("data", "rows"), [(b"", 0), (b"\x80", 0), (b"\x02\x05rest", 5), (b"\x02\x80", 0)])
def test_rows_in_first_block(data: bytes, rows: int) -> None:
    """A block's head says how many rows it has; one that is cut says nothing."""
    assert native.rows_in_first_block(data) == rows


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("Code: 60. DB::Exception: No t. (UNKNOWN_TABLE)", 60, "No t. (UNKNOWN_TABLE)"),
        (
            "Code: 164. DB::Exception: Code: 164. DB::Exception: No. (READONLY) (version 26.9.2.1). (READONLY)",
            164,
            "No. (READONLY)",
        ),
        ("Streaming query failed: Code: 395. DB::Exception: x", 395, "x"),
        ("something else", 1002, "something else"),
    ],
)
def test_engine_messages(text: str, code: int, message: str) -> None:
    """The engine's repeated prefixes and versions are taken off."""
    error = codes.from_engine(text)
    assert (error.code, error.problem) == (code, message)
