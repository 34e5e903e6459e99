"""The SQL of panels, runbooks and provisioning, run on the real warehouse."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grafana import build
from grafana.live import queries
from spyglass import names
from spyglass.assets import folder
from spyglass.stack.local import LocalStack
from spyglass.warehouse import client
from spyglass.warehouse.client import Warehouse
from tests.grafana.test_provisioning import sources

pytestmark = pytest.mark.stack

OVERVIEW: dict[str, Any] = json.loads(build.text(build.DASHBOARDS[0]))
MODEL, UNKNOWN_MODEL = "gpt-5-mini", "no-such-model"
# $0.25 for a million tokens in, $2.00 for a million out.
PRICE = {
    "provider": "openai",
    "model": MODEL,
    "valid_from": datetime(2020, 1, 1, tzinfo=UTC),
    "valid_to": datetime(2100, 1, 1, tzinfo=UTC),
    "steps.daily_from": [0],
    "steps.above": [0],
    "steps.input": [250_000_000],
    "steps.cache_read": [250_000_000],
    "steps.cache_write": [250_000_000],
    "steps.output": [2_000_000_000],
    "steps.reasoning": [2_000_000_000],
    "source": "test",
}


def span(number: int, kind: str, organization: str, status: str = "Ok", **more: str) -> dict[str, object]:
    """Return one row of the landing table: a span of 2 s that began a minute ago."""
    return {
        "Timestamp": datetime.now(UTC) - timedelta(minutes=1),
        "TraceId": f"{number:032x}",
        "SpanId": f"{number:016x}",
        "SpanName": f"{kind} {number}",
        "SpanKind": "Internal",
        "ServiceName": "shop",
        "ResourceAttributes": {names.SERVICE_NAME: "shop"},
        "SpanAttributes": {
            names.KIND: kind,
            names.ORGANIZATION: organization,
            names.AGENT_NAME: "planner",
            **more,
        },
        "Duration": 2_000_000_000,
        "StatusCode": status,
        "StatusMessage": "too slow" if status == "Error" else "",
    }


def call(number: int, organization: str, model: str) -> dict[str, object]:
    """Return a model call of 100 input and 10 output tokens."""
    usage = {names.INPUT_TOKENS: "100", names.OUTPUT_TOKENS: "10", names.USAGE_SOURCE: "reported"}
    return span(number, "llm", organization, **{names.PROVIDER_NAME: "openai", names.REQUEST_MODEL: model, **usage})


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    """Start a warehouse with rows(), and give its reader."""
    with LocalStack(only=["warehouse"]) as stack:
        admin = client.admin(stack.settings)
        admin.insert("model_prices", [PRICE])
        admin.execute("SYSTEM RELOAD DICTIONARY price")
        admin.insert("otel_traces", rows())
        yield client.reader(stack.settings)


def rows() -> list[dict[str, object]]:
    """Return 5 runs, of which 2 fail, 3 answered model calls and a refused one of O'Neill; a run and a call of demo."""
    runs = [span(at, "agent", "O'Neill", "Error" if at < 2 else "Ok") for at in range(5)]
    calls = [call(10, "O'Neill", MODEL), call(11, "O'Neill", MODEL), call(12, "O'Neill", UNKNOWN_MODEL)]
    unknown = {names.PROVIDER_NAME: "openai", names.REQUEST_MODEL: MODEL, names.USAGE_SOURCE: "missing"}
    refused = span(13, "llm", "O'Neill", "Error", **unknown)
    return [*runs, *calls, refused, span(20, "agent", "demo", "Error"), call(21, "demo", MODEL)]


def answers(warehouse: Warehouse, panel: str, variables: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a panel, for the last hour."""
    now = datetime.now(UTC)
    found = queries(OVERVIEW, variables, start=now - timedelta(minutes=55), end=now + timedelta(minutes=5))
    (query,) = [each for each in found if each.panel == panel and each.store == "clickhouse"]
    return warehouse.rows(query.query)


def test_totals_are_exact_and_leave_the_demo_out(warehouse: Warehouse) -> None:
    """Runs, failed share, duration, tokens, cost and coverage are those of the spans that are no demo."""
    (runs,) = answers(warehouse, "Runs")
    assert (runs["runs"], runs["failed_share"], runs["p95_seconds"]) == (5, 0.4, 2.0)
    (usage,) = answers(warehouse, "Cost")
    assert (usage["tokens"], usage["cost_usd"]) == (330, pytest.approx(2 * (100 * 0.25e-6 + 10 * 2e-6)))
    assert usage["priced_share"] == pytest.approx(2 / 3)


def test_the_demo_can_be_chosen(warehouse: Warehouse) -> None:
    """The organization demo has its own totals when it is chosen."""
    (runs,) = answers(warehouse, "Runs", {"organization": "demo"})
    assert (runs["runs"], runs["failed_share"]) == (1, 1.0)


def test_unknown_is_not_zero(warehouse: Warehouse) -> None:
    """Where nothing ran, nothing is priced and nothing reported, the numbers are unknown, not 0."""
    (runs,) = answers(warehouse, "Runs", {"organization": "nobody"})
    assert runs == {"runs": 0, "failed_share": None, "p95_seconds": None}
    (usage,) = answers(warehouse, "Cost", {"organization": "nobody"})
    assert usage == {"tokens": None, "cost_usd": None, "priced_share": None}
    (unpriced,) = answers(warehouse, "Cost", {"model": UNKNOWN_MODEL})
    assert unpriced == {"tokens": 110, "cost_usd": None, "priced_share": 0.0}


def test_values_with_quotes_and_signs_are_only_values(warehouse: Warehouse) -> None:
    """An organization with a quote in its name is found by it, and a sign of a regular expression matches itself."""
    assert answers(warehouse, "Runs", {"organization": "O'Neill"})[0]["runs"] == 5
    assert answers(warehouse, "Runs", {"organization": ["demo", "O'Neill"]})[0]["runs"] == 6
    assert answers(warehouse, "Runs", {"organization": "O.Neill"})[0]["runs"] == 0
    assert answers(warehouse, "Runs", {"organization": "') OR 1 --"})[0]["runs"] == 0


def test_models_show_what_is_unknown_beside_what_is_known(warehouse: Warehouse) -> None:
    """Each model has its calls and tokens; the one without a price has no cost, and its calls count as unpriced."""
    rows = {row["model"]: row for row in answers(warehouse, "Models")}
    assert set(rows) == {MODEL, UNKNOWN_MODEL}
    assert (rows[MODEL]["failed_share"], rows[MODEL]["calls_without_usage"]) == (pytest.approx(1 / 3), 0)
    assert (rows[MODEL]["calls"], rows[MODEL]["input_tokens"], rows[MODEL]["unpriced_calls"]) == (3, 200, 0)
    assert (rows[UNKNOWN_MODEL]["cost_usd"], rows[UNKNOWN_MODEL]["unpriced_calls"]) == (None, 1)
    assert [row["model"] for row in answers(warehouse, "Cost by model")] == [MODEL]


def test_errors_lead_to_their_traces(warehouse: Warehouse) -> None:
    """The newest errors are the failed spans, with the trace ids that the panel links to."""
    rows = answers(warehouse, "Newest errors")
    assert {row["trace_id"] for row in rows} == {f"{number:032x}" for number in (0, 1, 13)}
    assert {row["status_message"] for row in rows} == {"too slow"}


def test_outcomes_add_up_to_the_runs(warehouse: Warehouse) -> None:
    """The bars of 'Runs by outcome' add up to the number of runs."""
    rows = answers(warehouse, "Runs by outcome")
    assert sum(row["succeeded"] + row["failed"] + row["without_status"] for row in rows) == 5


def test_the_pipelines_panels_answer(warehouse: Warehouse) -> None:
    """Arrival delay is about the minute that the spans are old, and there is no dead letter."""
    (delay,) = answers(warehouse, "Arrival delay", {"interval": "1d"})[:1]
    assert 55 < delay["p95_seconds"] < 200
    assert answers(warehouse, "Dead letters") == [{"letters": 0, "rows": 0}]


@pytest.mark.parametrize("path", sorted((folder("alertmanager") / "runbooks").glob("*.md")), ids=lambda path: path.stem)
def test_the_sql_of_runbooks_runs(path: Any, warehouse: Warehouse) -> None:
    """SQL that a runbook offers to copy is understood by the warehouse."""
    for statement in re.findall(r"```sql\n(.*?)```", path.read_text(), re.DOTALL):
        warehouse.rows(statement)


def test_the_logs_of_a_trace_can_be_asked_for(warehouse: Warehouse) -> None:
    """The query behind 'logs of this trace' runs on the table of logs."""
    tempo = sources()["tempo"]
    target = tempo["correlations"][0]["config"]["target"]["rawSql"].replace("${__value.raw}", "00")
    for text in (tempo["jsonData"]["tracesToLogsV2"]["query"].replace("${__trace.traceId}", "00"), target):
        assert warehouse.rows(re.sub(r"\$__timeFilter_ms\((\w+)\)", r"\1 > now() - 3600", text)) == []
