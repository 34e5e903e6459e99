"""Find out who sends a request, from the places where ClickHouse's clients put user and password."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from enum import StrEnum

from spyglass.errors import StatementError
from spyglass.warehouse import codes
from spyglass.warehouse.passwords import Passwords


class User(StrEnum):
    """List the users, each of which is a role of the engine, too."""

    COLLECTOR = "collector"
    READER = "reader"
    ADMIN = "admin"


def user_of(headers: Mapping[str, str], parameters: Mapping[str, str], passwords: Passwords) -> User:
    """Return the user of a request; headers are keyed in lower case.

    Basic authorization goes first, then X-ClickHouse-User and -Key, then the parameters ``user`` and ``password``.
    Raises StatementError (AUTHENTICATION_FAILED) without saying whether the user or the password is wrong.
    """
    name, password = _credentials(headers, parameters)
    known = name in tuple(User)
    expected = getattr(passwords, name) if known else ""
    matches = hmac.compare_digest(expected.encode(), password.encode("utf-8", "surrogateescape"))
    if not (known and matches):
        raise _failed(name)
    return User(name)


def _credentials(headers: Mapping[str, str], parameters: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(encoded, validate=True).decode("utf-8", "surrogateescape")
        except binascii.Error:
            raise _failed("") from None
        name, _, password = text.partition(":")
        return name, password
    if "x-clickhouse-user" in headers:
        return headers["x-clickhouse-user"], headers.get("x-clickhouse-key", "")
    return parameters.get("user", "default"), parameters.get("password", "")


def _failed(name: str) -> StatementError:
    shown = name.encode("ascii", "replace").decode()[:64]
    return codes.refused(
        codes.AUTHENTICATION_FAILED,
        f"{shown}: Authentication failed: password is incorrect, or there is no user with such name.",
    )
