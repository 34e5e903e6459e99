"""Act when the program imports a module, or at once where it has; nothing is imported that the program does not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
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
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        for finder in [finder for finder in sys.meta_path if finder is not self]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                self._follow(spec.loader)
                return spec
        return None

    def _follow(self, loader: Any) -> None:
        if loader is None or isinstance(loader, type):
            return  # a namespace package, or one of Python's own loaders, which all modules share
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            if module.__name__ == self._name and self in sys.meta_path:
                self._leave()
                self.act(module)

        loader.exec_module = exec_module

    def _leave(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
