"""Ask about the stack that runs in a data directory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spyglass.errors import StackNotRunningError
from spyglass.settings import ROWS, Settings
from spyglass.stack import files, record
from spyglass.stack.files import Files
from spyglass.stack.record import Record
from spyglass.stack.supervisor import NAME, Client, PartState


def attach(settings: Settings) -> Settings:
    """Return the settings with the ports of the stack that runs in their data directory.

    The endpoint is that of the stack's collector, unless one was configured. Raises StackNotRunningError.
    """
    _, last = of(settings)
    changes: dict[str, Any] = {f"port_{name}": port - last.port_offset for name, port in last.ports.items()}
    if settings.endpoint == ROWS["endpoint"].default:
        changes["endpoint"] = f"http://127.0.0.1:{last.ports['otlp_http']}"
    return replace(settings, port_offset=last.port_offset, **changes)


def of(settings: Settings) -> tuple[Files, Record]:
    """Return the files and the description of the stack that runs; raises StackNotRunningError."""
    place = files.of(settings)
    last = record.read(place)
    if last is None or not last.alive:
        raise StackNotRunningError(str(place.data))
    return place, last


def states(settings: Settings) -> list[PartState]:
    """Return the states of the parts and of process-compose; raises StackNotRunningError."""
    place, last = of(settings)
    return [*Client(place).states().values(), PartState(NAME, "Running", last.supervisor, 0, 0)]


def processes(settings: Settings) -> dict[str, int]:
    """Return the process ids of the stack by part, and of process-compose; raises StackNotRunningError."""
    return {state.part: state.pid for state in states(settings) if state.pid}
