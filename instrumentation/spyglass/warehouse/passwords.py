"""Provide the passwords of the warehouse's users: from the settings, else generated once into files of mode 0600."""

from __future__ import annotations

import contextlib
import os
import secrets
import string
from dataclasses import dataclass
from pathlib import Path

from spyglass.errors import DataDirectoryError
from spyglass.paths import data_directory
from spyglass.settings import Settings

USERS = ("collector", "reader", "admin")
_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Passwords:
    """Hold the password of each user."""

    collector: str
    reader: str
    admin: str


def ensure(settings: Settings) -> Passwords:
    """Return the passwords, generating those that neither the settings nor the data directory have.

    Raises DataDirectoryError when the folder of secrets cannot be used.
    """
    folder = data_directory(settings) / "secrets"
    return Passwords(**{user: _ensure(settings, folder, user) for user in USERS})


def path(settings: Settings, user: str) -> Path:
    """Return the file of a user's generated password, whether it exists or not."""
    return data_directory(settings) / "secrets" / f"warehouse_{user}.password"


def _ensure(settings: Settings, folder: Path, user: str) -> str:
    given = str(getattr(settings, f"warehouse_{user}_password"))
    if given:
        return given
    file = path(settings, user)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        with contextlib.suppress(FileExistsError):
            _create(file, _generate())
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DataDirectoryError(str(folder), f"the password of {user} cannot be kept there ({error}).") from None


def _create(file: Path, password: str) -> None:
    """Write the file whole or not at all, even beside another process that does the same."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(password + "\n")
        os.link(draft, file)
    finally:
        draft.unlink()


def _generate() -> str:
    """Make a password that needs no quoting anywhere: a letter, then letters and digits."""
    alphabet = string.ascii_letters + string.digits
    first = secrets.choice(string.ascii_letters)
    return first + "".join(secrets.choice(alphabet) for _ in range(_LENGTH - 1))
