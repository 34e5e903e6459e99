"""Send tasks of celery_app.py inside an agent: celery_sender.py ENDPOINT."""

from __future__ import annotations

import sys

import celery_app  # type: ignore[import-not-found]  # beside this file; before init(), as programs do

import spyglass

spyglass.init(service="sender", endpoint=sys.argv[1], probes="none", instrument="none")
with spyglass.session(user="u"), spyglass.agent("boss"):
    for task in (celery_app.broken, celery_app.again, celery_app.outer):
        task.delay()
    celery_app.add.apply_async((1, 2), countdown=1)
    celery_app.add.apply((5, 6))  # runs here and now: no queue
    celery_app.add(7, 8)
