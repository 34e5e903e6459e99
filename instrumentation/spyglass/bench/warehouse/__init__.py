"""Measure the warehouse: against the schema that the collector's exporter makes, and against plain Python."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spyglass.bench.figures import Figure
from spyglass.bench.warehouse import facts, inserts, kills, live, load, questions, sizes, ticks
from spyglass.bench.warehouse.load import Loaded
from spyglass.bench.warehouse.servers import Server, running
from spyglass.errors import UsageError

SPANS = 5_000_000
# In the order in which they run: those before `facts` on the loaded spans, disk first because others add to them.
PARTS = ("disk", "questions", "inserts", "ticks", "live", "soak", "facts", "crash")
_LOADED = frozenset(PARTS[:6])
# A soak takes as long as is asked for, and is not part of a run without being named.
DEFAULT_PARTS = tuple(part for part in PARTS if part != "soak")
OPEN = 0o755


@dataclass(frozen=True, slots=True)
class Options:
    """Say what to measure, over how many spans, how long, and where the loaded spans are kept (None: nowhere)."""

    parts: tuple[str, ...] = DEFAULT_PARTS
    spans: int = SPANS
    seconds: float = live.SECONDS
    soak_seconds: float = live.SECONDS
    keep: Path | None = None


def measure(options: Options) -> list[Figure]:
    """Return the figures of the chosen parts; raises UsageError for a part that there is not, and BenchError."""
    unknown = sorted(set(options.parts) - set(PARTS))
    if unknown:
        raise UsageError(f"bench warehouse has no part {unknown[0]!r}.", f"It has {', '.join(PARTS)}.")
    figures: list[Figure] = []
    if _LOADED & set(options.parts):
        with _folder(options.keep) as folder, running("ours", folder) as ours, running("stock", folder) as stock:
            loaded = load.load(ours, stock, options.spans, folder)
            for part in _of(options):
                load.progress(f"{part} over {loaded.spans} spans")
                figures += _measured(part, ours, stock, loaded, options)
    if "facts" in options.parts:
        figures += facts.measure()
    if "crash" in options.parts:
        figures += kills.measure()
    return figures


def _of(options: Options) -> list[str]:
    return [part for part in PARTS if part in _LOADED and part in options.parts]


def _measured(part: str, ours: Server, stock: Server, loaded: Loaded, options: Options) -> list[Figure]:
    if part == "disk":
        return sizes.measure(ours, stock, loaded)
    if part == "questions":
        asked = questions.ask(ours, stock, loaded)
        return [figure for each in asked for figure in each.figures(loaded.spans)]
    if part == "inserts":
        return inserts.measure(ours, stock)
    if part == "ticks":
        return ticks.measure(ours, loaded.spans)
    if part == "live":
        return live.measure(ours, stock, options.seconds)
    return live.soak(ours, stock, options.soak_seconds, loaded.until)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Yield a folder that the engine's user may enter: the one to keep, or one that goes at the end."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        keep.chmod(OPEN)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="spyglass-bench-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(OPEN)
        yield Path(name)
