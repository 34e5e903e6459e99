"""Give a bench the stack that it measures: its own, or the one that runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from spyglass.settings import Settings, load
from spyglass.stack.local import LocalStack
from spyglass.stack.running import attach


@contextlib.contextmanager
def settings_of(
    *, running: bool, changes: Mapping[str, object] | None = None, only: Sequence[str] = ()
) -> Iterator[Settings]:
    """Yield the settings of the running stack, or of one started for this bench with these changes and parts."""
    if running:
        yield attach(load().settings)
        return
    with LocalStack(only, changes) as stack:
        yield stack.settings
