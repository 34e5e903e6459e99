"""Say which days are closed: what they cost stays, whatever prices say later."""

from __future__ import annotations

from datetime import datetime, timedelta

CLOSING_AFTER = timedelta(hours=24)


def closed_before(now: datetime, closing_after: timedelta) -> datetime:
    """Return the midnight (UTC) before which days are closed: their end is at least ``closing_after`` ago."""
    return (now - closing_after).replace(hour=0, minute=0, second=0, microsecond=0)
