"""Write and read stack.json, the description of the running stack."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from spyglass.settings import Settings
from spyglass.stack.files import Files


@dataclass(frozen=True, slots=True)
class Record:
    """Describe a running stack.

    ``ports`` are by name with the offset added, ``started_at`` is UTC in ISO 8601. ``supervisor`` is process-compose's
    process; ``supervisor_start`` is the kernel's start time of it (clock ticks since boot), which tells it from
    another process that has the same id later.
    """

    spyglass: str
    started_at: str
    parts: Sequence[str]
    port_offset: int
    ports: Mapping[str, int]
    supervisor: int
    supervisor_start: int

    @property
    def alive(self) -> bool:
        """Say whether the supervisor that was started then still runs."""
        return start_of(self.supervisor) == self.supervisor_start


def make(settings: Settings, parts: Sequence[str], supervisor: int) -> Record:
    """Return the description of a stack that starts now."""
    return Record(
        spyglass=version("spyglass"),
        started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        parts=list(parts),
        port_offset=settings.port_offset,
        ports=settings.ports(),
        supervisor=supervisor,
        supervisor_start=start_of(supervisor) or 0,
    )


def save(record: Record, files: Files) -> None:
    """Write the description, all of it or nothing."""
    fresh = files.record.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
    fresh.replace(files.record)


def read(files: Files) -> Record | None:
    """Return the description of the last stack that was started; None when there is none or it is damaged."""
    try:
        return Record(**json.loads(files.record.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def start_of(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None when it has ended (a zombie has)."""
    try:
        # The command's name, in parentheses, may hold anything; the fields after it are plain.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    state, start = fields[0], int(fields[19])
    return None if state in "ZX" else start
