"""Replay recordings: check all files first, then send them in order.

Nothing is sent unless every file can be read. So a call that failed on a bad file can simply be repeated after mending
it: no file is sent twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from spyglass.demo.replay import rewrite
from spyglass.demo.replay.recordings import Request, find, read
from spyglass.demo.replay.sender import Sender
from spyglass.demo.replay.split import pieces
from spyglass.errors import InputFileError, UsageError

NANOSECONDS_PER_YEAR = 365.25 * 86_400e9


@dataclass
class Played:
    """Count what was sent of one file, and what of it the collector refused."""

    file: str
    spans: int = 0
    logs: int = 0
    points: int = 0
    requests: int = 0
    refused: int = 0
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Checked:
    """Say what reading everything found: the files, the period of their times if they have any, and every problem."""

    files: tuple[Path, ...]
    period: rewrite.Period | None
    errors: tuple[InputFileError, ...]


def check(places: Iterable[str]) -> Checked:
    """Read all files that are meant by files and folders, to their end."""
    files: list[Path] = []
    periods: list[rewrite.Period] = []
    errors: list[InputFileError] = []
    for place in places:
        try:
            found = find(place)
        except InputFileError as error:
            errors.append(error)
            continue
        files += found
        for path in found:
            try:
                periods += _check(path)
            except InputFileError as error:
                errors.append(error)
    return Checked(tuple(files), _join(periods), tuple(errors))


def play(
    files: Iterable[Path],
    sender: Sender,
    *,
    shift_ns: int = 0,
    ids: rewrite.Ids | None = None,
    progress: Callable[[Played], None] | None = None,
) -> list[Played]:
    """Send the requests of all files in order and count; ``progress`` is called after each request.

    ``shift_ns`` is added to all times, ``ids`` gives new ids. Raises CollectorUnreachableError when the collector stays
    away.
    """
    return [_play_file(path, sender, shift_ns, ids, progress) for path in files]


def shift_to_now(period: rewrite.Period | None, now_ns: int | None = None) -> int:
    """Return the shift, in nanoseconds, that makes the newest time now; 0 where there is no time at all.

    Raises UsageError when the oldest time would fall before 1970.
    """
    if period is None:
        return 0
    shift = (time.time_ns() if now_ns is None else now_ns) - period.newest
    if period.oldest + shift <= 0:
        years = (period.newest - period.oldest) / NANOSECONDS_PER_YEAR
        raise UsageError(
            f"The recordings span {years:.0f} years and cannot end now: they would begin before 1970.",
            "Replay them without --shift-to-now, or in several calls.",
        )
    return shift


def _check(path: Path) -> list[rewrite.Period]:
    periods: list[rewrite.Period] = []
    for request in read(path):
        try:
            rewrite.check_ids(request.document)
            periods += filter(None, [rewrite.times(request.document)])
        except UsageError as error:
            raise InputFileError(str(path), error.problem, error.remedy) from None
    joined = _join(periods)
    return [joined] if joined else []


def _join(periods: list[rewrite.Period]) -> rewrite.Period | None:
    if not periods:
        return None
    return rewrite.Period(min(period.oldest for period in periods), max(period.newest for period in periods))


def _play_file(
    path: Path, sender: Sender, shift_ns: int, ids: rewrite.Ids | None, progress: Callable[[Played], None] | None
) -> Played:
    played = Played(str(path))
    for request in read(path):
        _rewrite(request, shift_ns, ids)
        _send(request, sender, played)
        if progress:
            progress(played)
    return played


def _rewrite(request: Request, shift_ns: int, ids: rewrite.Ids | None) -> None:
    if shift_ns:
        rewrite.shift(request.document, shift_ns)
    if ids:
        rewrite.renew_ids(request.document, ids)


def _send(request: Request, sender: Sender, played: Played) -> None:
    for piece in pieces(request):
        outcome = sender.send(request.signal.path, piece.body, piece.count)
        played.requests += 1
        played.refused += outcome.refused
        if outcome.reason and outcome.reason not in played.reasons:
            played.reasons.append(outcome.reason)
        name = request.signal.name
        setattr(played, name, getattr(played, name) + piece.count - outcome.refused)
