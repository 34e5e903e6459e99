"""Post serialised metrics to the collector's OTLP/HTTP receiver, over a connection that is kept open."""

from __future__ import annotations

import contextlib
import http.client
from pathlib import Path
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

from spyglass.errors import InputFileError, SettingError
from spyglass.settings import Settings, variable

PATH = "/v1/metrics"
CONTENT_TYPE = "application/x-protobuf"
LONGEST_ANSWER = 65_536
SUCCESS = 2  # hundred
UNAUTHORISED = (401, 403)


class Poster:
    """Send requests to one endpoint; ``timeout`` in seconds holds for each step of a request.

    Raises SettingError when the endpoint is no HTTP address, and InputFileError when the token's file cannot be read.
    """

    def __init__(self, settings: Settings, timeout: float = 5.0) -> None:
        self.endpoint = settings.endpoint
        self._timeout = timeout
        self._token_file = settings.token_file
        self._connection, self._path = _connection(settings.endpoint, timeout)
        self._headers = self._read_headers()

    def post(self, body: bytes) -> str:
        """Send one request and return "" when all its points were taken, else why they were not; never raises."""
        kept = self._connection.sock is not None
        try:
            try:
                return self._exchange(body)
            except ConnectionError:
                self.close()
                if not kept:
                    raise
                return self._exchange(body)  # the collector may close a connection that has been idle
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.close()
            return str(error) or type(error).__name__

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        with contextlib.suppress(OSError):
            self._connection.close()

    def _exchange(self, body: bytes) -> str:
        self._connection.request("POST", self._path, body, self._headers)
        response = self._connection.getresponse()
        answer = response.read(LONGEST_ANSWER)
        if not response.isclosed():
            self.close()  # there is more of it, which would stand before the next answer
        if response.status // 100 == SUCCESS:
            return _rejected(answer)
        if response.status in UNAUTHORISED:
            self._renew_token()
        return f"HTTP status {response.status} {response.reason}"

    def _renew_token(self) -> None:
        with contextlib.suppress(InputFileError):  # the answer that brought us here is reported already
            self._headers = self._read_headers()

    def _read_headers(self) -> dict[str, str]:
        headers = {"Content-Type": CONTENT_TYPE, "User-Agent": "spyglass-probes"}
        if self._token_file:
            headers["Authorization"] = f"Bearer {_token(self._token_file)}"
        return headers


def _connection(endpoint: str, timeout: float) -> tuple[http.client.HTTPConnection, str]:
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
        if host and parts.scheme in kinds:
            return kinds[parts.scheme](host, port, timeout=timeout), parts.path.rstrip("/") + PATH
    except (ValueError, http.client.InvalidURL):
        pass  # a port that is none, or a host with characters that none has
    raise SettingError(variable("endpoint"), f"{endpoint!r} is no HTTP address.", "Write it as http://host:4318.")


def _token(path: str) -> str:
    try:
        token = Path(path).expanduser().read_text(encoding="ascii").strip()
    except OSError as error:
        raise InputFileError(path, f"{error.strerror}.", f"Mend {variable('token_file')} or unset it.") from None
    except UnicodeDecodeError:
        token = ""
    if not token or not token.isprintable():
        raise InputFileError(path, "not one line with a bearer token.", f"Mend {variable('token_file')} or unset it.")
    return token


def _rejected(answer: bytes) -> str:
    try:
        partial = ExportMetricsServiceResponse.FromString(answer).partial_success
    except DecodeError:
        return "the answer is not OTLP"
    if not partial.rejected_data_points:
        return ""
    return f"{partial.rejected_data_points} points were rejected: {partial.error_message}"
