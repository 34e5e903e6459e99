"""Send to the collector with OpenTelemetry's stock exporters, and know whether it answers.

The stock exporters log every failure themselves and tell the caller only success or failure. Their HTTP session is
ours, so we see each status and error; their log lines from our threads are dropped, and the operator reads one warning
when the collector falls silent and one line when it is back.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData
from requests.adapters import HTTPAdapter

from spyglass.sdk.notices import log, warn_once
from spyglass.sdk.queue import Sent

TIMEOUT_SECONDS = 10.0
_RETRYABLE = frozenset((408, 429, 502, 503, 504))
_TOO_LARGE = 413
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
_NOISY = (
    "opentelemetry.exporter.otlp.common.http",
    "opentelemetry.exporter.otlp.proto.common._internal",
    "opentelemetry.exporter.otlp.proto.http._common",
    "opentelemetry.exporter.otlp.proto.http._log_exporter",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.sdk.metrics._internal.export",
    "urllib3.connectionpool",
)


class _Quiet(threading.local):
    """Say whether log lines of this thread are about our own exports."""

    on = False


_quiet = _Quiet()


def _is_heard(_: logging.LogRecord) -> bool:
    return not _quiet.on


def silence_exporters() -> None:
    """Drop what the stock exporters log from our own threads; those of the application are still heard."""
    for name in _NOISY:
        logging.getLogger(name).addFilter(_is_heard)


class Reachability:
    """Know since when the collector does not answer, and say so once each way.

    One failure is no silence: an idle connection that the other side closed fails once, and works on a new one.
    """

    def __init__(self, endpoint: str, lost: Callable[[], int]) -> None:
        self._endpoint = endpoint
        self._lost = lost
        self._since: float | None = None
        self._warned = False
        self._lock = threading.RLock()

    def silent_for(self) -> float:
        """Return for how many seconds the collector has not answered."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    def failed(self, reason: str) -> None:
        """Note that the collector did not take a request."""
        with self._lock:
            first, self._since = self._since is None, self._since or time.monotonic()
            if first or self._warned:
                return
            self._warned = True
        log.warning(
            "spyglass: the collector at %s does not answer (%s). The program runs on; spans and logs wait, and are "
            "dropped and counted when the queue is full. Start one with: spyglass up --detach.",
            self._endpoint,
            reason,
        )

    def answered(self) -> None:
        """Note that the collector took a request."""
        if self._since is None:
            return
        with self._lock:
            seconds, warned = self.silent_for(), self._warned
            self._since, self._warned = None, False
        if warned:
            log.info(
                "spyglass: the collector at %s answers again after %.0f s; %d spans and logs were dropped so far.",
                self._endpoint,
                seconds,
                self._lost(),
            )

    def refused(self, status: int, what: str) -> None:
        """Say that the collector will never take this, once for each status."""
        warn_once(
            f"refused.{status}",
            "spyglass: the collector at %s refused %s with HTTP %d; they are dropped and counted.",
            self._endpoint,
            what,
            status,
        )


class CollectorSession(requests.Session):
    """Remember how the last request ended, send the token of the day, and never share a connection after a fork."""

    def __init__(self, endpoint: str, token_file: str, reachability: Reachability) -> None:
        super().__init__()
        self.outcome: int | Exception | None = None
        self.give_up: Callable[[], None] | None = None
        self._reachability = reachability
        self._token_file = Path(token_file) if token_file else None
        self._pid = os.getpid()
        self.trust_env = urlsplit(endpoint).hostname not in _LOOPBACK  # a proxy cannot reach this machine's loopback

    def forget(self) -> None:
        """Forget how the last request ended."""
        self.outcome = None

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Send one request as requests does."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            for prefix in ("https://", "http://"):
                self.mount(prefix, HTTPAdapter())
        try:
            if self._token_file is not None:
                self.headers["Authorization"] = f"Bearer {self._token_file.read_text(encoding='utf-8').strip()}"
            response = super().request(method, url, *args, **kwargs)
        except Exception as error:
            self.outcome = error
            self._reachability.failed(_reason(error))
            if self.give_up is not None and isinstance(error, requests.ConnectionError):
                self.give_up()
            raise
        self.outcome = response.status_code
        if response.status_code in _RETRYABLE:
            self._reachability.failed(_reason(response.status_code))
        else:
            self._reachability.answered()
        return response


class Exporter(Protocol):
    """What the stock exporters of spans and logs have in common."""

    def export(self, batch: Sequence[Any], /) -> Any:
        """Send a batch; the result's name is SUCCESS or FAILURE."""

    def shutdown(self) -> None:
        """Give up what is being retried."""


class Sender:
    """Send batches of one signal through a stock exporter."""

    def __init__(self, exporter: Any, session: CollectorSession, reachability: Reachability, what: str) -> None:
        self._exporter: Exporter = exporter
        self._session = session
        self._reachability = reachability
        self._what = what
        self._aborted = False

    def __call__(self, batch: list[Any]) -> Sent:
        """Send one batch and say what became of it."""
        if self._aborted:
            return Sent.LATER
        self._session.forget()
        succeeded = _export(self._exporter, batch)
        outcome = self._session.outcome
        if succeeded:
            return Sent.OK
        if outcome is None:
            return Sent.BROKEN
        if isinstance(outcome, Exception) or outcome in _RETRYABLE:
            return Sent.LATER
        if outcome == _TOO_LARGE:
            return Sent.TOO_LARGE
        self._reachability.refused(outcome, self._what)
        return Sent.REFUSED

    def hurry(self) -> None:
        """Retry no longer where nobody listens: the program is about to end."""
        self._session.give_up = self.abort
        if self._reachability.silent_for():
            self.abort()

    def abort(self) -> None:
        """Give up what is being retried."""
        self._aborted = True
        was, _quiet.on = _quiet.on, True
        try:
            self._exporter.shutdown()
        finally:
            _quiet.on = was


def _export(exporter: Exporter, batch: Sequence[Any]) -> bool:
    _quiet.on = True
    token = attach(Context({_SUPPRESS_INSTRUMENTATION_KEY: True}))  # the request itself must make no spans
    try:
        return bool(exporter.export(batch).name == "SUCCESS")
    except Exception:  # noqa: BLE001 -- older exporters raise what newer ones return; the session knows what it was
        return False
    finally:
        detach(token)
        _quiet.on = False


def _reason(outcome: int | Exception) -> str:
    if isinstance(outcome, int):
        return f"HTTP {outcome}"
    if isinstance(outcome, requests.Timeout):
        return f"no answer within {TIMEOUT_SECONDS:.0f} s"
    if isinstance(outcome, requests.RequestException):
        return "connection refused" if "refused" in str(outcome) else type(outcome).__name__
    return str(outcome)  # the file with the token cannot be read: Python names it


class QuietMetricExporter(OTLPMetricExporter):
    """Send metrics as the stock exporter does, silently; a failed collection is simply followed by the next one."""

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Give up what is being retried."""
        was, _quiet.on = _quiet.on, True
        try:
            super().shutdown(timeout_millis, **kwargs)
        finally:
            _quiet.on = was

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = TIMEOUT_SECONDS * 1e3, **kwargs: Any
    ) -> MetricExportResult:
        """Send one collection."""
        _quiet.on = True
        try:
            return super().export(metrics_data, timeout_millis, **kwargs)
        except Exception:  # noqa: BLE001 -- older exporters raise what newer ones return
            return MetricExportResult.FAILURE
        finally:
            _quiet.on = False
