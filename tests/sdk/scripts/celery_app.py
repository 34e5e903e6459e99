"""Tasks of Celery on a broker that is a folder; the environment variable QUEUE_DIR names it."""

# ruff: noqa: D103 -- the functions are what the test calls
from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from celery import Celery
from kombu.transport import filesystem

import spyglass


class Whole(filesystem.Channel):
    """A channel of which no message is seen before it is written: the worker reads the folder all the while."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # as its base does
        mine = f"{queue}.{os.getpid()}-{threading.get_ident()}"
        super()._put(mine, payload, **kwargs)  # type: ignore[no-untyped-call]  # Celery has no types
        for written in Path(self.data_folder_out).glob(f"*.{mine}.msg"):
            written.rename(written.with_name(written.name.replace(f".{mine}.msg", f".{queue}.msg")))


filesystem.Transport.Channel = Whole
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
