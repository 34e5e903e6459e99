"""Replace a method of somebody else's class, and put it back."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

Undo = Callable[[], None]


def replace(owner: Any, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Undo:
    """Set ``owner.name`` to what ``wrap`` makes of it; return what takes it back, unless it was replaced once more."""
    original = getattr(owner, name)
    inherited = name not in vars(owner)
    replacement = wraps(original)(wrap(original))
    setattr(owner, name, replacement)

    def undo() -> None:
        if vars(owner).get(name) is not replacement:
            return
        if inherited:
            delattr(owner, name)
        else:
            setattr(owner, name, original)

    return undo


def replace_all(*patches: tuple[Any, str, Callable[[Callable[..., Any]], Callable[..., Any]]]) -> Undo:
    """Do several replacements or none: where one of the names is missing, AttributeError is raised and all are back."""
    undos: list[Undo] = []
    try:
        for owner, name, wrap in patches:
            undos.append(replace(owner, name, wrap))
    except AttributeError:
        together(undos)()
        raise
    return together(undos)


def together(undos: list[Undo]) -> Undo:
    """Return what takes all of these back, the last one first."""

    def undo() -> None:
        for take_back in reversed(undos):
            take_back()

    return undo
