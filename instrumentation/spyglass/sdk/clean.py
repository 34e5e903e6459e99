"""Make items ready for the wire in the exporting thread: redact, mend what OTLP cannot carry, and measure.

Runs on every span and log that leaves through spyglass, whoever made it. An item in which nothing had to change is
passed on as it is.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, Status

from spyglass.sdk.jsonable import Redact

_ITEM_BYTES = 160  # ids, times, flags and message headers of one span or log
_ENTRY_BYTES = 10  # headers of one attribute, event or link, and of a number
_INT64 = 2**63
_PLAIN = frozenset((bool, int, float, type(None)))


class Cleaner:
    """Clean values one after the other; ``size`` is about the bytes of OTLP so far, ``changed`` what had to change."""

    __slots__ = ("_redact", "changed", "size")

    def __init__(self, redact: Redact | None) -> None:
        self._redact = redact
        self.size = _ITEM_BYTES
        self.changed = False

    def text(self, text: str) -> str:
        """Return the text redacted and without lone surrogates, which UTF-8 cannot say."""
        result = text
        if not text.isascii():
            try:
                self.size += len(text.encode()) - len(text)
            except UnicodeEncodeError:
                result = text.encode("utf-8", "replace").decode()
        if self._redact is not None:
            result = self._redact(result)
        self.size += len(result)
        self.changed = self.changed or result is not text
        return result

    def value(self, value: Any) -> Any:
        """Return an attribute's value, cleaned."""
        kind = value.__class__
        if kind is str:
            return self.text(value)
        self.size += _ENTRY_BYTES
        if kind is int and not -_INT64 <= value < _INT64:
            return self._change(hex(value))
        return value if kind in _PLAIN else self._container(value)

    def _container(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._change(self.text(str(value)))
        if isinstance(value, Mapping):
            return self.attributes(value)
        if isinstance(value, Sequence) and not isinstance(value, bytes):
            return [self.value(item) for item in value]
        self.size += len(value) if isinstance(value, bytes) else 0
        return value

    def attributes(self, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return attributes, keys and values cleaned."""
        result: dict[str, Any] = {}
        for key, value in (attributes or {}).items():
            self.size += _ENTRY_BYTES + len(key)
            result[key if key.isascii() else self.text(key)] = self.value(value)
        return result

    def _change(self, value: str) -> str:
        self.changed = True
        return value


class _Event(Event):
    """An event with cleaned attributes that still knows how many the original had lost."""

    def __init__(self, original: Event, name: str, attributes: dict[str, Any]) -> None:
        super().__init__(name, attributes, original.timestamp)
        self._lost = original.dropped_attributes

    @property
    def dropped_attributes(self) -> int:
        return self._lost


class _Span(ReadableSpan):
    """A span with cleaned texts that still knows what the original had lost."""

    def __init__(self, original: ReadableSpan, **cleaned: Any) -> None:
        super().__init__(
            context=original.context,
            parent=original.parent,
            resource=original.resource,
            kind=original.kind,
            start_time=original.start_time,
            end_time=original.end_time,
            instrumentation_scope=original.instrumentation_scope,
            **cleaned,
        )
        self._lost = (original.dropped_attributes, original.dropped_events, original.dropped_links)

    @property
    def dropped_attributes(self) -> int:
        return self._lost[0]

    @property
    def dropped_events(self) -> int:
        return self._lost[1]

    @property
    def dropped_links(self) -> int:
        return self._lost[2]


def clean_span(span: ReadableSpan, redact: Redact | None) -> tuple[ReadableSpan, int]:
    """Return the span ready to be sent, and about how many bytes it takes."""
    cleaner = Cleaner(redact)
    name = cleaner.text(span.name)
    attributes = cleaner.attributes(span.attributes)
    events = [_event(event, cleaner) for event in span.events]
    links = _links(span.links, cleaner)
    status = span.status
    if status.description:
        status = Status(status.status_code, cleaner.text(status.description))
    if not cleaner.changed:
        return span, cleaner.size
    cleaned = _Span(span, name=name, attributes=attributes, events=events, links=links, status=status)
    return cleaned, cleaner.size


def _event(event: Event, cleaner: Cleaner) -> Event:
    cleaner.size += _ENTRY_BYTES
    return _Event(event, cleaner.text(event.name), cleaner.attributes(event.attributes))


def _links(links: Iterable[Link], cleaner: Cleaner) -> list[Link]:
    cleaned = []
    for link in links:
        cleaner.size += _ITEM_BYTES
        cleaned.append(Link(link.context, cleaner.attributes(link.attributes)) if link.attributes else link)
    return cleaned


def clean_log(item: ReadWriteLogRecord, redact: Redact | None) -> tuple[ReadableLogRecord, int]:
    """Return the log record ready to be sent, and about how many bytes it takes."""
    cleaner = Cleaner(redact)
    record = item.log_record
    body = cleaner.value(record.body)
    attributes = cleaner.attributes(record.attributes)
    event_name = cleaner.text(record.event_name) if record.event_name else record.event_name
    if cleaner.changed:
        record = copy.copy(record)
        record.body, record.attributes, record.event_name = body, attributes, event_name
    ready = ReadableLogRecord(
        log_record=record,
        resource=item.resource or Resource.get_empty(),
        instrumentation_scope=item.instrumentation_scope,
        limits=item.limits,
    )
    return ready, cleaner.size
