"""Write the reference pages of docs/ from the source: ``python docs/build.py`` (or with the word check).

Every setting, command, question, metric, alert and dialect is in one of them, because they are made from the very
tables that the code reads. The probes' catalogue has its own page, probes/README.md.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from prometheus_client import REGISTRY, CollectorRegistry

from spyglass.assets import folder
from spyglass.cli._commands import COMMANDS
from spyglass.dialects.tables import Row, concepts, dialects, faults
from spyglass.names import METRICS
from spyglass.prometheus_names import PART_METRICS, series_name
from spyglass.sdk.registry.tables import breakages, ways
from spyglass.settings import ROWS, variable
from spyglass.warehouse import questions

DOCS = Path(__file__).parent
MADE = "<!-- Made by docs/build.py. -->\n\n"
WIDTH = "100"


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    made = {
        "settings.md": _settings(),
        "commands.md": _commands(),
        "questions.md": _questions(),
        "metrics.md": _metrics(),
        "alerts.md": _alerts(),
        "dialects.md": _dialects(),
        "instrumentation.md": _instrumentation(),
    }
    return {name: MADE + "\n".join(lines) + "\n" for name, lines in made.items()}


def stale() -> list[str]:
    """Return the names of pages that differ from the source."""
    return [
        name
        for name, text in pages().items()
        if not (DOCS / name).exists() or (DOCS / name).read_text(encoding="utf-8") != text
    ]


def _settings() -> Iterator[str]:
    yield from ("# Settings", "", "The environment comes first, then arguments of `spyglass.init`, then the file that")
    yield from ("`SPYGLASS_CONFIG` names (TOML, names in lower case without the prefix), then the default.", "")
    yield from ("| variable | default | meaning |", "| --- | --- | --- |")
    for name, row in ROWS.items():
        choices = row.metadata["choices"]
        among = f" One of {', '.join(choices)}." if choices else ""
        default = f"`{row.default}`" if row.default != "" else ""
        yield f"| `{variable(name)}` | {default} | {row.metadata['sentence']}{among} |"


def _commands() -> Iterator[str]:
    yield from ("# Commands", "", "Exit codes: 0 done, 1 failed, 2 not understood, 130 interrupted.")
    os.environ["COLUMNS"] = WIDTH  # argparse wraps at the terminal's width
    for name, sentence in COMMANDS.items():
        parser = argparse.ArgumentParser(prog=f"spyglass {name}", description=sentence)
        importlib.import_module(f"spyglass.cli.{name}").configure(parser)
        yield from ("", f"## spyglass {name}", "", "```text", parser.format_help().rstrip(), "```")


def _questions() -> Iterator[str]:
    yield from (
        "# Questions",
        "",
        "What `spyglass query NAME` answers; the SQL is `clickhouse/queries/NAME.sql`. Times are",
    )
    yield from ("`now`, `-24h` (ago; s, m, h, d, w), a date, or RFC 3339. Unknown is NULL. Tables show columns whose",)
    yield from ("names end with `_nano_usd` in USD; every other form has them as they are, in 1e-9 USD.",)
    for name in questions.names():
        question = questions.load(name)
        yield from ("", f"## {name}", "", f"{question.sentence} {question.notes}".rstrip(), "")
        if question.parameters:
            yield from ("| parameter | type | default | meaning |", "| --- | --- | --- | --- |")
        for given in question.parameters:
            default = {None: "must be given", "": "empty"}.get(given.default, f"`{given.default}`")
            yield f"| `{given.name}` | {given.type} | {default} | {given.sentence} |"
        yield from ("",) * bool(question.parameters)
        yield from ("| column | unit | meaning |", "| --- | --- | --- |")
        yield from (f"| `{column.name}` | {column.unit} | {column.sentence} |" for column in question.columns)


def _metrics() -> Iterator[str]:
    yield from (
        "# Metrics",
        "",
        "What the collector makes of spans, and what the SDK says of itself. The probes' metrics",
    )
    yield from ("stand in [probes](../instrumentation/spyglass/probes/README.md).", "")
    yield from ("| metric | in Prometheus | unit | meaning |", "| --- | --- | --- | --- |")
    for metric in METRICS:
        yield f"| `{metric.name}` | `{series_name(metric)}` | `{metric.unit}` | {metric.sentence} |"
    yield from ("", "## Metrics of the warehouse and the server", "", "| metric | meaning |", "| --- | --- |")
    for registry in _registries():
        for family in sorted(registry.collect(), key=lambda family: family.name):
            if family.name.startswith("spyglass_"):
                suffix = "_total" if family.type == "counter" else ""
                yield f"| `{family.name}{suffix}` | {family.documentation} |"
    yield from ("", "## Metrics of other parts that dashboards and rules use", "", "| metric | part | meaning |")
    yield "| --- | --- | --- |"
    yield from (f"| `{metric.name}` | {metric.part} | {metric.sentence} |" for metric in PART_METRICS)


def _dialects() -> Iterator[str]:
    yield from (
        "# Dialects",
        "",
        "From which attributes of whom the collector reads each concept; the first that is there",
    )
    yield from (
        "counts, and what a span has under our name already goes before all. `a>b` is a place in JSON, `a + b` a",
    )
    yield from ("sum, `=x` a constant. The tables are `instrumentation/spyglass/dialects/tables/*.csv`.",)
    for dialect in dialects():
        heading = f"{dialect.title} ({dialect.name})" if dialect.title else dialect.name
        spoken = f"scope `{dialect.scope}`" if dialect.scope else f"`{dialect.mark}`"
        yield from ("", f"## {heading}", "", f"Spans with {spoken}.", "")
        yield from ("| concept | attribute | from | type | when | note |", "| --- | --- | --- | --- | --- | --- |")
        yield from (_dialect_row(row) for row in dialect.rows)
    yield from ("", "## Known faults", "", "Spans of these are marked in `spyglass.usage.fault`.", "")
    yield from ("| fault | scope | versions | what is wrong | put right |", "| --- | --- | --- | --- | --- |")
    for fault in faults():
        right = f"`{fault.correct}`" if fault.correct else "no: doubtful"
        yield f"| `{fault.id}` | `{_cell(fault.scope)}` | {_cell(fault.versions)} | {fault.wrong} | {right} |"


def _dialect_row(row: Row) -> str:
    attribute = f"`{concepts()[row.concept]}`" if row.concept in concepts() else ""
    kind = " ".join(filter(None, (row.type, row.unit)))
    source, when = (f"`{_cell(cell)}`" if cell else "" for cell in (row.source, row.condition))
    return f"| {row.concept} | {attribute} | {source} | {kind} | {when} | {row.note} |"


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _registries() -> Iterator[CollectorRegistry]:
    from spyglass.server import app, jobs  # noqa: F401, PLC0415 -- importing them registers their metrics
    from spyglass.warehouse import metrics  # noqa: PLC0415 -- as above

    yield from (metrics.REGISTRY, REGISTRY)


def _instrumentation() -> Iterator[str]:
    yield from (
        "# Instrumentation",
        "",
        "What `spyglass run` and `spyglass.init()` switch on for each installed library,",
    )
    yield from ("one way each: the first of its rows whose versions are installed. A way without tokens is first only",)
    yield from (
        "where the client that calls the model is instrumented too. `spyglass doctor` says what is so here.",
        "",
    )
    yield from ("| library | made by | tokens of model calls | note |", "| --- | --- | --- | --- |")
    for library, found in ways().items():
        for way in found:
            versions = f"`{way.distribution}{way.versions}`"
            by = f"`{way.package}{way.package_versions}`" if way.package else "itself"
            yield f"| {library} ({versions}) | {by} | {way.model_tokens} | {way.note} |"
    yield from ("", "## Pairs that do not work together", "", "| library | with | what happens | remedy |")
    yield "| --- | --- | --- | --- |"
    for row in breakages():
        package = f"`{row.package}{row.package_versions}`" + (f" without `{row.without}`" if row.without else "")
        yield f"| `{row.library}{row.versions}` | {package} | {row.fault} | {row.remedy} |"


def _alerts() -> Iterator[str]:
    yield from ("# Alerts", "", "| alert | severities | fires when | runbook |", "| --- | --- | --- | --- |")
    found: dict[str, list[dict[str, str]]] = {}
    for path in sorted((folder("alertmanager") / "rules").glob("*.yaml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    found.setdefault(rule["alert"], []).append(rule)
    for alert, rules in found.items():
        severities = ", ".join(dict.fromkeys(rule["labels"]["severity"] for rule in rules))  # type: ignore[index]
        conditions = "<br>".join(f"`{' '.join(rule['expr'].split())}`".replace("|", "\\|") for rule in rules)
        yield f"| {alert} | {severities} | {conditions} | [runbook](../alertmanager/runbooks/{alert}.md) |"


def main() -> int:
    """Write the pages, or with ``check`` say which are stale (exit code 1)."""
    if sys.argv[1:] != ["check"]:
        for name, text in pages().items():
            (DOCS / name).write_text(text, encoding="utf-8")
        return 0
    found = stale()
    for name in found:
        print(f"docs/{name} differs from the source; write it with: make gen")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
