"""Tasks of Celery on a broker that is a folder; the environment variable QUEUE_DIR names it."""

# ruff: noqa: D103 -- the functions are what the test calls
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import Celery

import spyglass

app = Celery("shop", broker="filesystem://")
folder = Path(os.environ["QUEUE_DIR"])
(folder / "queue").mkdir(exist_ok=True)
app.conf.broker_transport_options = {
    "data_folder_in": str(folder / "queue"),
    "data_folder_out": str(folder / "queue"),
    "control_folder": str(folder / "control"),
}


@app.task(name="shop.add")  # type: ignore[untyped-decorator]  # Celery has no types
def add(left: int, right: int) -> int:
    with spyglass.tool("inner"):
        return left + right


@app.task(name="shop.broken")  # type: ignore[untyped-decorator]  # Celery has no types
def broken() -> None:
    raise ValueError("no stock")


@app.task(bind=True, name="shop.again", max_retries=1, default_retry_delay=0)  # type: ignore[untyped-decorator]  # Celery has no types
def again(self: Any) -> None:
    if not self.request.retries:
        raise self.retry()


@app.task(name="shop.outer")  # type: ignore[untyped-decorator]  # Celery has no types
def outer() -> None:
    add.delay(3, 4)
