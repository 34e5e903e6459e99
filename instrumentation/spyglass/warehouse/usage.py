"""Count what a statement reads, writes and gives, as the engine tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Usage:
    """Hold rows and bytes (in the engine's memory); None is what the engine has not said.

    What was read and written comes from the engine's progress, which it tells every tenth of a second and at the end.
    """

    read_rows: int | None = None
    read_bytes: int | None = None
    written_rows: int | None = None
    written_bytes: int | None = None
    result_rows: int | None = None
    result_bytes: int | None = None

    def progressed(self, progress: Mapping[str, int]) -> None:
        """Take what the engine says in the middle or at the end of a statement; called from its threads."""
        self.has_read(progress["read_rows"], progress["read_bytes"])
        self.written_rows, self.written_bytes = progress["written_rows"], progress["written_bytes"]

    def has_read(self, rows: int, size: int) -> None:
        """Take what was read so far; what comes with a piece of the result may be newer than the progress, or older."""
        self.read_rows, self.read_bytes = max(self.read_rows or 0, rows), max(self.read_bytes or 0, size)

    def gave(self, rows: int, size: int) -> None:
        """Add a piece of the result."""
        self.result_rows = (self.result_rows or 0) + rows
        self.result_bytes = (self.result_bytes or 0) + size

    def ended(self) -> None:
        """Know that all went well: the engine tells no progress of a statement that touched nothing."""
        self.read_rows, self.read_bytes = self.read_rows or 0, self.read_bytes or 0
        self.written_rows, self.written_bytes = self.written_rows or 0, self.written_bytes or 0

    def known(self, *, whole: bool) -> dict[str, int]:
        """Return the figures that are known; of a result that is not ``whole`` its size is not."""
        found = {name: value for name, value in asdict(self).items() if value is not None}
        return found if whole else {name: value for name, value in found.items() if not name.startswith("result_")}
