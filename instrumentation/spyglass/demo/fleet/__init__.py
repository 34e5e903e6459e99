"""Hold the demo fleet: one small program per module, each an example of how a user would write it.

Every program has ``main(visits)``: it answers the visits that come in. ``python -m spyglass.demo.fleet NAME`` runs one.
"""

from __future__ import annotations

from typing import NamedTuple


class Program(NamedTuple):
    """Describe one program: its visits a second at rate 1, what it shows, and the modules of extra [demo] it needs."""

    name: str
    visits_per_second: float
    sentence: str
    needs: tuple[str, ...] = ()


PROGRAMS = (
    Program("price_watcher", 3.0, "Plain Python whose tool and model often fail: it sets off an alert."),
    Program("news_desk", 0.7, "Plain Python: a planner hands over to a researcher and a writer."),
    Program("ticket_worker", 1.5, "Plain asyncio: tickets wait in a queue until a worker takes them."),
    Program("archivist", 0.5, "Plain Python on a slow self-hosted model without a price."),
    Program("support_desk", 1.0, "Anthropic's client, which reports its calls itself.", ("anthropic",)),
    Program(
        "fact_checker",
        1.0,
        "OpenAI's client through OpenInference: chat, streams, responses, embeddings.",
        ("openai", "openinference.instrumentation.openai"),
    ),
    Program(
        "weather_map",
        0.7,
        "LangGraph through OpenInference: a graph of a model and its tools.",
        ("langgraph", "langchain_openai", "openinference.instrumentation.langchain"),
    ),
    Program(
        "refund_team",
        0.5,
        "OpenAI Agents through OpenInference: a triage agent hands over to a specialist.",
        ("agents", "openinference.instrumentation.openai_agents"),
    ),
)
