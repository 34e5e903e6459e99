"""Answer customers with Anthropic's client: it reports the model calls itself, spyglass the agent and its tools."""

from __future__ import annotations

import logging
from typing import Any

import anthropic

import spyglass
from spyglass.demo.fleet.visits import Visits

MODEL = "claude-haiku-4-5"
QUESTIONS = ("Where is my order A-1042?", "Can I return the lamp?", "Which lamp fits a small desk?")
LOOK_UP: Any = {
    "name": "look_up_order",
    "description": "Find an order by its number.",
    "input_schema": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
}
log = logging.getLogger("support_desk")


@spyglass.tool("look_up_order")
def look_up_order(order: str) -> str:
    """Find an order."""
    return f"Order {order} left the warehouse."


@spyglass.agent("support desk")
def answer(client: anthropic.Anthropic, question: str) -> str:
    """Answer a question, looking up orders as the model asks for it; the last word is streamed."""
    messages: list[Any] = [{"role": "user", "content": question}]
    while True:
        reply = client.messages.create(model=MODEL, max_tokens=500, messages=messages, tools=[LOOK_UP])
        uses = [block for block in reply.content if block.type == "tool_use"]
        if not uses:
            break
        results = [
            {"type": "tool_result", "tool_use_id": use.id, "content": look_up_order(str(use.input["order"]))}
            for use in uses
        ]
        messages += [{"role": "assistant", "content": reply.content}, {"role": "user", "content": results}]
    farewell: list[Any] = [{"role": "user", "content": f"Say goodbye to a customer who asked: {question}"}]
    with client.messages.stream(model=MODEL, max_tokens=100, messages=farewell) as stream:
        goodbye = stream.get_final_text()
    log.info("Answered: %s", goodbye)
    return goodbye


def main(visits: Visits) -> None:
    """Answer one question per visit."""
    spyglass.init(service="support-desk", project="shop")
    client = anthropic.Anthropic(max_retries=0)
    for visit in visits:
        with visit, spyglass.session(user=visit.user, session=visit.session, conversation=visit.session):
            answer(client, QUESTIONS[visit.number % len(QUESTIONS)])
    spyglass.shutdown()
