"""Ask a part whether it is ready."""

from __future__ import annotations

import contextlib
import http.client

from spyglass.settings import Settings
from spyglass.stack.parts import Part

ANSWER_SECONDS = 2.0


def ready(part: Part, settings: Settings) -> bool:
    """Say whether the part answers 200 where it tells its readiness; a part that tells none is ready as it runs."""
    if part.ready is None:
        return True
    port, path = part.ready
    connection = http.client.HTTPConnection("127.0.0.1", settings.port(port), timeout=ANSWER_SECONDS)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    return False
