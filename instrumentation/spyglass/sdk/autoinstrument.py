"""Find the installed libraries of the registry and instrument each when the program imports it; report what was done.

Nothing here imports a library that the program does not import itself. A failure stays with its library: it is a row
of the outcome table, never an exception in the program.
"""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any, NamedTuple

from opentelemetry.trace import TracerProvider

from spyglass import names
from spyglass.names import (
    INSTRUMENTED_BY,
    INSTRUMENTED_DETAIL,
    INSTRUMENTED_LIBRARY,
    INSTRUMENTED_OUTCOME,
)
from spyglass.sdk.libraries import LIBRARIES, Library
from spyglass.sdk.notices import log
from spyglass.sdk.report import Outcome
from spyglass.settings import Settings

AUTO = "auto"
NONE = "none"
NATIVE = "native"
_ANTHROPIC_CONTENT = "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE"
# What of OpenInference's texts is kept back unless content is full.
_TEXTS = (
    "hide_inputs",
    "hide_outputs",
    "hide_input_messages",
    "hide_output_messages",
    "hide_prompts",
    "hide_choices",
    "hide_llm_invocation_parameters",
    "hide_llm_tools",
    "hide_embeddings_text",
    "hide_retrieval_documents",
)
_VECTORS = "hide_embeddings_vectors"  # long, and no use to anybody who looks at a trace


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
        self._tracers = tracers
        self._changed = changed
        self._langchain = langchain
        self._rows: dict[str, Instrumented] = {}
        self._undo: list[Callable[[], object]] = []
        self._active = True

    def start(self) -> None:
        """Instrument what is imported already, and wait for the rest."""
        for library in wanted(self._settings.instrument):
            self._note(self._isolated(library, self._prepare))

    def rows(self) -> tuple[Instrumented, ...]:
        """Return the outcome of each library that is installed and wanted."""
        return tuple(self._rows.values())

    def counts(self) -> Iterable[tuple[int, Mapping[str, str]]]:
        """Return the same as observations of a metric."""
        for row in self.rows():
            yield 1, {INSTRUMENTED_LIBRARY: row.library, INSTRUMENTED_OUTCOME: row.outcome.value}

    def stop(self) -> None:
        """Take all instrumentation back."""
        self._active = False
        for undo in reversed(self._undo):
            try:
                undo()
            except Exception as error:  # noqa: BLE001 -- a stranger's instrumentor must not disturb the others
                log.debug("spyglass: %r", error)
        self._undo.clear()

    def _note(self, row: Instrumented | None) -> None:
        if row is not None:
            self._rows[row.library] = row
            self._changed(row)

    def _isolated(self, library: Library, action: Callable[[Library], Instrumented | None]) -> Instrumented | None:
        try:
            return action(library)
        except Exception as error:  # noqa: BLE001 -- a stranger's instrumentor may raise anything
            return Instrumented(library.name, Outcome.FAILED, library.package, f"{type(error).__name__}: {error}")

    def _prepare(self, library: Library) -> Instrumented | None:
        installed = _installed(library.distribution)
        if installed is None:
            return None
        if library.native_since:
            return self._native(library, installed)
        if _installed(library.package) is None:
            return Instrumented(library.name, Outcome.NO_INSTRUMENTOR, "", f"Install {library.package}.")
        if library.module in sys.modules:
            return self._instrument(library)
        from wrapt import register_post_import_hook  # noqa: PLC0415 -- every instrumentor brings it, spyglass does not

        register_post_import_hook(lambda module: self._imported(library, module), library.module)
        return Instrumented(library.name, Outcome.WAITING, library.package, "Waits for its import.")

    def _native(self, library: Library, installed: str) -> Instrumented:
        if int(installed.partition(".")[0]) < library.native_since:
            return Instrumented(
                library.name,
                Outcome.NO_INSTRUMENTOR,
                "",
                f"{library.distribution} {installed} does not report itself; {library.native_since}.0 does.",
            )
        if self._settings.content == names.Content.FULL and _ANTHROPIC_CONTENT not in os.environ:
            os.environ[_ANTHROPIC_CONTENT] = "content"
            self._undo.append(lambda: os.environ.pop(_ANTHROPIC_CONTENT, None))
        return Instrumented(library.name, Outcome.INSTRUMENTED, NATIVE)

    def _imported(self, library: Library, _: ModuleType) -> None:
        if self._active and self._rows.get(library.name, library).__class__ is Instrumented:
            self._note(self._isolated(library, self._instrument))

    def _instrument(self, library: Library) -> Instrumented:
        module, _, name = library.instrumentor.partition(":")
        instrumentor = getattr(importlib.import_module(module), name)()
        before = _BEFORE.get(library.name)
        if before is not None:
            before()
        if instrumentor.is_instrumented_by_opentelemetry:
            return Instrumented(library.name, Outcome.INSTRUMENTED, library.package, "The application did it.")
        instrumentor.instrument(tracer_provider=self._tracers, config=_openinference(self._settings))
        if not instrumentor.is_instrumented_by_opentelemetry:
            return Instrumented(library.name, Outcome.FAILED, library.package, "Its version is not supported.")
        self._undo.append(instrumentor.uninstrument)
        if library.name == "langchain":
            self._langchain()
        return Instrumented(library.name, Outcome.INSTRUMENTED, library.package)


def _installed(distribution: str) -> str | None:
    """Return the version of a distribution; asked of its metadata, because looking for a module imports packages."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def wanted(setting: str) -> list[Library]:
    """Return the libraries that the setting ``instrument`` names; unknown names are one warning each."""
    words = [word.strip() for word in setting.split(",") if word.strip()]
    if AUTO in words:
        return list(LIBRARIES)
    known = {library.name: library for library in LIBRARIES}
    for word in words:
        if word not in known and word != NONE:
            close = difflib.get_close_matches(word, known, n=1) or [", ".join(known)]
            log.warning("spyglass: SPYGLASS_INSTRUMENT: no library %r. Did you mean %s?", word, close[0])
    return [known[word] for word in words if word in known]


def _openinference(settings: Settings) -> Any:
    from openinference.instrumentation import TraceConfig  # noqa: PLC0415 -- comes with the instrumentors

    known = {field.name for field in dataclasses.fields(TraceConfig)}
    hidden = (_VECTORS,) if settings.content == names.Content.FULL else (_VECTORS, *_TEXTS)
    chosen: dict[str, Any] = {name: True for name in hidden if name in known}
    return TraceConfig(**chosen)


def _keep_agents_traces_here() -> None:
    """Take away the processor that sends every trace of openai-agents to its vendor."""
    importlib.import_module("agents").set_trace_processors([])


_BEFORE: dict[str, Callable[[], None]] = {"openai-agents": _keep_agents_traces_here}
