"""What closed days cost never changes silently: only a restatement changes it, and keeps what it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from spyglass.errors import StatementError
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.prices import amounts, restate, versions
from spyglass.warehouse.prices import table as price_table
from spyglass.warehouse.prices.days import closed_before
from tests.warehouse.calls import call, cost, finalise, noon, run
from tests.warehouse.command import spyglass
from tests.warehouse.wire import Server, one, usage

pytestmark = pytest.mark.stack

numbers = count(71_000)
MILLION = 1_000_000
USD = 10**9


@pytest.fixture(scope="module")
def admin(own_server: Server) -> Iterator[Warehouse]:
    """Provide the client that the finaliser works with."""
    client = own_server.client()
    yield client
    client.close()


def _price(admin: Warehouse, model: str, usd: str) -> None:
    price_table.put(admin, amounts.price("own", model, amounts.interval("", ""), {"input": usd}, amounts.OVERRIDE))


def _scope(days_ago: int, model: str) -> restate.Scope:
    day = noon(days_ago).date()
    return restate.Scope(day, day, model=model)


def _sums(server: Server, trace: str) -> list[int | None]:
    """Return the cost of a trace in each table that has it."""
    sqls = (
        "SELECT sum(cost_nano_usd) AS n FROM llm_calls WHERE trace_id = {t:String}",
        "SELECT sum(token_cost_nano_usd) AS n FROM fact_agent_executions WHERE trace_id = {t:String}",
        "SELECT sum(cost_nano_usd) AS n FROM agent_edges WHERE trace_id = {t:String}",
    )
    return [one(server, sql, t=trace)["n"] for sql in sqls]


@pytest.mark.parametrize(
    ("now", "hours", "midnight"),
    [
        (datetime(2026, 3, 10, 0, 0, tzinfo=UTC), 24, datetime(2026, 3, 9, tzinfo=UTC)),
        (datetime(2026, 3, 9, 23, 59, tzinfo=UTC), 24, datetime(2026, 3, 8, tzinfo=UTC)),
        (datetime(2026, 3, 10, 5, 0, tzinfo=UTC), 0, datetime(2026, 3, 10, tzinfo=UTC)),
        (datetime(2026, 3, 10, 5, 0, tzinfo=UTC), 6, datetime(2026, 3, 9, tzinfo=UTC)),
        (datetime(2026, 3, 10, 6, 0, tzinfo=UTC), 6, datetime(2026, 3, 10, tzinfo=UTC)),
    ],
)
def test_a_day_closes_some_hours_after_its_end(now: datetime, hours: int, midnight: datetime) -> None:
    """The ninth ends when the tenth begins, and is closed so many hours later; not a moment before."""
    assert closed_before(now, timedelta(hours=hours)) == midnight


def test_a_late_span_changes_no_cost_of_a_closed_day(own_server: Server, admin: Warehouse) -> None:
    """A retry and a late span make a trace again with its old cost; new calls and those without a price get today's."""
    _price(admin, "late", "1")
    rows = run(next(numbers), noon(5), "late", input=MILLION, output=0)
    trace = rows[0]["TraceId"]
    waiting = call(next(numbers), noon(5), usage("late-unknown", "own", input=MILLION, output=0))
    own_server.insert("otel_traces", [*rows, waiting])
    finalise(admin)
    assert cost(own_server, trace) == USD
    assert cost(own_server, waiting["TraceId"]) is None
    version = one(own_server, "SELECT price_book_version AS v FROM llm_calls WHERE trace_id = {t:String}", t=trace)["v"]
    _price(admin, "late", "3")
    _price(admin, "late-unknown", "3")
    late = rows[1] | {"SpanId": f"{next(numbers):016x}"}
    own_server.insert("otel_traces", [*rows, waiting, late])
    finalise(admin)
    sql = "SELECT span_id, cost_nano_usd, price_book_version FROM llm_calls WHERE trace_id = {t:String}"
    found = {row["span_id"]: row for row in own_server.client("reader").rows(sql, t=trace)}
    kept, new = found[rows[1]["SpanId"]], found[late["SpanId"]]
    assert (kept["cost_nano_usd"], kept["price_book_version"]) == (USD, version)
    assert new["cost_nano_usd"] == 3 * USD
    assert new["price_book_version"] > version
    assert _sums(own_server, trace) == [4 * USD] * 3
    assert cost(own_server, waiting["TraceId"]) == 3 * USD


@pytest.mark.parametrize(("model", "tokens"), [("else", 2 * MILLION), ("else-2", MILLION)])
def test_a_call_that_is_another_has_a_new_cost(own_server: Server, admin: Warehouse, model: str, tokens: int) -> None:
    """A call of a closed day that comes again with other tokens or another model is priced as it is now."""
    number = next(numbers)
    _price(admin, "else", "1")
    _price(admin, "else-2", "1")
    rows = run(number, noon(5), "else", input=MILLION, output=0)
    own_server.insert("otel_traces", rows)
    finalise(admin)
    _price(admin, "else", "3")
    _price(admin, "else-2", "3")
    own_server.insert("otel_traces", run(number, noon(5), model, input=tokens, output=0))
    finalise(admin)
    assert cost(own_server, rows[0]["TraceId"]) == 3 * USD * tokens // MILLION


def test_open_days_follow_the_prices(own_server: Server, admin: Warehouse) -> None:
    """A price that is set counts for the calls of today and yesterday at once, without a span coming again."""
    _price(admin, "open", "1")
    yesterday, closed = (run(next(numbers), noon(days), "open", input=MILLION, output=0) for days in (1, 5))
    own_server.insert("otel_traces", [*yesterday, *closed])
    finalise(admin)
    _price(admin, "open", "3")
    finalise(admin)
    assert _sums(own_server, yesterday[0]["TraceId"]) == [3 * USD] * 3
    assert _sums(own_server, closed[0]["TraceId"]) == [USD] * 3


def test_restating(own_server: Server, admin: Warehouse) -> None:
    """The preview says what comes; then calls and all that is made of them have the new cost, and the old is kept."""
    _price(admin, "again", "1")
    rows = [run(next(numbers), noon(5), "again", input=MILLION, output=0) for _ in range(3)]
    other = run(next(numbers), noon(6), "again", input=MILLION, output=0)
    unknown = call(next(numbers), noon(5), usage("again", "own"))
    own_server.insert("otel_traces", [row for trace in [*rows, other, [unknown]] for row in trace])
    finalise(admin)
    _price(admin, "again", "2.5")
    (row,) = restate.preview(admin, _scope(5, "again"))
    assert (row["calls"], row["changed_calls"], row["calls_without_spans"]) == (4, 3, 0)
    assert (row["before_nano_usd"], row["after_nano_usd"]) == (3 * USD, 7_500_000_000)
    assert (row["unpriced_before"], row["unpriced_after"]) == (1, 1)
    assert _sums(own_server, rows[0][0]["TraceId"]) == [USD] * 3
    version = restate.restate(admin, _scope(5, "again"), lambda _: None)
    finalise(admin)
    assert _sums(own_server, rows[0][0]["TraceId"]) == [2_500_000_000] * 3
    assert _sums(own_server, other[0]["TraceId"]) == [USD] * 3
    assert restate.preview(admin, _scope(5, "again")) == []
    kept = own_server.client("reader").rows(
        "SELECT cost_nano_usd AS before, restated_cost_nano_usd AS after, "
        "price_book_version < restated_version AS older FROM llm_call_restatements WHERE restated_version = {v:UInt32}",
        v=version,
    )
    assert kept == [{"before": USD, "after": 2_500_000_000, "older": 1}] * 3
    own_server.insert("otel_traces", rows[0])  # again, much later
    _price(admin, "again", "9")
    finalise(admin)
    assert _sums(own_server, rows[0][0]["TraceId"]) == [2_500_000_000] * 3


def test_two_restatements_keep_both_costs(own_server: Server, admin: Warehouse) -> None:
    """Each version that a call's cost had can still be read."""
    _price(admin, "twice", "1")
    rows = run(next(numbers), noon(5), "twice", input=MILLION, output=0)
    own_server.insert("otel_traces", rows)
    finalise(admin)
    for usd in ("2", "3"):
        _price(admin, "twice", usd)
        restate.restate(admin, _scope(5, "twice"), lambda _: None)
    sql = (
        "SELECT cost_nano_usd AS before, restated_cost_nano_usd AS after FROM llm_call_restatements "
        "WHERE trace_id = {t:String} ORDER BY price_book_version"
    )
    found = own_server.client("reader").rows(sql, t=rows[0]["TraceId"])
    assert found == [{"before": USD, "after": 2 * USD}, {"before": 2 * USD, "after": 3 * USD}]


def test_what_was_ended_half_way_is_ended(
    own_server: Server, admin: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restatement that died after any of its statements goes on under its version, and leaves nothing behind."""
    _price(admin, "broken", "1")
    rows = [run(next(numbers), noon(5) + timedelta(hours=hour), "broken", input=MILLION, output=0) for hour in range(2)]
    own_server.insert("otel_traces", [row for trace in rows for row in trace])
    finalise(admin)
    _price(admin, "broken", "2")
    real, left = Warehouse.execute, [0]

    def dying(self: Warehouse, sql: str, **parameters: object) -> None:
        if ".changed_" in sql:
            left[0] -= 1
            if left[0] == 0:
                raise StatementError(0, "it died")
        real(self, sql, **parameters)

    monkeypatch.setattr(Warehouse, "execute", dying)
    for at in range(1, 6):
        left[0] = at
        with pytest.raises(StatementError, match="it died"):
            restate.restate(admin, _scope(5, "broken"), lambda _: None)
    monkeypatch.undo()
    version = restate.restate(admin, _scope(5, "broken"), lambda _: None)
    finalise(admin)
    for trace in rows:
        assert _sums(own_server, trace[0]["TraceId"]) == [2 * USD] * 3
    (row,) = [row for row in versions.restatements(admin) if row["model"] == "broken"]
    assert (row["version"], row["finished"], row["calls"]) == (version, True, 2)
    assert (row["before_nano_usd"], row["after_nano_usd"]) == (2 * USD, 4 * USD)


def test_calls_without_spans_stay(own_server: Server, admin: Warehouse) -> None:
    """What is made of spans that retention took cannot be made again: such calls are counted, and keep their cost."""
    _price(admin, "spanless", "1")
    rows = run(next(numbers), noon(5), "spanless", input=MILLION, output=0)
    trace = rows[0]["TraceId"]
    own_server.insert("otel_traces", rows)
    finalise(admin)
    delete = "ALTER TABLE spyglass.spans DELETE WHERE trace_id = '{}' SETTINGS mutations_sync = 1"
    own_server.sql(delete.format(trace))
    _price(admin, "spanless", "2")
    (row,) = restate.preview(admin, _scope(5, "spanless"))
    assert (row["changed_calls"], row["calls_without_spans"]) == (0, 1)
    restate.restate(admin, _scope(5, "spanless"), lambda _: None)
    finalise(admin)
    assert _sums(own_server, trace) == [USD] * 3


def test_the_commands(own_server: Server, admin: Warehouse) -> None:
    """A dry run changes nothing; a run says what changed, in decimals of USD; afterwards it is in the list."""
    _price(admin, "commanded", "1")
    rows = run(next(numbers), noon(5), "commanded", input=MILLION, output=0)
    own_server.insert("otel_traces", rows)
    finalise(admin)
    _price(admin, "commanded", "0.25")
    day = f"{noon(5):%Y-%m-%d}"
    words = ("prices", "restate", "--from", day, "--to", day, "--model", "commanded", "--json")
    dry = spyglass(own_server, *words, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    row = json.loads(dry.stdout)
    assert (row["day"], row["model"], row["calls"], row["changed_calls"]) == (day, "commanded", 1, 1)
    assert (row["usd_before"], row["usd_after"], row["usd_difference"]) == ("1", "0.25", "-0.75")
    assert cost(own_server, rows[0]["TraceId"]) == USD
    done = spyglass(own_server, *words)
    assert (done.returncode, done.stdout) == (0, dry.stdout)
    assert done.stderr.splitlines()[-1].startswith("Version ")
    assert cost(own_server, rows[0]["TraceId"]) == USD // 4
    again = spyglass(own_server, *words)
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr == "Every call of these days costs what the prices of now say.\n"
    listed = [json.loads(line) for line in spyglass(own_server, "prices", "restatements", "--json").stdout.splitlines()]
    (entry,) = [row for row in listed if row["model"] == "commanded"]
    assert (entry["first_day"], entry["last_day"], entry["calls"], entry["usd_difference"]) == (day, day, 1, "-0.75")


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        (("2026-02-30", "2026-03-01"), "spyglass: '2026-02-30' is no day. Write it as 2026-01-31."),
        (("2026-03-02", "2026-03-01"), "spyglass: 2026-03-01 is before 2026-03-02. Let --to be"),
    ],
)
def test_misuse(own_server: Server, days: tuple[str, str], sentence: str) -> None:
    """Days that are none are one sentence and 2."""
    done = spyglass(own_server, "prices", "restate", "--from", days[0], "--to", days[1])
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(sentence)
