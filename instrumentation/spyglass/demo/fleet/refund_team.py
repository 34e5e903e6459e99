"""Handle refunds with OpenAI Agents, instrumented by OpenInference: a triage agent hands over to a specialist."""

from __future__ import annotations

import asyncio
import logging

from agents import Agent, Runner, function_tool, set_trace_processors

import spyglass
from spyglass.demo.fleet.visits import Visits

MODEL = "gpt-5-mini"
QUESTIONS = ("My invoice 77 was paid twice, please ask billing.", "My parcel is lost, please ask shipping.")
log = logging.getLogger("refund_team")


@function_tool
def find_invoice(number: int) -> str:
    """Find an invoice by its number."""
    return f"Invoice {number} was paid twice."


@function_tool
def find_parcel(city: str) -> str:
    """Find a parcel on its way to a city."""
    return f"A parcel waits in {city}."


BILLING = Agent(name="billing", model=MODEL, instructions="Refund what was paid twice.", tools=[find_invoice])
SHIPPING = Agent(name="shipping", model=MODEL, instructions="Find lost parcels.", tools=[find_parcel])
TRIAGE = Agent(name="triage", model=MODEL, instructions="Hand over to a specialist.", handoffs=[BILLING, SHIPPING])


async def serve(visits: Visits) -> None:
    """Answer one question per visit."""
    async for visit in visits:
        question = QUESTIONS[visit.number % len(QUESTIONS)]
        with visit, spyglass.session(user=visit.user, session=visit.session), spyglass.workflow("refund"):
            result = await Runner.run(TRIAGE, question)
            log.info("%s answered: %s", result.last_agent.name, result.final_output)


def main(visits: Visits) -> None:
    """Switch off the framework's own export to its vendor, and serve."""
    set_trace_processors([])
    spyglass.init(service="refund-team", project="shop")
    asyncio.run(serve(visits))
    spyglass.shutdown()
