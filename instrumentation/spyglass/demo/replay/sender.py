"""Send OTLP/JSON over HTTP until it is acknowledged."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from spyglass.errors import CollectorUnreachableError, SettingError

# The statuses that the OTLP specification calls retryable.
RETRYABLE = frozenset({429, 502, 503, 504})
SUCCESS = 200
PATIENCE_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
TIMEOUT_SECONDS = 70.0  # longer than the warehouse exporter's own 60 s
CONNECTIONS = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}


class Outcome(NamedTuple):
    """Say how many items of a request were refused, and why."""

    refused: int = 0
    reason: str = ""


class Sender:
    """Send requests over one kept connection.

    A collector that is busy or away is asked again, with growing pauses, for ``patience_seconds``; then
    CollectorUnreachableError is raised. A request whose answer got lost is sent again: the warehouse keeps each span,
    log and point once. ``wait`` is called with the seconds of each pause. Raises SettingError for an endpoint that is
    no address.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        token: str = "",
        patience_seconds: float = PATIENCE_SECONDS,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(endpoint)
        if parts.scheme not in CONNECTIONS or not parts.hostname:
            raise SettingError(
                "endpoint", f"{endpoint!r} is no http or https address.", "Example: http://127.0.0.1:4318"
            )
        self.endpoint = endpoint.rstrip("/")
        self._prefix = parts.path.rstrip("/")
        self._patience = patience_seconds
        self._wait = wait
        self._headers = {"content-type": "application/json"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._connection = CONNECTIONS[parts.scheme](parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)

    def check(self) -> None:
        """Raise CollectorUnreachableError at once when nothing listens at the endpoint."""
        try:
            self._connection.connect()
        except OSError as error:
            raise CollectorUnreachableError(self.endpoint, _cause(error)) from None

    def send(self, path: str, body: bytes, count: int) -> Outcome:
        """Send one request of ``count`` items until it is acknowledged or refused for good."""
        pause, waited = FIRST_PAUSE_SECONDS, 0.0
        while True:
            status, headers, answer = self._post(path, body)
            if status == SUCCESS:
                return _partial(answer)
            if status and status not in RETRYABLE:
                return Outcome(count, f"status {status}, {_message(answer)}")
            if waited >= self._patience:
                raise CollectorUnreachableError(self.endpoint, _message(answer))
            seconds = max(pause, _retry_after(headers))
            self._wait(seconds)
            waited, pause = waited + seconds, min(2 * pause, LONGEST_PAUSE_SECONDS)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, path: str, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        try:
            self._connection.request("POST", self._prefix + path, body, self._headers)
            response = self._connection.getresponse()
            return response.status, response.headers, response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()  # the next request opens it again
            return 0, {}, _cause(error).encode()


def _cause(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()


def _partial(answer: bytes) -> Outcome:
    try:
        partial = json.loads(answer or b"{}").get("partialSuccess") or {}
        refused = sum(int(count) for key, count in partial.items() if key.startswith("rejected"))
    except (ValueError, AttributeError):  # some receivers answer with a word instead of JSON
        return Outcome()
    return Outcome(refused, str(partial.get("errorMessage", ""))) if refused else Outcome()


def _message(answer: bytes) -> str:
    text = answer.decode(errors="replace").strip()
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.splitlines()[0] if text else "no reason given"


def _retry_after(headers: Mapping[str, str]) -> float:
    value = headers.get("Retry-After") or ""
    return float(value) if value.isdecimal() else 0.0
