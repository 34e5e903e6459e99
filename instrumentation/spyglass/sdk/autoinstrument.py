"""Instrument each installed library of the registry when the program imports it, and report what was done.

Nothing here imports a library that the program does not import itself. A failure stays with its library: it is a row
of the outcome table, never an exception in the program.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from opentelemetry.trace import TracerProvider

from spyglass.names import (
    INSTRUMENTED_BY,
    INSTRUMENTED_DETAIL,
    INSTRUMENTED_LIBRARY,
    INSTRUMENTED_OUTCOME,
    Content,
)
from spyglass.sdk.notices import log
from spyglass.sdk.on_import import when_imported
from spyglass.sdk.patching import Undo
from spyglass.sdk.registry import activation
from spyglass.sdk.registry.choice import Choice, choose
from spyglass.sdk.registry.tables import ways
from spyglass.sdk.report import Outcome
from spyglass.settings import Settings

AUTO = "auto"
NONE = "none"
_DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"  # OpenTelemetry's own list of what the user does not want


class Instrumented(NamedTuple):
    """Say what became of one library: ``by`` is the instrumentor's package or native."""

    library: str
    outcome: Outcome
    by: str = ""
    detail: str = ""

    def attributes(self) -> dict[str, str]:
        """Return the row as the attributes of an event."""
        found = {
            INSTRUMENTED_LIBRARY: self.library,
            INSTRUMENTED_OUTCOME: self.outcome.value,
            INSTRUMENTED_BY: self.by,
            INSTRUMENTED_DETAIL: self.detail,
        }
        return {key: value for key, value in found.items() if value}


class Instrumentation:
    """Instrument libraries, and take it all back."""

    def __init__(
        self,
        settings: Settings,
        tracers: TracerProvider,
        changed: Callable[[Instrumented], None],
        langchain: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._activator = activation.Activator(tracers, content=settings.content == Content.FULL)
        self._changed = changed
        self._langchain = langchain
        self._rows: dict[str, Instrumented] = {}
        self._waiting: list[Undo] = []

    def start(self) -> None:
        """Instrument what is imported already, and wait for the rest."""
        for choice in choose(wanted(self._settings.instrument), ways()):
            self._note(self._prepare(choice))

    def rows(self) -> tuple[Instrumented, ...]:
        """Return the outcome of each library that is installed and wanted."""
        return tuple(self._rows.values())

    def counts(self) -> Iterable[tuple[int, Mapping[str, str]]]:
        """Return the same as observations of a metric."""
        for row in self.rows():
            yield 1, {INSTRUMENTED_LIBRARY: row.library, INSTRUMENTED_OUTCOME: row.outcome.value}

    def stop(self) -> None:
        """Take all instrumentation back."""
        for stop_waiting in self._waiting:
            stop_waiting()
        self._activator.stop()

    def _note(self, row: Instrumented) -> None:
        self._rows[row.library] = row
        self._changed(row)

    def _prepare(self, choice: Choice) -> Instrumented:
        library = choice.library
        if library in _declined():
            return Instrumented(library, Outcome.OFF, detail=f"{_DISABLED} names it.")
        if not choice.ways:
            outcome = Outcome.OFF if choice.declined else Outcome.NO_INSTRUMENTOR
            return Instrumented(library, outcome, detail=choice.why_not)
        way = choice.ways[0]
        late = self._activator.set_environment(way) and way.module in sys.modules
        if late:
            return Instrumented(library, Outcome.FAILED, way.by, f"{way.module} was imported before spyglass started.")
        if way.module in sys.modules or not way.activate:
            return self._activate(choice)
        self._waiting.append(when_imported(way.module, lambda _: self._note(self._activate(choice))))
        return Instrumented(library, Outcome.WAITING, way.by, "Waits for its import.")

    def _activate(self, choice: Choice) -> Instrumented:
        """Take the first way that does something; after an error none, for it may have done half."""
        row = Instrumented(choice.library, Outcome.FAILED)
        for way in choice.ways:
            try:
                detail = self._activator.activate(way, ways()[way.library]) or choice.warning
            except activation.NothingDoneError as error:
                row = row._replace(by=row.by or way.by, detail=row.detail or str(error))
            except Exception as error:  # noqa: BLE001 -- a stranger's instrumentor may raise anything
                return row._replace(by=way.by, detail=f"{type(error).__name__}: {error}")
            else:
                if way.library == "langchain":
                    self._langchain()
                return Instrumented(way.library, Outcome.INSTRUMENTED, way.by, detail)
        return row


def wanted(setting: str) -> list[str]:
    """Return the libraries that the setting ``instrument`` names; unknown names are one warning each."""
    known = list(ways())
    words = [word.strip() for word in setting.split(",") if word.strip()]
    if AUTO in words:
        return known
    for word in words:
        if word not in known and word != NONE:
            close = difflib.get_close_matches(word, known, n=1) or [", ".join(known)]
            log.warning("spyglass: SPYGLASS_INSTRUMENT: no library %r. Did you mean %s?", word, close[0])
    return [word for word in words if word in known]


def _declined() -> frozenset[str]:
    listed = os.environ.get(_DISABLED, "").split(",")
    return frozenset(word.strip().replace("_", "-") for word in listed)
