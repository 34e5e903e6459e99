"""Serve a warehouse that takes itself for the only node of the cluster "solo", with an empty engine.

Two things that the embedded engine cannot do are left out of statements: ON CLUSTER, as it has no queue of statements
for other nodes and there are none; and replication, as its replicated tables cannot be written to. With the argument
``replicated`` the second is left in: such tables can be made and looked at. With ``plain`` it knows no cluster.
"""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from spyglass.cli.warehouse import schema
from spyglass.warehouse import configuration, engine, serve

_PROFILE = """
<distributed_foreground_insert>1</distributed_foreground_insert>
<prefer_global_in_and_join>1</prefer_global_in_and_join>
"""
_NODE = """
<tcp_port>9000</tcp_port>
<zookeeper><implementation>testkeeper</implementation></zookeeper>
<macros><shard>s1</shard><replica>r1</replica></macros>
<remote_servers><solo><shard><internal_replication>true</internal_replication>
<replica><host>127.0.0.1</host><port>9000</port></replica></shard></solo></remote_servers>
"""
_ON_CLUSTER = " ON CLUSTER 'solo'"
_REPLICATED = re.compile(r"Replicated(\w*MergeTree)\('/clickhouse/[^']*', '[^']*'(?:, )?")
_write = configuration.write
_run = engine.Session.run


def _configured(folder: Path, durability: str) -> Path:
    main = _write(folder, durability)
    if "plain" in sys.argv:
        return main
    for path, end, more in (
        (folder / "users.xml", "</default></profiles>", _PROFILE),
        (main, "</clickhouse>", _NODE),
    ):
        text = path.read_text("utf-8")
        assert text.count(end) == 1
        path.write_text(text.replace(end, more + end), "utf-8")
    return main


def _alone(session: Any, sql: str, *arguments: Any, **options: Any) -> engine.Result:
    sql = sql.replace(_ON_CLUSTER, "")
    if "replicated" not in sys.argv:
        sql = _REPLICATED.sub(r"\1(", sql)
    return _run(session, sql, *arguments, **options)


if __name__ == "__main__":
    setattr(configuration, "write", _configured)  # noqa: B010 -- the engine of this test, and no other
    setattr(engine.Session, "run", _alone)  # noqa: B010 -- as above
    setattr(serve._Service, "_migrate", lambda _: None)  # noqa: B010 -- a server does not migrate itself at its start
    schema._serve(Namespace())
