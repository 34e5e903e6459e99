"""Write news with three agents: a planner hands over to a researcher, and the researcher to a writer."""

from __future__ import annotations

import logging

import spyglass
from spyglass.demo.fleet.house_model import ask, ask_streaming
from spyglass.demo.fleet.visits import Visits

TOPICS = ("solar panels in the north", "the museum of maps", "rain and harvests", "night trains", "tide power")
ARCHIVE = ("1998: first panels on the town hall", "2011: the maps move", "2019: a dry spring", "2024: trains return")
log = logging.getLogger("news_desk")


@spyglass.tool("word_count")
def word_count(text: str) -> int:
    """Count the words of a text."""
    return len(text.split())


def search(topic: str) -> list[str]:
    """Find articles in the archive."""
    with spyglass.retrieval("news archive", top_k=2) as found:
        found.query(topic)
        articles = [ARCHIVE[len(topic) % len(ARCHIVE)], ARCHIVE[(len(topic) + 1) % len(ARCHIVE)]]
        found.documents([{"id": article[:4], "content": article, "score": 0.9} for article in articles])
        return articles


@spyglass.agent("planner")
def plan(topic: str) -> str:
    """Plan an article and hand the topic over."""
    outline = ask("gpt-5-mini", f"Outline an article about {topic}.", provider="openai")
    with spyglass.handoff("researcher"):
        return research(topic, outline)


@spyglass.agent("researcher")
def research(topic: str, outline: str) -> str:
    """Collect what is known and hand it over."""
    facts = ask("gpt-4o", f"{outline}\nFacts: {'; '.join(search(topic))}", provider="openai")
    with spyglass.handoff("writer"):
        return write(topic, facts)


@spyglass.agent("writer")
def write(topic: str, facts: str) -> str:
    """Write the article, as a stream."""
    article = ask_streaming("gpt-5-mini", f"Write about {topic} from: {facts}", provider="openai")
    log.info("The article about %s has %d words.", topic, word_count(article))
    return article


def main(visits: Visits) -> None:
    """Write one article per visit, and rate it."""
    spyglass.init(service="news-desk", project="newsroom", instrument="none")
    for visit in visits:
        topic = TOPICS[visit.number % len(TOPICS)]
        with visit, spyglass.session(user=visit.user, session=visit.session), spyglass.workflow("article") as flow:
            article = plan(topic)
            spyglass.feedback(flow.trace_id, "readability", score=1 - len(article) % 7 / 10)
    spyglass.shutdown()
