"""Say in environment variables how a program in any language sends to this stack: environment.csv, filled in."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from spyglass import names
from spyglass.names import CONTEXT_FIELDS, Content
from spyglass.settings import Settings

HEADERS_VARIABLE = "OTEL_EXPORTER_OTLP_HEADERS"  # holds the token, so it is made where it is needed, never here
HEADERS_PREFIX = "Authorization=Bearer%20"  # OTLP's headers are written like baggage
RESOURCE_VARIABLE = "OTEL_RESOURCE_ATTRIBUTES"
_TABLE = Path(__file__).with_name("environment.csv")


class Row(NamedTuple):
    """Describe one variable: its value with facts in braces, when it is there, whether children get it, and why."""

    variable: str
    value: str
    when: str
    child: str
    merged: str
    note: str


@cache
def rows() -> tuple[Row, ...]:
    """Return the table in its order."""
    lines = [line for line in _TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return tuple(Row(*cells) for cells in csv.reader(lines[1:]))


def variables(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return every variable that applies; lists are added to those of ``environ``, and its trace is handed on."""
    trace = {name: environ.get(name.upper(), "") for name in CONTEXT_FIELDS}
    facts = _facts(settings, resource(settings, release=True)) | trace
    return {row.variable: _joined(row, row.value.format_map(facts), environ) for row in rows() if _applies(row, facts)}


def for_child(settings: Settings) -> dict[str, str]:
    """Return what a program that this one starts gets by itself; never a token, nor the name of this service."""
    facts = _facts(settings, resource(settings, release=False))
    kinds = ("yes",) if settings.token_file else ("yes", "tokenless")
    return {row.variable: row.value.format_map(facts) for row in rows() if row.child in kinds and _applies(row, facts)}


def resource(settings: Settings, *, release: bool) -> str:
    """Return whose telemetry it is as OTEL_RESOURCE_ATTRIBUTES spells it, values percent-encoded."""
    given = {
        names.ORGANIZATION: settings.organization,
        names.PROJECT: settings.project,
        names.DEPLOYMENT_ENVIRONMENT_NAME: settings.environment,
        names.SERVICE_VERSION: settings.release if release else "",
        names.DEMO: "true" if settings.demo else "",
    }
    return ",".join(f"{key}={quote(value, safe='')}" for key, value in given.items() if value)


def _facts(settings: Settings, attributes: str) -> dict[str, str]:
    full = settings.content == Content.FULL
    return {
        "endpoint": settings.endpoint,
        "service": settings.service,
        "resource": attributes,
        "content": settings.content,
        "token_file": str(Path(settings.token_file).absolute()) if settings.token_file else "",
        "full": "yes" if full else "",
        "hidden": "" if full else "yes",
    }


def _applies(row: Row, facts: Mapping[str, str]) -> bool:
    return not row.when or bool(facts.get(row.when))


def _joined(row: Row, value: str, environ: Mapping[str, str]) -> str:
    if not row.merged:
        return value
    ours = value.split(",")
    keys = {word.partition("=")[0] for word in ours}
    theirs = [word.strip() for word in environ.get(row.variable, "").split(",")]
    return ",".join([word for word in theirs if word and word.partition("=")[0].strip() not in keys] + ours)
