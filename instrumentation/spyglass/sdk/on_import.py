"""Act when the program imports a module, or at once where it has; nothing is imported that the program does not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from spyglass.sdk.notices import warn_once
from spyglass.sdk.patching import Undo

Action = Callable[[ModuleType], Undo | None]


def when_imported(name: str, action: Action) -> Undo:
    """Call ``action`` with the module ``name`` once it is imported; return what stops waiting or takes it back."""
    watcher = _Watcher(name, action)
    if name in sys.modules:
        watcher.act(sys.modules[name])
    else:
        sys.meta_path.insert(0, watcher)
    return watcher.stop


class _Watcher(MetaPathFinder):
    def __init__(self, name: str, action: Action) -> None:
        self._name = name
        self._action = action
        self._undo: Undo | None = None
        self._asking = False

    def act(self, module: ModuleType) -> None:
        try:
            self._undo = self._action(module)
        except Exception as error:  # noqa: BLE001 -- a stranger's module may be unlike what is expected
            warn_once(f"import.{self._name}", "spyglass could not prepare %s: %r.", self._name, error)

    def stop(self) -> None:
        self._leave()
        if self._undo is not None:
            self._undo()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 -- of the protocol
        target: ModuleType | None = None,  # noqa: ARG002 -- of the protocol
    ) -> ModuleSpec | None:
        if fullname != self._name or self._asking:
            return None
        self._asking = True  # the others are asked by way of Python, for their finders ask each other too
        try:
            spec = find_spec(fullname)
        finally:
            self._asking = False
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = _Following(spec.loader, self)
        return spec

    def imported(self, module: ModuleType) -> None:
        if self in sys.meta_path:
            self._leave()
            self.act(module)

    def _leave(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)


class _Following(Loader):
    """Load a module as its own loader does, and tell the watcher; the module keeps its own loader."""

    def __init__(self, loader: Any, watcher: _Watcher) -> None:
        self._loader = loader
        self._watcher = watcher

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._watcher.imported(module)
