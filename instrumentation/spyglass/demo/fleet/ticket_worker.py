"""Work off tickets from a queue with asyncio: two workers, and now and then more tickets than they can take."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

import spyglass
from spyglass.demo.fleet.house_model import ask
from spyglass.demo.fleet.visits import Visit, Visits

WORKERS = 2
WAITING = 8
log = logging.getLogger("ticket_worker")


@spyglass.tool("look_up_customer")
async def look_up_customer(user: str) -> str:
    """Find a customer in the books."""
    await asyncio.sleep(0.05)
    return f"{user}, customer since 2019"


@spyglass.agent("ticket worker")
async def solve(ticket: Visit) -> str:
    """Answer one ticket."""
    customer = await look_up_customer(ticket.user)
    answer = await asyncio.to_thread(ask, "gpt-4o", f"{customer} asks about ticket {ticket.number}.", provider="openai")
    log.info("Ticket %d is answered.", ticket.number)
    return answer


async def work(tickets: asyncio.Queue[Visit]) -> None:
    """Take tickets from the queue for ever."""
    while True:
        ticket = await tickets.get()
        waited = time.monotonic() - ticket.arrived
        with (
            ticket,
            spyglass.session(user=ticket.user, session=ticket.session),
            spyglass.queue("tickets", wait_seconds=waited),
        ):
            await solve(ticket)
            await asyncio.sleep(0.4)  # a person reads the answer
        tickets.task_done()


async def serve(visits: Visits) -> None:
    """Put each visit's ticket into the queue, while there is room, and wait until all are worked off."""
    tickets: asyncio.Queue[Visit] = asyncio.Queue(WAITING)
    workers = [asyncio.create_task(work(tickets)) for _ in range(WORKERS)]
    async for visit in visits:
        await tickets.put(visit)
    await tickets.join()
    for worker in workers:
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await worker


def main(visits: Visits) -> None:
    """Work until no visits come any more."""
    spyglass.init(service="ticket-worker", project="shop", instrument="none")
    asyncio.run(serve(visits))
    spyglass.shutdown()
