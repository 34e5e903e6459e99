"""A program without a word of spyglass: it reports what it sees, calls a child, and exits as it is told."""

# ruff: noqa: T201 -- a program prints
from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys

logging.getLogger("program").warning("at work")
if sys.argv[1:2] == ["--child"]:
    print(
        subprocess.run([sys.executable, __file__, "deeper"], capture_output=True, check=True, text=True).stdout, end=""
    )
if sys.argv[1:2] == ["--kill"]:
    os.kill(os.getpid(), signal.SIGTERM)
print(
    json.dumps(
        {
            "argv": sys.argv[1:],
            "name": __name__,
            "on": "spyglass" in sys.modules and __import__("spyglass").sdk.state.state.runtime is not None,
            "stdin": sys.stdin.read() if "--stdin" in sys.argv else "",
            "custom": getattr(sys, "custom_site", None),
            "extra": "/nowhere/at/all" in sys.path,
        }
    )
)
if "--fail" in sys.argv:
    sys.exit(7)
