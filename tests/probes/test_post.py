import socket
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

from spyglass.errors import InputFileError, SettingError
from spyglass.probes.export.points import Points
from spyglass.probes.export.post import Poster
from spyglass.settings import Settings
from tests.probes.receiver import Receiver

BODY = Points({"service.name": "x"}).serialise([], 1)


def test_kept_connection(receiver: Receiver) -> None:
    """Requests go over one connection."""
    poster = Poster(Settings(endpoint=receiver.url))
    assert [poster.post(BODY) for _ in range(3)] == ["", "", ""]
    assert (len(receiver.requests), receiver.connections) == (3, 1)
    assert receiver.requests[0].headers["Content-Type"] == "application/x-protobuf"
    assert "Authorization" not in receiver.requests[0].headers
    poster.close()


def test_endpoint_with_a_path(receiver: Receiver) -> None:
    """A trailing slash is no other path, and a path in front is kept."""
    for tail, problem in (("/", ""), ("/front", "HTTP status 404 Not Found")):
        poster = Poster(Settings(endpoint=receiver.url + tail))
        assert poster.post(BODY) == problem
        poster.close()


def test_token(receiver: Receiver, tmp_path: Path) -> None:
    """The bearer token comes from the file, and from the file again after the collector refused it."""
    file = tmp_path / "token"
    file.write_text("first\n")
    poster = Poster(Settings(endpoint=receiver.url, token_file=str(file)))
    assert poster.post(BODY) == ""
    file.write_text("second\n")
    receiver.answers.append((401, b""))
    assert poster.post(BODY) == "HTTP status 401 Unauthorized"
    assert poster.post(BODY) == ""
    assert [request.headers["Authorization"] for request in receiver.requests] == ["Bearer first", "Bearer second"]
    poster.close()


@pytest.mark.parametrize("text", [None, "", "\n", "swordfish\nx", "swordfish\x7f", "ü"])
def test_bad_token_file(tmp_path: Path, text: str | None) -> None:
    """A token file that is missing or holds no token is refused with its name, and its content is not shown."""
    file = tmp_path.parent / "token"
    file.unlink(missing_ok=True)
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(InputFileError) as caught:
        Poster(Settings(token_file=str(file)))
    assert str(file) in str(caught.value)
    assert "SPYGLASS_TOKEN_FILE" in str(caught.value)
    assert "swordfish" not in str(caught.value)


@pytest.mark.parametrize("endpoint", ["", "localhost:4318", "grpc://h:1", "http://", "http://h:99999", "http://h:x"])
def test_bad_endpoint(endpoint: str) -> None:
    """What is no HTTP address is refused with the setting's name."""
    with pytest.raises(SettingError, match="SPYGLASS_ENDPOINT"):
        Poster(Settings(endpoint=endpoint))


def test_nobody_listens() -> None:
    """A collector that is not there is a sentence and no exception, each time."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        poster = Poster(Settings(endpoint=f"http://127.0.0.1:{closed.getsockname()[1]}"))
        assert [poster.post(BODY) for _ in range(2)] == ["[Errno 111] Connection refused"] * 2


def test_silent_collector() -> None:
    """A collector that takes the connection and never answers costs the time-out and no more."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        poster = Poster(Settings(endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}"), timeout=0.05)
        assert poster.post(BODY) == "timed out"


def test_collector_that_closes_idle_connections(receiver: Receiver) -> None:
    """A kept connection that was closed meanwhile is opened again within the same export."""
    poster = Poster(Settings(endpoint=receiver.url))
    assert poster.post(BODY) == ""
    assert poster._connection.sock is not None
    poster._connection.sock.shutdown(socket.SHUT_RDWR)
    assert poster.post(BODY) == ""
    assert receiver.connections == 2
    poster.close()


def test_errors_of_the_collector(receiver: Receiver) -> None:
    """A status that is no success is the reason, and the next export goes on."""
    poster = Poster(Settings(endpoint=receiver.url))
    receiver.answers.extend([(503, b"busy"), (200, b"")])
    assert poster.post(BODY) == "HTTP status 503 Service Unavailable"
    assert poster.post(BODY) == ""
    poster.close()


def test_rejected_points(receiver: Receiver) -> None:
    """Points that the collector rejects in a success are told."""
    answer = ExportMetricsServiceResponse()
    answer.partial_success.rejected_data_points = 3
    answer.partial_success.error_message = "too old"
    poster = Poster(Settings(endpoint=receiver.url))
    receiver.answers.extend([(200, answer.SerializeToString()), (200, b"<html>")])
    assert poster.post(BODY) == "3 points were rejected: too old"
    assert poster.post(BODY) == "the answer is not OTLP"
    poster.close()


def test_endless_answer(receiver: Receiver) -> None:
    """An answer that is longer than anyone needs is not read to its end, and the next export goes on."""
    poster = Poster(Settings(endpoint=receiver.url))
    receiver.answers.append((500, b"x" * 1_000_000))
    assert poster.post(BODY) == "HTTP status 500 Internal Server Error"
    assert poster.post(BODY) == ""
    poster.close()
