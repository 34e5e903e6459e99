"""Say whose work this is: ids that every span and log inside carries, those of foreign instrumentors included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spyglass import names
from spyglass.sdk.notices import warn_once
from spyglass.sdk.operations import Around
from spyglass.sdk.state import state

if TYPE_CHECKING:
    from spyglass.sdk.tracing import Entered

_LONGEST = 1_024  # characters; W3C baggage may be cut by any hop beyond a few kilobytes


class Session(Around[None]):
    """Carry ids in the context and, across processes, in W3C baggage."""

    __slots__ = ("_ids",)

    def __init__(self, ids: dict[str, str]) -> None:
        super().__init__()
        self._ids = ids

    def begin(self) -> tuple[None, Entered | None]:
        """Return the context with the ids."""
        runtime = state.runtime
        if runtime is None or not self._ids:
            return None, None
        return None, runtime.tracing.session(self._ids)


def session(
    *,
    organization: str | None = None,
    project: str | None = None,
    user: str | None = None,
    session: str | None = None,
    conversation: str | None = None,
) -> Session:
    """Give ids to everything inside; a decorator and a context manager that makes no span of its own.

    The ids travel to other processes in the W3C ``baggage`` header of instrumented clients, so whoever is called there
    can read them. What is None or empty stays as it is outside.
    """
    given = {
        names.ORGANIZATION: organization,
        names.PROJECT: project,
        names.USER_ID: user,
        names.SESSION_ID: session,
        names.CONVERSATION_ID: conversation,
    }
    return Session({name: _identity(name, value) for name, value in given.items() if value not in (None, "")})


def _identity(name: str, value: object) -> str:
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    if len(text) > _LONGEST:
        warn_once(f"session.{name}", "spyglass: %s is cut to %d characters.", name, _LONGEST)
    return text[:_LONGEST]
