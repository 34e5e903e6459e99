"""Fork while a span waits in the queue: forks.py ENDPOINT."""

from __future__ import annotations

import logging
import os
import sys

import spyglass

logging.basicConfig(level="WARNING")
spyglass.init(service="forks", endpoint=sys.argv[1], probes="none", instrument="none", export_interval_ms=60_000)
with spyglass.tool("waiting"):
    pass
if os.fork() == 0:
    with spyglass.tool("child"):
        logging.getLogger("app").warning("from the child")
    sys.exit(0)
with spyglass.tool("late"):
    pass
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
