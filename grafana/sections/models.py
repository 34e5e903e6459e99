"""Show what models are asked and what that costs, with what is unknown beside what is known."""

from __future__ import annotations

from typing import Final

from grafana import charts, style
from grafana.panels import Column, Section
from grafana.queries import models
from grafana.queries.promql import legend
from grafana.queries.sql import question
from grafana.style import Unit
from grafana.targets import SQL, PromQL
from spyglass import names

SECTION: Final = Section(
    "Models and cost",
    (
        charts.time_series(
            "Tokens by model",
            "Tokens a second that go into and come out of each model. Input that grows while runs do not is a prompt "
            "or a history that grows.",
            [
                PromQL(models.tokens_per_second(names.LLM_INPUT_TOKENS), legend=f"{legend(names.REQUEST_MODEL)} in"),
                PromQL(models.tokens_per_second(names.LLM_OUTPUT_TOKENS), legend=f"{legend(names.REQUEST_MODEL)} out"),
            ],
            Unit.TOKENS_PER_SECOND,
            width=12,
        ),
        charts.time_series(
            "Cost by model",
            "What model calls cost in each interval by list price, from the warehouse. Models without a price are not "
            "in it: see 'Unpriced' in 'Models'.",
            [SQL(question("cost_by_model"), series=True)],
            Unit.DOLLARS,
            width=12,
            bars=True,
            stacked=True,
            name_by="model",
        ),
        charts.table(
            "Models",
            "Every model that was called. 'Unpriced' calls have tokens but no known price; calls 'Without usage' were "
            "answered but reported no tokens. Both are gaps in the numbers, not zeros.",
            SQL(question("models")),
            (
                Column("provider", "Provider"),
                Column("model", "Model"),
                Column("calls", "Calls", Unit.COUNT),
                Column("failed_share", "Failed", Unit.SHARE, thresholds=style.FAILURES),
                Column("p95_seconds", "p95", Unit.SECONDS),
                Column("input_tokens", "Tokens in", Unit.COUNT),
                Column("output_tokens", "Tokens out", Unit.COUNT),
                Column("cost_usd", "Cost", Unit.DOLLARS),
                Column("unpriced_calls", "Unpriced", Unit.COUNT, thresholds=style.thresholds(warning=1)),
                Column("calls_without_usage", "Without usage", Unit.COUNT, thresholds=style.thresholds(warning=1)),
            ),
            width=24,
            height=7,
        ),
    ),
)
