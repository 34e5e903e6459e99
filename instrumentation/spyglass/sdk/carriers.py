"""Find the context's fields in whatever a message carries, and put them there.

Keys and values are text or bytes, names are in any case: mappings (HTTP headers, WSGI's environ, fields of a Redis
stream, Celery's headers), lists of pairs (Kafka, ASGI, gRPC), and objects with items() (requests, httpx, Starlette).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from spyglass.names import BAGGAGE, CONTEXT_FIELDS, TRACEPARENT, TRACESTATE
from spyglass.sdk.notices import log

MOST_ENTRIES = 4_096  # of a carrier that are looked at
_LONGEST = {TRACEPARENT: 512, TRACESTATE: 8_192, BAGGAGE: 8_192}
_WSGI = "http_"  # before the names of headers in WSGI's environ
_LONGEST_KEY = len(_WSGI) + max(map(len, CONTEXT_FIELDS))


def read(carrier: Any) -> dict[str, str]:
    """Return the fields that are there, by name; what is too long, malformed or no text is left out.

    Of several traceparents the last counts, as in Kafka; several of the others are one list, as in HTTP.
    """
    found: dict[str, str] = {}
    try:
        for key, value in islice(_pairs(carrier), MOST_ENTRIES):
            name = _name(key)
            if name and (text := _text(value)) is not None:
                found[name] = text if name == TRACEPARENT or name not in found else f"{found[name]},{text}"
    except Exception as error:  # noqa: BLE001 -- a stranger's object may raise anything
        log.debug("spyglass: no context can be read from a %s: %r.", type(carrier).__name__, error)
    for name in [name for name, text in found.items() if len(text) > _LONGEST[name]]:
        log.debug("spyglass: a %s of %d characters is ignored.", name, len(found.pop(name)))
    return found


def write(carrier: Any, fields: dict[str, str]) -> None:
    """Put the fields into the carrier, in place of those that are there; raises TypeError where that cannot be."""
    if isinstance(carrier, list):
        _append(carrier, fields)
    elif hasattr(carrier, "__setitem__"):
        for key in [key for key in carrier if _name(key) in fields]:
            del carrier[key]
        for name, text in fields.items():
            carrier[name] = text
    else:
        raise TypeError(f"a {type(carrier).__name__} is neither a mapping nor a list")


def _append(carrier: list[Any], fields: dict[str, str]) -> None:
    in_bytes = bool(carrier) and isinstance(carrier[0][0], bytes)
    kept = [pair for pair in carrier if _name(pair[0]) not in fields]
    new = [(name.encode() if in_bytes else name, text.encode()) for name, text in fields.items()]
    carrier[:] = kept + new


def _pairs(carrier: Any) -> Iterable[tuple[Any, Any]]:
    if carrier is None:
        return ()
    items = getattr(carrier, "items", None)
    pairs: Iterable[tuple[Any, Any]] = items() if callable(items) else iter(carrier)
    return pairs


def _name(key: object) -> str:
    """Return which field a key means; empty for any other."""
    if isinstance(key, bytes):
        key = key[: _LONGEST_KEY + 1].decode("latin-1")
    if not isinstance(key, str) or len(key) > _LONGEST_KEY:
        return ""
    name = key.lower().removeprefix(_WSGI)
    return name if name in CONTEXT_FIELDS else ""


def _text(value: object) -> str | None:
    if isinstance(value, list | tuple):
        texts = [text for text in map(_text, value[:MOST_ENTRIES]) if text is not None]
        return ",".join(texts) if texts else None
    if isinstance(value, bytes | bytearray):
        return value.decode("latin-1")
    return value if isinstance(value, str) else None
