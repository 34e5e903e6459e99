"""Work tables stay between runs, and are never those of other statements."""

from __future__ import annotations

import pytest

from spyglass.errors import StatementError
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.finaliser import workplace
from tests.warehouse.wire import Server

pytestmark = pytest.mark.stack

FIRST = "CREATE TABLE spyglass.$run_first ENGINE = Memory AS\nSELECT {n:UInt8} AS x$more"
SECOND = "CREATE TABLE spyglass.$run_second ENGINE = Memory AS\nSELECT * FROM spyglass.$run_first"
TABLES = "SELECT name FROM system.tables WHERE database = 'spyglass_work' ORDER BY name"


@pytest.fixture(scope="module")
def admin(own_server: Server) -> Warehouse:
    """Give a client of a warehouse in which nobody else finalises."""
    return own_server.client()


def _run(admin: Warehouse, number: int, more: str = "") -> list[dict[str, object]]:
    with workplace.opened(admin, workplace.PATIENCE_SECONDS) as work:
        work.run(FIRST.replace("$more", more), {"n": number})
        work.run(SECOND, {})
        return admin.rows(work.named("SELECT * FROM spyglass.$run_second"))


def test_a_later_run_fills_the_same_tables(admin: Warehouse) -> None:
    """The same statements use the same tables, which are empty when a run begins."""
    assert _run(admin, 1) == [{"x": 1}]
    tables = admin.rows(TABLES)
    assert _run(admin, 2) == [{"x": 2}]
    assert admin.rows(TABLES) == tables
    assert len(tables) == 2


def test_what_is_made_of_another_table_is_made_anew(admin: Warehouse) -> None:
    """A table whose words are the same, but not those of the table it is made of, is another one; the old ones go."""
    assert _run(admin, 1) == [{"x": 1}]
    before = admin.rows(TABLES)
    assert _run(admin, 1, ", 2 AS y") == [{"x": 1, "y": 2}]
    after = admin.rows(TABLES)
    assert len(after) == 2
    assert not [row for row in after if row in before]


def test_what_a_run_that_failed_left_is_gone(admin: Warehouse) -> None:
    """A run that ends with an error leaves neither rows nor the lock."""
    with pytest.raises(StatementError, match="nothing_of_this_name"):
        _run(admin, 1, ", nothing_of_this_name")
    assert _run(admin, 3) == [{"x": 3}]
