"""Read a request: who asks, what, with which settings and parameters."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from spyglass.warehouse.statements import names

# Parameters of the protocol; every other one is a setting of the engine.
_PROTOCOL = names(
    "query database default_format user password quota_key query_id role stacktrace "
    "session_id session_timeout session_check close_session "
    "compress decompress enable_http_compression http_zlib_compression_level "
    "client_protocol_version buffer_size wait_end_of_query "
    "send_progress_in_http_headers http_headers_progress_interval_ms add_http_cors_header"
)
_SETTING = re.compile(r"[A-Za-z_]\w*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Request:
    """Hold what a request says beside its body; headers are keyed in lower case."""

    method: str
    headers: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def query_id(self) -> str:
        """Return the id that the client chose, else a new one."""
        return self.parameters.get("query_id") or str(uuid.uuid4())

    @property
    def default_format(self) -> str:
        """Return the format of results where the statement names none."""
        return self.parameters.get("default_format") or self.headers.get("x-clickhouse-format") or "TabSeparated"

    @property
    def settings(self) -> dict[str, str]:
        """Return the engine's settings that the client asks for."""
        return {
            name: value
            for name, value in self.parameters.items()
            if name not in _PROTOCOL and not name.startswith("param_") and _SETTING.fullmatch(name)
        }

    @property
    def query_parameters(self) -> dict[str, str]:
        """Return the values for ``{name:Type}`` in the statement."""
        return {name[6:]: value for name, value in self.parameters.items() if name.startswith("param_")}

    def flag(self, name: str) -> bool:
        """Say whether a parameter of the protocol is 1."""
        return self.parameters.get(name) == "1"


def read(scope: Mapping[str, Any]) -> Request:
    """Read the head of a request."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(scope["method"], headers, _parameters(scope["query_string"]))


@lru_cache(maxsize=512)
def _parameters(query_string: bytes) -> Mapping[str, str]:
    """Parse the parameters; a sender's inserts have the same ones each time."""
    pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, errors="surrogateescape")
    return MappingProxyType(dict(pairs))
