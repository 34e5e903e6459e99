"""Read-only users reach the tables and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.warehouse.wire import PASSWORDS, Server

# Everything here must be refused, whatever the reason that the engine or the gate gives.
ATTEMPTS = (
    # writes and DDL
    "INSERT INTO spyglass.dead_letters (reason) VALUES ('x')",
    "DROP TABLE spyglass.spans",
    "CREATE TABLE spyglass.z (a Int) ENGINE = Memory",
    "CREATE TEMPORARY TABLE z (a Int)",
    "ALTER TABLE spyglass.spans DELETE WHERE 1",
    "TRUNCATE TABLE spyglass.spans",
    "RENAME TABLE spyglass.spans TO spyglass.other",
    "OPTIMIZE TABLE spyglass.spans FINAL",
    "DELETE FROM spyglass.spans WHERE 1",
    "UPDATE spyglass.spans SET kind = 'x' WHERE 1",
    "CREATE VIEW spyglass.v AS SELECT 1",
    "CREATE FUNCTION f AS (x) -> x",
    "ATTACH TABLE spyglass.spans",
    "DETACH TABLE spyglass.spans",
    "BACKUP TABLE spyglass.spans TO File('x')",
    "INSERT INTO FUNCTION file('pwn.out') SELECT 1",
    "INSERT INTO FUNCTION null('a Int') SELECT 1",
    # files, addresses, processes, variables
    "SELECT * FROM file('/etc/passwd', LineAsString)",
    "SELECT file('/etc/hostname')",
    "SELECT file/**/('/etc/hostname')",
    "SELECT \"file\"('/etc/hostname')",
    "SELECT \"fi\\x6ce\"('/etc/hostname')",
    "SELECT `file`('/etc/hostname')",
    "SELECT arrayMap(file, ['/etc/hostname'])",
    "SELECT arrayMap(x -> file(x), ['/etc/hostname'])",
    "WITH (x -> file(x)) AS f SELECT f('/etc/hostname')",
    "SELECT * APPLY file FROM values('a String', '/etc/hostname')",
    "SELECT * APPLY(x -> file(x)) FROM values('a String', '/etc/hostname')",
    "SELECT * APPLY \"fi\\x6ce\" FROM values('a String', '/etc/hostname')",
    "SELECT COLUMNS('a') APPLY file FROM values('a String', '/etc/hostname')",
    "SELECT * REPLACE (file(a) AS a) FROM values('a String', '/etc/hostname')",
    "SELECT a FROM values('a String', 'x') WHERE file('/etc/hostname') != ''",
    "SELECT a FROM values('a String', 'x') ORDER BY file('/etc/hostname')",
    "SELECT a FROM values('a String', 'x') QUALIFY file('/etc/hostname') != ''",
    "SELECT count() FROM numbers(3) GROUP BY GROUPING SETS ((file('/etc/hostname')))",
    "SELECT * FROM numbers(3) LIMIT 1 BY file('/etc/hostname')",
    "SELECT 1 ORDER BY 1 LIMIT length(file('/etc/hostname'))",
    "SELECT sum(1) OVER (PARTITION BY file('/etc/hostname'))",
    "WITH x AS (SELECT file('/etc/hostname') AS y) SELECT * FROM x",
    "SELECT (SELECT (SELECT file('/etc/hostname')))",
    "SELECT 1 WHERE 'x' IN (SELECT file('/etc/hostname'))",
    "SELECT * FROM view(SELECT file('/etc/hostname'))",
    "SELECT * FROM view(SELECT * FROM file('/etc/passwd', LineAsString))",
    "SELECT * FROM (SELECT * FROM s3('http://127.0.0.1:1/b/k'))",
    "SELECT * FROM url('http://127.0.0.1:1/', LineAsString, 'a String')",
    "SELECT * FROM executable('id', TSV, 'a String')",
    "SELECT * FROM Python(PASSWORDS)",
    "SELECT * FROM python(settings)",
    "WITH x AS (SELECT * FROM remote('127.0.0.1', system.one)) SELECT * FROM x",
    "SELECT * FROM remoteSecure('127.0.0.1', system.one)",
    "SELECT * FROM cluster('default', system.one)",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM sqlite('/tmp/x.db', 't')",
    "SELECT * FROM odbc('DSN=x', 'a', 'b')",
    "SELECT * FROM hdfs('hdfs://127.0.0.1/x', TSV, 'a String')",
    "SELECT * FROM filesystem('/etc')",
    "SELECT * FROM eval('SELECT 1')",
    "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT 1))",
    "SELECT * FROM merge('system', 'processes')",
    "SELECT * FROM merge('spyglass', '.*')",
    "SELECT * FROM dictionary('spyglass.price')",
    "SELECT * FROM mergeTreeIndex('spyglass', 'spans')",
    "SELECT * FROM loop(numbers(1)) LIMIT 1",
    "SELECT * FROM input('a String')",
    "SELECT * FROM generateRandom('a String')",
    "SELECT * FROM default.`/etc/passwd`",
    "SELECT * FROM `default`.`/etc/passwd`",
    "DESCRIBE TABLE file('/etc/passwd', LineAsString)",
    "DESCRIBE (SELECT file('/etc/hostname'))",
    "SELECT getMacro('x')",
    "SELECT getServerSetting('max_connections')",
    "SELECT filesystemAvailable()",
    "SELECT showCertificate()",
    "SELECT aiGenerate('x')",
    "SELECT AIGENERATE('x')",
    "SELECT addressToLine(1)",
    "SELECT sleep(3)",
    "SELECT sleepEachRow(1) FROM numbers(100)",
    # other users' statements
    "SELECT * FROM system.processes",
    "SELECT * FROM `system`.`processes`",
    "SELECT * FROM `system.processes`",
    "SELECT * FROM SYSTEM.processes",
    "SELECT 1 IN (system.processes)",
    "SELECT * FROM system.user_processes",
    "SELECT * FROM system.errors",
    "SELECT * FROM system.query_cache",
    "SHOW PROCESSLIST",
    "SHOW CLUSTERS",
    "SHOW CLUSTER 'default'",
    "SHOW MERGES",
    "SHOW /* TABLES */ CLUSTERS",
    "SHOW ACCESS",
    "SHOW GRANTS",
    # control
    "SELECT 1 INTO OUTFILE 'pwn.out'",
    "SYSTEM STOP MERGES",
    "SYSTEM SHUTDOWN",
    "SYSTEM RELOAD DICTIONARY spyglass.price",
    "SYSTEM FLUSH LOGS",
    "KILL QUERY WHERE 1",
    "KILL MUTATION WHERE 1",
    "SET ROLE admin",
    "SET ROLE DEFAULT",
    "SET readonly = 0",
    "SET max_memory_usage = 0",
    "SET dialect = 'prql'",
    "USE system",
    "SELECT 1; DROP TABLE spyglass.spans",
    "SELECT 1;\nSELECT file('/etc/hostname')",
    "SELECT * FROM spyglass.spans SETTINGS readonly = 0",
    "SELECT * FROM spyglass.spans SETTINGS max_execution_time = 0",
    "SELECT * FROM spyglass.spans SETTINGS final = 0",
    "SELECT * FROM spyglass.spans SETTINGS additional_table_filters = {'spyglass.spans': 'file(kind) = 1'}",
    "EXPLAIN SELECT file('/etc/hostname')",
    "EXPLAIN SELECT * FROM url('http://127.0.0.1:1/')",
    "CHECK TABLE spyglass.spans",
    "GRANT ALL ON *.* TO default",
    "CREATE USER x",
    "BEGIN TRANSACTION",
    "EXECUTE AS admin SELECT 1",
    "SELECT * FROM spyglass.spans PARALLEL WITH SELECT 1",
    "/* SELECT */ DROP TABLE spyglass.spans",
    "-- SELECT\nDROP TABLE spyglass.spans",
    "not sql at all",
    "",
)
# The function's name stays hidden from a lexer that knows less than the engine's.
HIDDEN = (
    "SELECT $x$'$x$, file('/etc/hostname') AS a, $x$'$x$",
    "SELECT 'a\\'', file('/etc/hostname'), '\\''",
    "SELECT 'a''', file('/etc/hostname'), ''''",
    "SELECT '--', file('/etc/hostname') --'",
    "SELECT '/*', file('/etc/hostname') /* ' */",
    "SELECT 1 # '\n, file('/etc/hostname') -- '",
    "SELECT \u2018'\u2019, file('/etc/hostname'), \u2018'\u2019",
)
ALLOWED = (
    "SELECT count() FROM spyglass.spans",
    "SELECT count() FROM spans WHERE status_message LIKE '%file(%' OR name = 'file'",
    "WITH x AS (SELECT number AS n FROM numbers(3)) SELECT sum(n) FROM x",
    "FROM spans SELECT count()",
    "(SELECT 1) UNION ALL (SELECT 2)",
    "SELECT 1 EXCEPT SELECT 2",
    "SELECT arrayMap(x -> x + 1, [1, 2])",
    "SELECT CASE kind WHEN 'llm' THEN 1 ELSE 2 END FROM spans",
    "SELECT quantilesBFloat16(0.5, 0.95)(duration_ns) FROM spans",
    "SELECT * APPLY toString FROM numbers(1)",
    "SELECT input, output, system FROM span_content",
    "SELECT provider, model, steps.input FROM model_prices LIMIT 1",
    "SELECT dictHas('spyglass.price', ('openai', 'gpt-4o'), now())",
    "SELECT a.kind FROM spans AS a JOIN spans AS b ON a.span_id = b.parent_span_id",
    "SELECT name FROM system.tables WHERE database = 'spyglass'",
    "SELECT name FROM system.columns WHERE table = 'spans'",
    "SELECT name, value FROM system.settings LIMIT 1",
    "SELECT table_name FROM information_schema.tables LIMIT 1",
    "SHOW TABLES",
    "SHOW DATABASES",
    "SHOW CREATE TABLE spans",
    "SHOW FULL TABLES FROM spyglass",
    "show tables like 'sp%'",
    "SHOW DICTIONARIES",
    "SHOW SETTINGS LIKE 'max_threads'",
    "SHOW COLUMNS FROM spans",
    "DESCRIBE TABLE spyglass.spans",
    "EXISTS TABLE spans",
    "SELECT * FROM view(SELECT 1)",
    "SELECT count() FROM spans FORMAT JSON",
    "SELECT 1 SETTINGS readonly = 1",
)


@pytest.mark.parametrize("statement", ATTEMPTS + HIDDEN)
def test_reader_is_refused(server: Server, statement: str) -> None:
    """A statement that reaches beyond the tables is refused, and shows nothing of what it reached for."""
    answer = server.post(statement, "reader", default_format="TSVRaw", query_id="attempt")
    if not statement:
        assert answer.text == "Ok.\n"
        return
    assert answer.status >= 400, answer.text[:300]
    assert "x-clickhouse-exception-code" in answer.headers
    assert Path("/etc/hostname").read_text("utf-8").strip() not in answer.text.replace("server response", "")


@pytest.mark.parametrize("statement", ATTEMPTS[:-1])
def test_collector_is_refused_as_well(server: Server, statement: str) -> None:
    """The collector may insert into the landing tables; what it asks goes through the same gate."""
    answer = server.post(statement, "collector")
    assert answer.status >= 400, answer.text[:300]


@pytest.mark.parametrize("statement", ALLOWED)
def test_reader_may_ask_the_tables(server: Server, statement: str) -> None:
    """Ordinary questions pass, also those that mention a forbidden name in a text."""
    answer = server.post(statement, "reader")
    assert answer.status == 200, answer.text[:300]


def test_reader_does_not_read_by_get_parameters(server: Server) -> None:
    """The statement is judged wherever it stands: in the parameter, the body, or half in each."""
    assert server.post("('/etc/hostname')", "reader", query="SELECT file").status >= 400
    assert server.post("", "reader", query="SELECT file('/etc/hostname')").status >= 400
    assert server.post("", "reader", method="GET", query="SELECT file('/etc/hostname')").status >= 400


def test_parameters_do_not_smuggle(server: Server) -> None:
    """A value that stands for an identifier reaches no forbidden table; a value that stands for a text stays one."""
    refused = server.post("SELECT * FROM {t:Identifier}", "reader", param_t="system.processes")
    assert refused.status == 403
    assert server.post("SELECT * FROM {t:Identifier} LIMIT 0", "reader", param_t="spans").status == 200
    assert server.post("SELECT * FROM {t:Identifier} LIMIT 0", "reader", param_t="system.processes").status == 403
    answer = server.sql("SELECT {x:String}", "reader", param_x="file('/etc/hostname')")
    assert answer == "file(\\'/etc/hostname\\')"


def test_what_passed_for_one_user_is_judged_anew_for_another(server: Server) -> None:
    """A statement that was let through is remembered for whom it was, and one that was refused stays refused."""
    for _ in range(2):
        assert server.post("SELECT count() FROM spyglass.spans", "reader").status == 200
        assert server.post("SELECT count() FROM spyglass.spans SETTINGS max_threads = 1", "reader").status == 200
        assert server.post("SELECT count() FROM spyglass.spans SETTINGS readonly = 0", "reader").status >= 400
        assert server.post("SELECT count() FROM system.processes", "reader").status == 403


def test_functions_of_the_migrations_are_allowed_after_a_restart(new_server: Callable[..., Server]) -> None:
    """What the migrations define belongs to the tables, whether it was there when the process began or not."""
    server = new_server().start()
    answers = [server.post("SELECT spyglass_list(['1'])", "reader").text]
    assert server.stop() == 0
    server.start()
    answers.append(server.post("SELECT spyglass_list(['1'])", "reader").text)
    assert answers == ["[1]\n", "[1]\n"]


def test_reader_has_limits(server: Server) -> None:
    """A question that runs too long or takes too much memory ends with the engine's error."""
    slow = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"
    assert server.post(slow, "reader", max_execution_time="1").headers["x-clickhouse-exception-code"] == "159"
    large = "SELECT groupArray(repeat('x', 1000) || toString(number)) FROM numbers(100000000)"
    assert server.post(large, "reader").headers["x-clickhouse-exception-code"] == "241"


def test_reader_cannot_lift_its_limits(server: Server) -> None:
    """A setting that a reader may not change is refused by name; the longest time can only be shortened."""
    refused = server.post("SELECT 1", "reader", max_memory_usage="0")
    assert refused.headers["x-clickhouse-exception-code"] == "164"
    assert "max_memory_usage" in refused.text
    assert server.sql("SELECT getSetting('max_execution_time')", "reader", max_execution_time="99999") == "60"
    assert server.sql("SELECT getSetting('max_execution_time')", "reader", max_execution_time="0") == "60"


def test_reader_cannot_insert(server: Server) -> None:
    """Data from a reader is refused before the engine sees it."""
    answer = server.insert_block("otel_traces", b"", user="reader")
    assert answer.headers["x-clickhouse-exception-code"] == "164"


def test_get_never_writes(server: Server) -> None:
    """A GET reads only, as in ClickHouse, also as admin."""
    answer = server.post("", "admin", method="GET", query="CREATE TABLE spyglass.never (a Int8) ENGINE = Memory")
    assert answer.headers["x-clickhouse-exception-code"] == "164"
    assert server.sql("EXISTS TABLE spyglass.never") == "0"


def test_passwords_are_not_shown(server: Server) -> None:
    """No password is in the log of the process or in its command line."""
    assert server.process is not None
    shown = server.log + Path(f"/proc/{server.process.pid}/cmdline").read_text("utf-8")
    assert not any(password in shown for password in PASSWORDS.values())
