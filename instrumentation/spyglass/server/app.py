"""Build the server's ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime

from prometheus_client import CONTENT_TYPE_LATEST, Counter, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from spyglass.assets import folder
from spyglass.errors import WarehouseError
from spyglass.server import inbox
from spyglass.server.jobs import Job, run_for_ever
from spyglass.warehouse.client import Warehouse

NOTIFICATIONS = Counter("spyglass_server_notifications", "Alert notifications that arrived in the inbox.", ["status"])
TABLE = "alert_notifications"


def build(warehouse: Warehouse, jobs: Iterable[Job]) -> Starlette:
    """Return the application; ``warehouse`` is a client that may write, ``jobs`` what it does besides answering."""

    async def take_alerts(request: Request) -> Response:
        try:
            rows = inbox.rows(json.loads(await request.body()), datetime.now(UTC))
            await asyncio.to_thread(warehouse.insert, TABLE, rows)
        except (inbox.InboxMessageError, ValueError) as error:
            return PlainTextResponse(f"{error}\n", status_code=400)
        except WarehouseError as error:
            # Alertmanager repeats a message that is answered with a 5xx.
            return PlainTextResponse(f"{error}\n", status_code=503)
        for row in rows:
            NOTIFICATIONS.labels(row["status"]).inc()
        return JSONResponse({"stored": len(rows)})

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(run_for_ever(job, warehouse)) for job in jobs]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/metrics", metrics),
            Route("/runbooks/{alert}", runbook),
            Route("/api/alerts/inbox", take_alerts, methods=["POST"]),
        ],
        lifespan=lifespan,
    )


async def health(_: Request) -> Response:
    """Answer that the server runs."""
    return PlainTextResponse("ok\n")


async def metrics(_: Request) -> Response:
    """Answer with the server's own metrics."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def runbook(request: Request) -> Response:
    """Answer with the runbook of an alert, to which every alert's runbook_url points."""
    runbooks = {path.stem: path for path in (folder("alertmanager") / "runbooks").glob("*.md")}
    path = runbooks.get(request.path_params["alert"])
    if path is None:
        return PlainTextResponse(f"There is no such alert; there are {', '.join(sorted(runbooks))}.\n", status_code=404)
    return PlainTextResponse(path.read_text(encoding="utf-8"))
