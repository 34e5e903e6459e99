"""Send the context along with a message, and work on a message in the context that it brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from spyglass.sdk import carriers
from spyglass.sdk.notices import warn_once
from spyglass.sdk.operations import Around
from spyglass.sdk.state import state

if TYPE_CHECKING:
    from spyglass.sdk.tracing import Entered

C = TypeVar("C")


@overload
def inject() -> dict[str, str]: ...
@overload
def inject(carrier: C) -> C: ...
def inject(carrier: Any = None) -> Any:
    """Put the current trace and the ids of the session into a message's headers, and return them.

    ``carrier`` is a mapping of text (HTTP or Celery headers, the fields of a Redis stream) or a list of pairs (Kafka's
    ``[(str, bytes)]``); by default it is a new dict. It gets ``traceparent``, ``tracestate`` and ``baggage``, as W3C
    defines them. Never raises; without init() the carrier stays as it is.
    """
    carrier = {} if carrier is None else carrier
    if state.runtime is None:
        return carrier
    try:
        from opentelemetry.context import get_current  # noqa: PLC0415 -- only after init(), which imports it

        from spyglass.sdk.wire import to_fields  # noqa: PLC0415 -- as above

        carriers.write(carrier, to_fields(get_current()))
    except Exception as error:  # noqa: BLE001 -- telemetry never breaks the application
        warn_once("inject", "spyglass could not put the context into a %s: %r.", type(carrier).__name__, error)
    return carrier


class Extracted(Around[None]):
    """Work in the context that a message brought."""

    __slots__ = ("_carrier",)

    def __init__(self, carrier: Any) -> None:
        super().__init__()
        self._carrier = carrier

    def begin(self) -> tuple[None, Entered | None]:
        """Return the context of the message, where it has one."""
        if state.runtime is None:
            return None, None
        try:
            from opentelemetry.context import get_current  # noqa: PLC0415 -- only after init(), which imports it

            from spyglass.sdk.tracing import Entered  # noqa: PLC0415 -- as above
            from spyglass.sdk.wire import from_fields  # noqa: PLC0415 -- as above

            context = from_fields(carriers.read(self._carrier), get_current())
            return None, None if context is None else Entered(context)
        except Exception as error:  # noqa: BLE001 -- telemetry never breaks the application
            warn_once("extract", "spyglass could not enter the context of a message: %r.", error)
            return None, None


def extract(carrier: Any) -> Extracted:
    """Continue the trace and the session that a message's headers name: ``with spyglass.extract(message.headers):``.

    ``carrier`` is what ``inject`` filled, as it arrived: keys and values may be text or bytes, names are in any case;
    ASGI's list of headers, WSGI's environ and None are fine too. What is malformed or too long is ignored, with a line
    at debug level; then the code runs in the context that it had.
    """
    return Extracted(carrier)
