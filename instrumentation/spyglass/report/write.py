"""Write the report into a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from spyglass.errors import InputFileError
from spyglass.report.gather import Report, gather
from spyglass.report.page import render
from spyglass.settings import Settings


def write(settings: Settings, since: datetime, organization: str, path: Path) -> Report:
    """Write what the stores of this running stack hold into one HTML file, and return it.

    Raises StoreError or WarehouseError where a store does not answer, InputFileError where the file cannot be written.
    """
    report = gather(settings, since, organization)
    try:
        path.write_text(render(report), encoding="utf-8")
    except OSError as error:
        reason = f"cannot be written ({error.strerror})."
        raise InputFileError(str(path), reason, "Name a file in a folder that exists and is yours.") from None
    return report
