"""No composed statement of a reader reaches a file, an address, a process or a write; harmless ones pass."""

from __future__ import annotations

import os
import select
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.warehouse import harmless, hostile
from tests.warehouse.hostile import Attempt, filled
from tests.warehouse.wire import Answer, Server, span

# Anything of it in an answer is a leak.
CANARY = "canary-5f1e0c9a"
# More of them, and others each time, where a number is given.
EXAMPLES = os.environ.get("GATE_EXAMPLES", "")
_STATE = (
    "SELECT database, name, total_rows, metadata_modification_time, create_table_query FROM system.tables "  # noqa: ISC004 -- one text
    "WHERE database != 'system' AND name != 'query_log' ORDER BY ALL",
    "SELECT arraySort(groupArray(name)) FROM system.databases",
    "SELECT arraySort(groupArray(name)) FROM system.dictionaries",
    "SELECT arraySort(groupArray(name)) FROM system.functions WHERE origin != 'System'",
    "SELECT count() FROM system.mutations",
)
fuzzing = settings(
    max_examples=int(EXAMPLES or 300),
    deadline=None,
    derandomize=not EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass
class Trap:
    """Hold what no statement may touch: a file that everybody may read, a folder to write into, a port."""

    server: Server
    folder: Path
    listener: socket.socket

    @property
    def places(self) -> dict[str, str]:
        """Return what the marks of the grammar stand for."""
        return {
            "file": str(self.folder / "canary.txt"),
            "folder": str(self.folder),
            "port": str(self.listener.getsockname()[1]),
            "out": str(self.folder / "out.tsv"),
        }

    def ask(self, attempt: Attempt, user: str = "reader") -> Answer:
        """Send a statement, and fail where something leaked or was called."""
        sql = attempt.sql.encode("utf-8", "surrogatepass")
        answer = self.server.post(sql, user, None, **({"default_format": "TSVRaw"} | attempt.parameters))
        assert CANARY.encode() not in answer.body, attempt
        assert CANARY.encode().hex().upper().encode() not in answer.body, attempt
        assert not select.select([self.listener], [], [], 0)[0], attempt
        return answer

    def state(self) -> list[str]:
        """Return what the warehouse and the folder hold."""
        return [*(self.server.sql(sql) for sql in _STATE), *sorted(path.name for path in self.folder.iterdir())]


@pytest.fixture(scope="module")
def trap(own_server: Server) -> Iterator[Trap]:
    """Set the trap, and look at the end whether anything has changed."""
    own_server.insert("otel_traces", [span(1)])
    # Each step of a migration replaced the row before it: a merge in between would change how many rows there are.
    own_server.client("admin").execute("OPTIMIZE TABLE spyglass.schema_migrations FINAL")
    with tempfile.TemporaryDirectory(prefix="spyglass-canary-") as folder, socket.socket() as listener:
        Path(folder).chmod(0o777)
        (Path(folder) / "canary.txt").write_text(f"{CANARY}\n", "utf-8")
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        made = Trap(own_server, Path(folder), listener)
        before = made.state()
        yield made
        assert made.state() == before


def test_the_trap_works(trap: Trap) -> None:
    """The admin, who may, reads the canary's file, and the port sees who calls: the assertions can fail."""
    places = trap.places
    with pytest.raises(AssertionError):
        trap.ask(Attempt(f"SELECT file('{places['file']}')", {}), "admin")
    url = f"SELECT * FROM url('http://127.0.0.1:{places['port']}/', LineAsString, 'a String')"
    with pytest.raises(AssertionError):
        trap.ask(Attempt(url, {"http_max_tries": "1", "http_receive_timeout": "1"}), "admin")
    connection, _ = trap.listener.accept()
    connection.close()


@pytest.mark.parametrize("inner", [*hostile.SCALARS, *hostile.TABLES])
def test_each_hostile_part_is_refused_alone(trap: Trap, inner: str) -> None:
    """Every function and table of the grammar is refused where it stands alone."""
    sql = f"SELECT {inner}" if inner in hostile.SCALARS else f"SELECT * FROM {inner}"
    assert trap.ask(Attempt(filled(sql, trap.places), {})).status >= 400


@fuzzing
@given(st.data())
def test_composed_attempts_are_refused(trap: Trap, data: st.DataObject) -> None:
    """A hostile part is refused wherever it hides, however it is spelled, whatever settings come along."""
    attempt = data.draw(hostile.attempts(trap.places))
    assert trap.ask(attempt).status >= 400, attempt


@fuzzing
@given(st.data())
def test_soup_of_words_touches_nothing(trap: Trap, data: st.DataObject) -> None:
    """Whatever words come in whatever order, nothing is read, called or written."""
    trap.ask(data.draw(hostile.soups(trap.places)))


@fuzzing
@given(st.data())
def test_values_of_parameters_touch_nothing(trap: Trap, data: st.DataObject) -> None:
    """A parameter that stands for a name, a text or a number never becomes a function or a forbidden table."""
    value = data.draw(hostile.values(trap.places))
    for sql in hostile.WITH_PARAMETERS:
        trap.ask(Attempt(filled(sql, trap.places), {"param_x": value}))


@fuzzing
@given(st.data())
def test_harmless_questions_pass(trap: Trap, data: st.DataObject) -> None:
    """A question that only reads tables and computes is answered, however it is put together."""
    attempt = data.draw(harmless.questions())
    answer = trap.ask(attempt)
    assert answer.status == 200, (attempt, answer.text[:300])
