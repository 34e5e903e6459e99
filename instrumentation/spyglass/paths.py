"""Say where spyglass keeps what it writes."""

from __future__ import annotations

import os
from pathlib import Path

from spyglass.settings import Settings


def data_directory(settings: Settings) -> Path:
    """Return the stack's data directory: the setting, else /var/lib/spyglass for root, else the user's data folder.

    Root does not default to its home, because the warehouse's engine gives up root's rights and could not enter it.
    """
    if settings.data_dir:
        return Path(settings.data_dir).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/spyglass")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "spyglass"


def cache_directory(settings: Settings) -> Path:
    """Return the folder of built programs, shared by all checkouts and stacks of the user."""
    if settings.cache_dir:
        return Path(settings.cache_dir).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spyglass"
