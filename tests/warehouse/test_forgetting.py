"""A user is forgotten on request, and what is left of the id is found."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import UsageError
from spyglass.warehouse import finaliser
from spyglass.warehouse.operation.forgetting import Person
from tests.warehouse.command import spyglass
from tests.warehouse.wire import Server, span

_TEXT = "gen_ai.input.messages"
# Of one of the two users.
_ROWS = {
    "span_content": 2,
    "dead_letters": 1,
    "evaluations": 0,
    "fact_agent_executions": 0,
    "llm_call_restatements": 0,
    "llm_calls": 2,
    "logs": 1,
    "rollup_users_hour": 0,
    "rollup_users_minute": 1,
    "trace_minutes": 2,
    "query_log": 1,
    "spans": 2,
}


@pytest.fixture
def server(own_server: Server) -> Server:
    """Provide a warehouse in which two users talked: one trace each, with a span that names the user and one not."""
    for table in (*_ROWS, "dirty_traces"):
        own_server.sql(f"TRUNCATE TABLE spyglass.{table}")
    for number, user in ((1, "u-1"), (2, "u-17")):
        root = span(number, {"user.id": user, "session.id": f"s-{number}", _TEXT: f"I am {user}", "enduser": user})
        child = span(number, {_TEXT: "my secret", "session.id": f"s-{number}"}, SpanId=f"{number + 100:016x}")
        own_server.insert("otel_traces", [root, child])
        own_server.insert("otel_logs", [_log(number, user)])
        own_server.insert("otel_traces", [root | {"Timestamp": "1990-01-01 00:00:00"}])
    finaliser.finalise(own_server.client(), timedelta(days=1))
    # What made the rows above stands in the log, too; one question of each user shall be there.
    own_server.sql("SYSTEM FLUSH LOGS")
    own_server.sql("TRUNCATE TABLE spyglass.query_log")
    for user in ("u-1", "u-17"):
        own_server.sql(f"SELECT count() FROM spans WHERE user_id = '{user}'", "reader")
    return own_server


def _log(number: int, user: str) -> dict[str, object]:
    row = span(number)
    return {
        "Timestamp": row["Timestamp"],
        "TraceId": row["TraceId"] if number else "",
        "ServiceName": "shop",
        "Body": f"hello {user}",
        "LogAttributes": {"who": user, "level": "x"},
    }


def _forget(server: Server, user: str, *words: str) -> tuple[int, dict[str, int], str]:
    done = spyglass(server, "warehouse", "forget", "--user", user, "--json", *words)
    return done.returncode, json.loads(done.stdout)["rows"] if done.stdout else {}, done.stderr


def test_a_user_is_forgotten_everywhere(server: Server) -> None:
    """Texts of all spans of the user's traces go, ids and bodies are blank, and others keep what is theirs."""
    code, rows, error = _forget(server, "u-1")
    assert (code, error) == (0, "")
    assert rows == _ROWS
    users = server.client("reader").rows("SELECT user_id AS u, count() AS calls FROM llm_calls GROUP BY u ORDER BY u")
    assert users == [{"u": "", "calls": 3}, {"u": "u-17", "calls": 1}]
    spans = server.client("reader").rows(
        "SELECT trace_id AS t, user_id AS u, session_id AS s, attributes['enduser'] AS a FROM spans ORDER BY t, u"
    )
    first, second = f"{1:032x}", f"{2:032x}"
    assert spans == [
        {"t": first, "u": "", "s": "", "a": ""},
        {"t": first, "u": "", "s": "", "a": ""},
        {"t": second, "u": "", "s": "s-2", "a": ""},
        {"t": second, "u": "u-17", "s": "s-2", "a": "u-17"},
    ]
    assert server.sql("SELECT DISTINCT trace_id FROM span_content", "reader") == second
    logs = server.client("reader").rows("SELECT body, attributes FROM logs ORDER BY body")
    assert logs == [
        {"body": "", "attributes": {"level": "x"}},
        {"body": "hello u-17", "attributes": logs[1]["attributes"]},
    ]
    assert server.sql("SELECT count() FROM dead_letters", "reader") == "1"


def test_what_was_said_of_a_user_and_by_a_user_is_forgotten(server: Server) -> None:
    """Of the user's traces and of what the user judged, labels, explanations and the id go; scores and others' stay."""
    for number, name, user in ((1, "of", ""), (2, "by", "u-1"), (2, "else", "u-17"), (0, "nowhere", "u-1")):
        judged = {
            "gen_ai.evaluation.name": name,
            "gen_ai.evaluation.score.value": "1",
            "gen_ai.evaluation.score.label": "yes",
            "gen_ai.evaluation.explanation": "I am who I am",
            "user.id": user,
        }
        event = {"EventName": "gen_ai.evaluation.result", "Body": "", "LogAttributes": judged}
        server.insert("otel_logs", [_log(number, "") | event])
    code, rows, error = _forget(server, "u-1")
    assert (code, error, rows["evaluations"], rows["logs"]) == (0, "", 3, 4)
    query = "SELECT name AS n, score AS s, concat(label, explanation, user_id) AS rest FROM evaluations ORDER BY n"
    assert server.client("reader").rows(query) == [
        {"n": "by", "s": 1, "rest": ""},
        {"n": "else", "s": 1, "rest": "yesI am who I amu-17"},
        {"n": "nowhere", "s": 1, "rest": ""},
        {"n": "of", "s": 1, "rest": ""},
    ]
    left = "SELECT DISTINCT trace_id AS t FROM logs WHERE attributes['gen_ai.evaluation.explanation'] != ''"
    assert server.client("reader").rows(left) == [{"t": f"{2:032x}"}]


def test_nothing_of_the_text_stays_on_disk(server: Server) -> None:
    """Rows are rewritten when the command ends, not only hidden: no active part holds them."""
    _forget(server, "u-1")
    assert server.sql("SELECT sum(rows) FROM system.parts WHERE active AND table = 'span_content'") == "2"


def test_a_dry_run_changes_nothing(server: Server) -> None:
    """A dry run shows the same counts and leaves every row as it was."""
    code, rows, _ = _forget(server, "u-1", "--dry-run")
    assert (code, rows) == (0, _ROWS)
    assert server.sql("SELECT count() FROM spans WHERE user_id = 'u-1'", "reader") == "1"


def test_an_id_that_is_still_there_is_found(server: Server) -> None:
    """A log that belongs to no trace still names the user: the command says in which columns, and ends with 1."""
    server.insert("otel_logs", [_log(0, "u-1")])
    code, _, error = _forget(server, "u-1")
    assert code == 1
    assert error.startswith("spyglass: The id is still found in logs.body, logs.attributes.")


def test_twice_is_well(server: Server) -> None:
    """A second run has nothing to do and says so; neither has one for a user whom nobody knows."""
    _forget(server, "u-1")
    for user in ("u-1", "nobody"):
        code, rows, _ = _forget(server, user)
        assert (code, set(rows.values())) == (0, {0})


def test_only_in_one_organization(server: Server) -> None:
    """With an organization, rows of the same user elsewhere are not touched and not searched."""
    server.insert("otel_traces", [span(3, {"user.id": "u-1", "spyglass.organization": "acme", _TEXT: "x"})])
    code, rows, _ = _forget(server, "u-1", "--organization", "acme")
    assert (code, rows["spans"], rows["span_content"]) == (0, 1, 1)
    assert server.sql("SELECT count() FROM spans WHERE user_id = 'u-1'", "reader") == "1"


def test_tables_of_later_migrations_are_known_by_their_columns(server: Server) -> None:
    """Rows of the user's traces in any table lose the id; where it is part of the key it is found and named."""
    server.sql(
        "CREATE TABLE spyglass.z_facts (trace_id String, user_id String, n UInt8, who Array(Nullable(String))) "
        "ENGINE = MergeTree ORDER BY n"
    )
    server.sql("CREATE TABLE spyglass.z_users (user_id String, n UInt8) ENGINE = MergeTree ORDER BY user_id")
    try:
        server.sql(f"INSERT INTO spyglass.z_facts SELECT '{1:032x}', 'u-1', 1, ['u-1', NULL, 'u-17']")
        server.sql("INSERT INTO spyglass.z_users SELECT 'u-1', 1")
        code, rows, error = _forget(server, "u-1")
        assert server.sql("SELECT user_id, who FROM z_facts", "reader") == "['',NULL,'u-17']"
        assert (code, rows["z_facts"]) == (1, 1)
        assert error.startswith("spyglass: The id is still found in z_users.user_id. ")
    finally:
        server.sql("DROP TABLE spyglass.z_facts SYNC")
        server.sql("DROP TABLE spyglass.z_users SYNC")


def test_an_empty_id_is_refused(server: Server) -> None:
    """An empty id would be everybody who has none: it is not understood."""
    code, rows, error = _forget(server, "")
    assert (code, rows) == (2, {})
    assert error.startswith("spyglass: The id of the user is empty")
    with pytest.raises(UsageError):
        Person("")


@given(st.text(min_size=1))
def test_any_id_is_found_alone_and_not_in_longer_words(user: str) -> None:
    """The pattern finds an id beside blanks, whatever signs it has, and not as a part of a longer word."""
    pattern = re.compile(Person(user).parameters["pattern"])
    assert pattern.search(f"a {user} b")
    assert pattern.search(user)
    if re.fullmatch("[0-9A-Za-z_]+", user):
        assert not pattern.search(f"x{user}")
        assert not pattern.search(f"{user}7")
