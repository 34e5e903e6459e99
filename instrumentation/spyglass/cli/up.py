"""Start the stack on this machine."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from dataclasses import asdict
from types import FrameType

from spyglass.errors import StackError
from spyglass.stack import options, record, shutdown, startup, status
from spyglass.stack.startup import Started
from spyglass.stack.supervisor import NAME

POLL_SECONDS = 0.1
DOWN_SECONDS = 5.0
# Where a person or a program wants to go first.
ADDRESSES = {
    "grafana": "dashboards",
    "otlp_http": "send telemetry here (OTLP over HTTP)",
    "otlp_grpc": "send telemetry here (OTLP over gRPC)",
    "prometheus": "PromQL",
    "tempo": "TraceQL",
    "warehouse": "SQL (spyglass sql)",
    "alertmanager": "alerts",
    "server": "alert inbox",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    options.add_data_dir(parser)
    options.add_port_offset(parser)
    parser.add_argument("--detach", action="store_true", help="return when every part is ready, and leave it running")
    parser.add_argument("--only", metavar="PART,…", default="", help="start only these parts")
    parser.add_argument("--json", action="store_true", help="print one JSON object per part when all are ready")


def run(arguments: argparse.Namespace) -> int:
    """Start the stack; without --detach, stay until Ctrl-C, SIGTERM or the stack's end, and stop it in order.

    The exit code is 0 when all parts got ready, 1 when one did not or the stack ended by itself, 2 for a mistaken
    setting.
    """
    settings = options.settings_of(arguments, strict=True)
    only = [name.strip() for name in arguments.only.split(",") if name.strip()]
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    started = startup.start(settings, only, tell=_tell, tied=not arguments.detach)
    _show(started, as_json=arguments.json)
    return 0 if arguments.detach else _stay(started)


def _stay(started: Started) -> int:
    """Wait for the end and say whether somebody asked for it."""
    try:
        started.process.wait()
    except KeyboardInterrupt:
        _tell("stopping")
        shutdown.stop(started.files, tell=_tell)
        started.process.wait()
        return 0
    deadline = time.monotonic() + DOWN_SECONDS
    while record.read(started.files) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)  # `spyglass down` forgets the stack after it has ended
    if record.read(started.files) is None:
        return 0
    raise StackError(
        "process-compose ended, and the stack with it.",
        f"Look at {started.files.log(NAME)}; spyglass up clears away what is left.",
    )


def _show(started: Started, *, as_json: bool) -> None:
    if as_json:
        for row in status.rows(started.settings):
            print(json.dumps(asdict(row)), flush=True)
        return
    ports = {name for part in started.parts for name in part.ports}
    for name, sentence in ADDRESSES.items():
        if name in ports:
            print(f"http://127.0.0.1:{started.settings.port(name):<6} {name:13}{sentence}")
    print(f"data in {started.files.data}", flush=True)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
