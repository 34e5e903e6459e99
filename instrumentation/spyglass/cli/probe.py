"""Watch this host and its GPUs: send metrics until stopped, or print one collection."""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence

from spyglass import probes
from spyglass.errors import UsageError
from spyglass.probes.catalog import Sample
from spyglass.probes.identity import host_resource
from spyglass.settings import Settings, load

DEFAULT_PROBES = "host,gpu"
ONCE_SECONDS = 1.0
SHORTEST_SECONDS = 0.1
LONGEST_SECONDS = 3_600.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--once", action="store_true", help="print one collection and exit; nothing is sent")
    parser.add_argument("--json", action="store_true", help="with --once: print one JSON object per value")
    parser.add_argument(
        "--interval",
        type=float,
        metavar="S",
        help=f"seconds between two collections (default: SPYGLASS_METRIC_INTERVAL_MS; with --once {ONCE_SECONDS:g}, "
        "over which utilisation is measured)",
    )
    parser.add_argument(
        "--probes",
        default=DEFAULT_PROBES,
        metavar="LIST",
        help=f"comma list of {', '.join(probes.BUILDERS)} (default: {DEFAULT_PROBES})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Watch until SIGTERM or SIGINT and return 0, or print one collection."""
    chosen = probes.chosen(arguments.probes)
    if not chosen:
        raise UsageError("There is no probe to run.", f"Choose from {', '.join(probes.BUILDERS)} with --probes.")
    if arguments.interval is not None and not SHORTEST_SECONDS <= arguments.interval <= LONGEST_SECONDS:
        raise UsageError(f"--interval is not between {SHORTEST_SECONDS:g} and {LONGEST_SECONDS:g} seconds.")
    if arguments.json and not arguments.once:
        raise UsageError("--json goes with --once.")
    if arguments.once:
        return _print_once(chosen, arguments.interval or ONCE_SECONDS, as_json=arguments.json)
    return _watch(_settings(chosen, arguments.interval))


def _settings(chosen: Sequence[str], interval: float | None) -> Settings:
    loaded = load()
    settings = dataclasses.replace(loaded.settings, probes=",".join(chosen))
    if loaded.sources["endpoint"] == "default":
        settings = dataclasses.replace(settings, endpoint=f"http://127.0.0.1:{settings.port('otlp_http')}")
    if interval is not None:
        settings = dataclasses.replace(settings, metric_interval_ms=int(interval * 1_000))
    return settings


def _watch(settings: Settings) -> int:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    running = probes.start(settings, host_resource(settings))
    logging.getLogger("spyglass.probes").info(
        "Watching %s every %g s for %s.", settings.probes, settings.metric_interval_ms / 1_000, settings.endpoint
    )
    stopping.wait()
    running.stop()
    return 0


def _print_once(chosen: Sequence[str], interval: float, *, as_json: bool) -> int:
    watching = [probes.BUILDERS[name]() for name in chosen]
    for probe in watching:
        probe.collect()
    time.sleep(interval)
    samples = [(probe.name, sample) for probe in watching for sample in probe.collect()]
    if as_json:
        for name, sample in samples:
            print(json.dumps(_row(name, sample)))
    else:
        _print_table([sample for _, sample in samples])
    for finding in (finding for probe in watching for finding in probe.findings()):
        if finding.state is not probes.FindingState.OK:
            print(f"{finding.probe}: {finding.sentence}", file=sys.stderr)
    for probe in watching:
        probe.close()
    return 0


def _row(probe: str, sample: Sample) -> dict[str, object]:
    series, value = sample
    entry = series.entry
    return {
        "probe": probe,
        "name": entry.name,
        "attributes": series.attributes,
        "value": value,
        "unit": entry.unit,
        "instrument": entry.instrument,
    }


def _print_table(samples: Sequence[Sample]) -> None:
    rows = [
        (series.entry.name, " ".join(series.attributes.values()), f"{value:.15g}", series.entry.unit)
        for series, value in samples
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for name, attributes, value, unit in rows:
        print(f"{name:{widths[0]}}  {attributes:{widths[1]}}  {value:>{widths[2]}}  {unit}")
