import os
import socket
import threading

import pytest

from spyglass.errors import PartError, PortTakenError
from spyglass.settings import Settings
from spyglass.stack import ports
from spyglass.stack.parts import PARTS


@pytest.fixture
def taken() -> socket.socket:
    """Listen on a port."""
    return socket.create_server(("127.0.0.1", 0))


def test_a_taken_port_names_part_port_and_holder(taken: socket.socket) -> None:
    """The first port of a part that somebody listens on is named, with the process."""
    port = taken.getsockname()[1]
    with taken, pytest.raises(PortTakenError) as raised:
        ports.check(Settings(port_tempo_otlp_http=port), [PARTS["tempo"]])
    assert (raised.value.part, raised.value.port) == ("tempo", port)
    assert raised.value.holder.endswith(f"(process {os.getpid()})")


def test_a_holder_that_cannot_be_seen(taken: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that stays taken by nobody whom this user may see belongs to another user; one that fades is free."""
    monkeypatch.setattr(ports, "holder", lambda _: "")
    monkeypatch.setattr(ports, "FADING_SECONDS", 0.3)
    settings = Settings(port_tempo=taken.getsockname()[1])
    with pytest.raises(PortTakenError, match="is taken by a process of another user"):
        ports.check(settings, [PARTS["tempo"]])
    monkeypatch.setattr(ports, "FADING_SECONDS", 30)
    threading.Timer(0.2, taken.close).start()
    ports.check(settings, [PARTS["tempo"]])


def test_a_listener_on_all_addresses_counts(taken: socket.socket) -> None:
    """A process that listens on every address holds the loopback port too."""
    taken.close()
    with socket.create_server(("0.0.0.0", 0)) as listener:  # noqa: S104 -- that is the case
        assert not ports.free(listener.getsockname()[1])


def test_a_port_that_was_just_closed_is_free(taken: socket.socket) -> None:
    """Connections that are fading away do not hold a port."""
    port = taken.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)) as client, taken.accept()[0] as server:
        server.close()
        client.close()
    taken.close()
    assert ports.free(port)


def test_only_ports_of_the_parts_count(taken: socket.socket) -> None:
    """A taken port of a part that is not started does not matter."""
    with taken:
        ports.check(Settings(port_tempo=taken.getsockname()[1]), [PARTS["probe"]])


def test_a_port_that_nobody_may_listen_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another reason than a listener is told with the setting that names another port."""
    monkeypatch.setattr(ports, "LOOPBACK", "192.0.2.1")  # an address that no machine has
    with pytest.raises(
        PartError, match=r"alertmanager: port 9093 cannot be listened on \(EADDRNOTAVAIL\)\. .*SPYGLASS_PORT_A"
    ):
        ports.check(Settings(), [PARTS["alertmanager"]])
