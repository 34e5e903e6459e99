"""Watch prices in shops that often do not answer: a tool with retries, failing models, failing runs."""

from __future__ import annotations

import logging
import time

import spyglass
from spyglass.demo.fleet.house_model import ask
from spyglass.demo.fleet.visits import Visits

MODEL = "gpt-4o-mini"
LIMITED_MODEL = "gpt-4o-mini-fail429"
ATTEMPTS = 3
log = logging.getLogger("price_watcher")


@spyglass.tool("read_price")
def read_price(shop: int, attempt: int) -> str:
    """Read the price in a shop: of five shops the first never answers, the second on the third attempt."""
    if shop == 0 or (shop == 1 and attempt < ATTEMPTS):
        raise TimeoutError(f"shop {shop} did not answer")
    return f"{10 + shop}.90"


def read_with_retries(shop: int) -> str:
    """Read the price in a shop, again when it does not answer."""
    for attempt in range(1, ATTEMPTS):
        try:
            return read_price(shop, attempt)
        except TimeoutError as error:
            log.warning("Attempt %d: %s.", attempt, error)
            time.sleep(0.02)
    return read_price(shop, ATTEMPTS)


@spyglass.agent("price watcher")
def watch(shop: int) -> str:
    """Compare the price of a shop with the others'; the third shop's model is over its limit."""
    price = read_with_retries(shop)
    model = LIMITED_MODEL if shop == 2 else MODEL  # noqa: PLR2004 -- the third of five shops
    try:
        return ask(model, f"Shop {shop} asks {price}. Is that a good price?", provider="openai")
    except ConnectionError:
        log.exception("No opinion about shop %d.", shop)
        raise


def main(visits: Visits) -> None:
    """Watch one shop per visit: two of five runs fail."""
    spyglass.init(service="price-watcher", project="shop", instrument="none")
    for visit in visits:
        with visit, spyglass.session(user=visit.user, session=visit.session):
            watch(visit.number % 5)
    spyglass.shutdown()
