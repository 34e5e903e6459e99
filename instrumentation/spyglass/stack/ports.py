"""Check that the ports of parts are free, and say who holds one that is not."""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections.abc import Iterable

import psutil

from spyglass.errors import PartError, PortTakenError
from spyglass.settings import Settings, variable
from spyglass.stack.parts import Part

LOOPBACK = "127.0.0.1"
# A process that has just been killed is seen no more a moment before its ports are free.
FADING_SECONDS = 2.0
POLL_SECONDS = 0.02


def check(settings: Settings, parts: Iterable[Part]) -> None:
    """Raise PortTakenError for the first port of these parts that another process listens on."""
    for part in parts:
        for name in part.ports:
            _check(part.name, name, settings.port(name))


def _check(part: str, name: str, port: int) -> None:
    problem, deadline = _problem(port), time.monotonic() + FADING_SECONDS
    while problem == errno.EADDRINUSE:
        seen = holder(port)
        if seen or time.monotonic() > deadline:
            raise PortTakenError(part, port, seen or "a process of another user")
        time.sleep(POLL_SECONDS)
        problem = _problem(port)
    if problem:
        raise PartError(
            part,
            f"port {port} cannot be listened on ({errno.errorcode[problem]}).",
            f"Choose another with {variable(f'port_{name}')}.",
        )


def free(port: int) -> bool:
    """Say whether nobody listens on a loopback port."""
    return _problem(port) is None


def holder(port: int) -> str:
    """Return the name and id of the process that listens on a port, or "" when this user may not see it."""
    with contextlib.suppress(psutil.Error):
        for found in psutil.net_connections(kind="tcp"):
            if found.laddr and found.laddr.port == port and found.status == psutil.CONN_LISTEN and found.pid:
                return f"{psutil.Process(found.pid).name()} (process {found.pid})"
    return ""


def _problem(port: int) -> int | None:
    with socket.socket() as probe:
        # As the parts do: a connection that is fading away is no listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError as error:
            return error.errno or errno.EIO
    return None
