"""Look whether a server is what migrations for one node, or for a cluster, may run on."""

from __future__ import annotations

from collections.abc import Iterator

from spyglass.errors import MigrationError
from spyglass.warehouse.connection import Connection

# What every user who writes or asks needs on a cluster, and what happens without it.
SETTINGS = {
    "distributed_foreground_insert": "what is acknowledged would wait on one node, and be lost with it",
    "prefer_global_in_and_join": "the finaliser and questions look rows up in other distributed tables",
}
_MADE = """
SELECT count() > 0 AS made, countIf(engine = 'Distributed' OR startsWith(engine, 'Replicated')) > 0 AS clustered
FROM system.tables WHERE database = 'spyglass'
"""
_CLUSTERS = """
SELECT cluster, max(replicas) AS replicas, min(internal_replication) AS internal_replication
FROM (
    SELECT cluster, shard_num, count() AS replicas, min(internal_replication) AS internal_replication
    FROM system.clusters GROUP BY cluster, shard_num)
GROUP BY cluster ORDER BY cluster
"""
_MACROS = "SELECT macro FROM system.macros"
_SETTINGS = "SELECT name, value FROM system.settings WHERE name IN ({names:Array(String)})"


def one_node(connection: Connection) -> None:
    """Raise MigrationError where the warehouse was made for a cluster."""
    if connection.rows(_MADE)[0]["clustered"]:
        raise MigrationError(
            "This warehouse lies on a cluster.", "Name the cluster: spyglass warehouse migrate --cluster NAME."
        )


def on_cluster(connection: Connection, cluster: str) -> None:
    """Raise MigrationError with all that a server lacks before a schema of this cluster can be made there."""
    (found,) = connection.rows(_MADE)
    if found["made"] and not found["clustered"]:
        raise MigrationError(
            "This warehouse was made for one node; what it holds does not become a cluster's by migrating.",
            "Name an address where spyglass has no tables yet.",
        )
    lacks = list(_lacks(connection, cluster))
    if lacks:
        raise MigrationError(" ".join(lacks), "Mend the configuration of every node; see clickhouse/README.md.")


def _lacks(connection: Connection, cluster: str) -> Iterator[str]:
    clusters = {row["cluster"]: row for row in connection.rows(_CLUSTERS)}
    if cluster not in clusters:
        yield f"The server knows no cluster {cluster!r}; it knows {', '.join(clusters) or 'none'}."
    elif clusters[cluster]["replicas"] > 1 and not clusters[cluster]["internal_replication"]:
        yield f"The shards of cluster {cluster!r} lack internal_replication: each replica would get rows twice."
    macros = {row["macro"] for row in connection.rows(_MACROS)}
    for macro in ("shard", "replica"):
        if macro not in macros:
            yield f"The server has no macro {macro!r}, which names what it replicates."
    values = {row["name"]: row["value"] for row in connection.rows(_SETTINGS, names=list(SETTINGS))}
    for name, reason in SETTINGS.items():
        if values.get(name) != "1":
            yield f"The user's profile does not set {name} = 1: {reason}."
