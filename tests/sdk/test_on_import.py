"""Acting when the program imports a module."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import wrapt

from spyglass.sdk.on_import import when_imported


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Make a package with a module, which no other test sees."""
    name = f"package_{tmp_path.name}"  # wrapt never forgets a name
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / name / "inner.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != when_imported.__module__]
    for module in [module for module in sys.modules if module.startswith(name)]:
        del sys.modules[module]


def test_the_action_comes_after_the_import(package: str) -> None:
    """The module is whole when the action sees it; its package alone is not waited for; the finder is gone after it."""
    seen: list[int] = []
    before = list(sys.meta_path)
    undo = when_imported(f"{package}.inner", lambda module: seen.append(module.value))
    importlib.import_module(package)
    assert seen == []
    module = importlib.import_module(f"{package}.inner")
    assert seen == [1]
    assert sys.meta_path == before
    importlib.reload(module)
    assert seen == [1]
    undo()


def test_what_is_imported_already_is_acted_on_at_once_and_taken_back(package: str) -> None:
    """An imported module needs no waiting, and undo takes the action back."""
    importlib.import_module(package)
    seen: list[str] = []

    def act(module: ModuleType) -> Callable[[], None]:
        seen.append(module.__name__)
        return lambda: seen.append("undone")

    undo = when_imported(package, act)
    assert seen == [package]
    undo()
    assert seen == [package, "undone"]


def test_nothing_happens_after_the_wait_was_called_off(package: str) -> None:
    """Undo before the import leaves the import as it is."""
    seen: list[ModuleType] = []
    when_imported(package, seen.append)()
    importlib.import_module(package)
    assert seen == []


def test_a_failing_action_leaves_the_import_alone(package: str, said: pytest.LogCaptureFixture) -> None:
    """The program gets its module, and one line says what failed; a module that is missing stays missing."""

    def act(_: ModuleType) -> None:
        raise RuntimeError("unlike what was expected")

    when_imported(package, act)
    when_imported(f"{package}.missing", act)
    assert importlib.import_module(package).__name__ == package
    assert f"could not prepare {package}" in said.text
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"{package}.missing")


@pytest.mark.parametrize("ours_first", [True, False])
def test_others_who_wait_for_the_same_module_are_called_too(package: str, ours_first: bool) -> None:  # noqa: FBT001 -- a parameter
    """Two of ours and wrapt's hook, which instrumentors use, all see the import."""
    seen: list[str] = []
    if ours_first:
        when_imported(package, lambda _: seen.append("first"))
    wrapt.register_post_import_hook(lambda _: seen.append("wrapt"), package)
    when_imported(package, lambda _: seen.append("last"))
    importlib.import_module(package)
    assert sorted(seen) == sorted(["wrapt", "last", *(["first"] if ours_first else [])])
