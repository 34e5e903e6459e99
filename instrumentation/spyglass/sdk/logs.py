"""Send Python's logging as OTLP log records, joined to the span that is current where the line is logged.

The handler is not put on the root logger: ``logging.basicConfig()`` does nothing once a handler is there, and Python's
handler of last resort would fall silent. ``attach_to_logging`` passes each record on after the application's own
handlers have had it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from uuid import uuid4

from opentelemetry._logs import LoggerProvider, SeverityNumber

from spyglass import names
from spyglass.names import CODE_FILE_PATH, CODE_FUNCTION_NAME, CODE_LINE_NUMBER
from spyglass.sdk.attributes import cleaned, qualified, stack_trace
from spyglass.sdk.jsonable import Redact, safe_text

_UNHEARD = ("opentelemetry", "spyglass", "urllib3")  # what sending a log may itself log
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_METHOD = "callHandlers"  # the one place that sees every record
_LEVELS = (
    (logging.CRITICAL, "FATAL", SeverityNumber.FATAL),
    (logging.ERROR, "ERROR", SeverityNumber.ERROR),
    (logging.WARNING, "WARN", SeverityNumber.WARN),
    (logging.INFO, "INFO", SeverityNumber.INFO),
    (logging.DEBUG, "DEBUG", SeverityNumber.DEBUG),
    (logging.NOTSET, "TRACE", SeverityNumber.TRACE),
)


class OtlpHandler(logging.Handler):
    """Emit log records through a logger provider; never about OpenTelemetry, spyglass or urllib3 themselves."""

    def __init__(self, provider: LoggerProvider, level: str, clean: Redact | None = None) -> None:
        super().__init__(level)
        self._provider = provider
        self._clean = clean
        self._busy = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; a record that is logged while another is being sent in the same thread is left out."""
        if record.name.partition(".")[0] in _UNHEARD or getattr(self._busy, "on", False):
            return
        self._busy.on = True
        try:
            severity, number = _severity(record.levelno)
            self._provider.get_logger(record.name).emit(
                timestamp=int(record.created * 1e9),
                severity_text=severity,
                severity_number=number,
                body=self._text(_message(record)),
                attributes=cleaned(_attributes(record), self._clean),
            )
        except Exception:  # noqa: BLE001 -- logging.raiseExceptions decides whether the operator hears of it
            self.handleError(record)
        finally:
            self._busy.on = False

    def _text(self, text: str) -> str:
        return text if self._clean is None else self._clean(text)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 -- arguments that do not fit the format; the application's own handlers complain
        return safe_text(record.msg)


def _severity(level: int) -> tuple[str, SeverityNumber]:
    return next((text, number) for least, text, number in _LEVELS if level >= least or least == logging.NOTSET)


def _attributes(record: logging.LogRecord) -> dict[str, Any]:
    attributes = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    attributes[CODE_FILE_PATH] = record.pathname
    attributes[CODE_FUNCTION_NAME] = record.funcName
    attributes[CODE_LINE_NUMBER] = record.lineno
    attributes[names.LOG_RECORD_UID] = uuid4().hex
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        attributes[names.EXCEPTION_TYPE] = qualified(type(error))
        attributes[names.EXCEPTION_MESSAGE] = safe_text(error)
        attributes[names.EXCEPTION_STACKTRACE] = stack_trace(error)
    return attributes


def attach_to_logging(handler: logging.Handler) -> Callable[[], None]:
    """Give the handler every record that any logger lets through; return what takes it away again."""
    original = logging.Logger.callHandlers

    @wraps(original)
    def call_handlers(self: logging.Logger, record: logging.LogRecord) -> None:
        original(self, record)
        if record.levelno >= handler.level:
            handler.handle(record)

    def undo() -> None:
        if logging.Logger.callHandlers is call_handlers:
            setattr(logging.Logger, _METHOD, original)
        handler.setLevel(logging.CRITICAL + 1)  # where another patch stands on ours, ours falls silent

    setattr(logging.Logger, _METHOD, call_handlers)
    return undo


def emit_event(provider: LoggerProvider, name: str, attributes: Mapping[str, Any], **more: Any) -> None:
    """Emit one event: a log record with a name and without a body."""
    provider.get_logger(names.SCOPE).emit(
        severity_text="INFO",
        severity_number=SeverityNumber.INFO,
        event_name=name,
        attributes={**cleaned(attributes, None), names.LOG_RECORD_UID: uuid4().hex},
        **more,
    )
