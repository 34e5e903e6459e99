"""Check facts with OpenAI's client, instrumented by OpenInference: embeddings, chat, responses and streams."""

from __future__ import annotations

import logging

import openai
from openai.types.chat import ChatCompletionUserMessageParam

import spyglass
from spyglass.demo.fleet.visits import Visits

CLAIMS = ("The bridge opened in 1998.", "Night trains are faster than planes.", "Rain fell on forty days.")
log = logging.getLogger("fact_checker")


@spyglass.agent("fact checker")
def check(client: openai.OpenAI, claim: str) -> str:
    """Judge a claim: embed it, think about it, and explain the judgement."""
    client.embeddings.create(model="text-embedding-3-small", input=[claim, "a similar claim"])
    thought = client.responses.create(model="gpt-5-mini", input=f"Is this true? {claim}").output_text
    question: ChatCompletionUserMessageParam = {"role": "user", "content": f"Explain: {claim} {thought}"}
    with client.chat.completions.create(
        model="gpt-4o", messages=[question], stream=True, stream_options={"include_usage": True}
    ) as chunks:
        words = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    return "".join(words)


@spyglass.agent("headline writer")
def headline(client: openai.OpenAI, explanation: str) -> str:
    """Find a headline; this stream does not ask for its usage, so nobody knows its tokens."""
    question: ChatCompletionUserMessageParam = {"role": "user", "content": f"A headline for: {explanation}"}
    with client.chat.completions.create(model="gpt-4o", messages=[question], stream=True) as chunks:
        return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def main(visits: Visits) -> None:
    """Check one claim per visit; every fifth gets a headline."""
    spyglass.init(service="fact-checker", project="newsroom")
    client = openai.OpenAI(max_retries=0)
    for visit in visits:
        with visit, spyglass.session(user=visit.user, session=visit.session), spyglass.workflow("fact check") as flow:
            explanation = check(client, CLAIMS[visit.number % len(CLAIMS)])
            if visit.number % 5 == 0:
                log.info("Headline: %s", headline(client, explanation))
            spyglass.feedback(flow.trace_id, "trust", score=0.5 + visit.number % 5 / 10)
    spyglass.shutdown()
