"""A warehouse in the form for clusters does all that one node does, under the same names."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from spyglass.warehouse import finaliser, migrations
from spyglass.warehouse.schema import placement, plan
from spyglass.warehouse.schema.cluster import ClusterForm
from spyglass.warehouse.schema.reading import read
from tests.warehouse.command import spyglass
from tests.warehouse.runs import invent, truth
from tests.warehouse.wire import METRICS, Server, one, span

_NODE = str(Path(__file__).parent / "node.py")
_FILES = len(migrations.load())
_ENGINES = "SELECT name, engine FROM system.tables WHERE database = 'spyglass' AND engine NOT IN ('MaterializedView')"


def _made(*words: str) -> Iterator[Server]:
    running = Server(command=(_NODE, *words))
    try:
        yield running.start()
    finally:
        running.stop(signal.SIGKILL)  # an engine that cannot write its replicated tables never ends by itself
        running.remove()


@pytest.fixture(scope="module")
def node() -> Iterator[Server]:
    """Run the only node of a cluster, migrated, with prices."""
    for server in _made():
        done = spyglass(server, "warehouse", "migrate", "--cluster", "solo")
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(f"{_FILES} of {_FILES} migrations run; the schema is up to date.\n")
        assert spyglass(server, "prices", "sync").returncode == 0
        yield server


def test_stored_tables_have_distributed_twins(node: Server) -> None:
    """Each table that is not everywhere is a local and a distributed one, and both have the same columns."""
    engines = {row["name"]: row["engine"] for row in node.client().rows(_ENGINES)}
    local = {name.removesuffix("_local") for name in engines if name.endswith("_local")}
    assert local == {name for name, engine in engines.items() if engine == "Distributed"}
    assert {"spans", "llm_calls", "logs", "trace_index"} <= local
    columns = "SELECT name, type FROM system.columns WHERE database = 'spyglass' AND table = '{}' ORDER BY position"
    for name in local:
        assert node.sql(columns.format(name)) == node.sql(columns.format(f"{name}_local")), name


def test_rows_of_senders_reach_the_shards(node: Server) -> None:
    """What the collector inserts on a node is found under the plain names, once, also when it comes again."""
    rows = [span(number, {"gen_ai.input.messages": "tides"}) for number in range(1, 51)]
    for _ in range(2):
        assert node.insert("otel_traces", rows).status == 200
        assert node.insert("otel_logs", [{"Timestamp": rows[0]["Timestamp"], "Body": "x"}]).status == 200
        for kind, values in METRICS.items():
            point = {"MetricName": "m", "TimeUnix": rows[0]["Timestamp"], **values}
            assert node.insert(f"otel_metrics_{kind}", [point]).status == 200
    for table, expected in {"spans": 50, "span_content": 50, "logs": 1, "metrics_gauge": 1, "metrics_sum": 1}.items():
        assert one(node, f"SELECT count() AS rows FROM {table}") == {"rows": expected}, table
        assert one(node, f"SELECT count() AS rows FROM {table}_local") == {"rows": expected}, table
    assert node.insert("otel_traces", [rows[0] | {"Timestamp": "1990-01-01 00:00:00"}]).status == 200
    assert one(node, "SELECT count() AS rows FROM dead_letters") == {"rows": 1}


def test_the_finaliser_is_the_same(node: Server) -> None:
    """Executions, calls and edges written through the distributed tables are those that the spans say."""
    spans = invent(900_000, 8, seed=1)
    assert node.insert("otel_traces", [each.row() for each in spans]).status == 200
    finaliser.finalise(node.client(), timedelta(days=1))
    expected = truth(spans)
    known = one(
        node,
        "SELECT uniqExact(trace_id, execution_id) AS executions, count() AS rows, sum(token_cost_nano_usd) AS cost"
        " FROM fact_agent_executions WHERE organization = 'acme'",
    )
    cost = sum(call[-1] or 0 for call in expected["calls"].values())
    assert known == {"executions": len(expected["executions"]), "rows": len(expected["executions"]), "cost": cost}
    assert cost > 0
    calls = "SELECT count() AS rows FROM llm_calls WHERE organization = 'acme'"
    assert one(node, calls) == {"rows": len(expected["calls"])}
    edges = "SELECT count() AS rows FROM agent_edges WHERE organization = 'acme'"
    assert one(node, edges) == {"rows": len(expected["edges"])}


def test_again_and_the_other_way(node: Server) -> None:
    """Migrating again does nothing, and a plan has nothing to do."""
    done = spyglass(node, "warehouse", "migrate", SPYGLASS_WAREHOUSE_CLUSTER="solo")
    assert (done.returncode, done.stdout) == (0, f"0 of {_FILES} migrations run; the schema is up to date.\n")
    done = spyglass(node, "warehouse", "migrate", "--cluster", "solo", "--dry-run", "--json")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_plan_knows_earlier_files_and_the_sizes_of_shards(node: Server) -> None:
    """What is to do is planned in the form that earlier files decide, with rows and bytes of the stored table."""
    assert node.insert("otel_traces", [span(1)]).status == 200
    more = migrations.Migration(_FILES + 1, "9999_more", "", ("ALTER TABLE spyglass.spans ADD COLUMN b Int8",), (1,))
    files = [*migrations.load(), more]
    (step,) = plan.steps(node.client(), files, [more], ClusterForm("solo", placement.load()))
    assert step.sql == (
        "ALTER TABLE spyglass.spans_local ON CLUSTER 'solo' ADD COLUMN b Int8",
        "ALTER TABLE spyglass.spans ON CLUSTER 'solo' ADD COLUMN b Int8",
    )
    assert step.rows >= 1
    assert step.bytes > 100


def test_an_unknown_cluster(node: Server) -> None:
    """A cluster that the server does not know is named beside those it knows."""
    done = spyglass(node, "warehouse", "migrate", "--cluster", "duo")
    assert done.returncode == 1
    assert done.stderr.startswith("spyglass: The server knows no cluster 'duo'; it knows solo. Mend")


def test_every_mergetree_is_replicated() -> None:
    """The engine makes each stored table replicated, and one form is not taken for the other."""
    for server in _made("replicated"):
        plan = spyglass(server, "warehouse", "migrate", "--cluster", "solo", "--dry-run", "--json")
        steps = [json.loads(line) for line in plan.stdout.splitlines()]
        for sql in (sql for step in steps for sql in step["sql"]):
            if read(sql).kind in ("CREATE DATABASE", "CREATE TABLE"):
                server.sql(sql)
        engines = [row["engine"] for row in server.client().rows(_ENGINES)]
        trees = [engine for engine in engines if "MergeTree" in engine]
        assert len(trees) > 20
        assert all(engine.startswith("Replicated") for engine in trees)
        assert set(engines) - set(trees) == {"Distributed", "Null"}
        server.sql(
            "CREATE TABLE spyglass.schema_migrations (a Int8) ENGINE = ReplicatedReplacingMergeTree('/x', 'r')"
            " ORDER BY a"
        )
        done = spyglass(server, "warehouse", "migrate")
        assert done.returncode == 1
        assert done.stderr == (
            "spyglass: This warehouse lies on a cluster. Name the cluster: spyglass warehouse migrate --cluster NAME.\n"
        )


def test_a_warehouse_of_one_node_is_no_cluster(server: Server) -> None:
    """What one node holds does not become a cluster's, and everything that a server lacks is said at once."""
    done = spyglass(server, "warehouse", "migrate", "--cluster", "solo")
    assert done.returncode == 1
    assert done.stderr.startswith("spyglass: This warehouse was made for one node; what it holds does not become")


def test_all_that_a_server_lacks_is_said_at_once(new_server: Callable[..., Server]) -> None:
    """An empty server that is no node of a cluster is told each setting, macro and name that it lacks."""
    server = new_server()
    server.command = (_NODE, "plain")
    server.start()
    done = spyglass(server, "warehouse", "migrate", "--cluster", "solo")
    assert done.returncode == 1
    for lack in (
        "knows no cluster 'solo'; it knows none",
        "macro 'shard'",
        "macro 'replica'",
        "distributed_foreground",
    ):
        assert lack in done.stderr
    assert done.stderr.count("\n") == 1
