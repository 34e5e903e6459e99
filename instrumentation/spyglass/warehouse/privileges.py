"""Give up root's rights: the engine can read files for whoever sends it SQL, so it runs as a user who owns nothing."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from spyglass.errors import DataDirectoryError, SettingError
from spyglass.settings import variable


def prepare(folder: Path, user: str) -> None:
    """Create the engine's folder and, as root, give it to ``user``; raises DataDirectoryError or SettingError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataDirectoryError(str(folder), f"it cannot be made ({error.strerror}).") from None
    if os.geteuid() == 0:
        _give(folder, _entry(user))


def drop(user: str) -> None:
    """Become ``user`` for good, when root; everything that must be imported, read or bound as root comes before."""
    if os.geteuid() != 0:
        return
    entry = _entry(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def check(folder: Path) -> None:
    """Raise DataDirectoryError when the user that this process is now cannot use the folder."""
    if os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return
    closed = next((parent for parent in reversed(folder.parents) if not os.access(parent, os.X_OK)), folder)
    raise DataDirectoryError(
        str(folder),
        f"the system user {_name()}, which the engine runs as, cannot enter {closed}.",
        f"Choose a data directory that every user can enter, such as /var/lib/spyglass (--data-dir), or another user "
        f"({variable('warehouse_user')}).",
    )


def _give(folder: Path, entry: pwd.struct_passwd) -> None:
    """Change the owner, of everything below too where the folder was another's (an earlier run's)."""
    if folder.stat().st_uid == entry.pw_uid:
        return
    for directory, _, files in os.walk(folder):
        os.chown(directory, entry.pw_uid, entry.pw_gid)
        for file in files:
            os.chown(os.path.join(directory, file), entry.pw_uid, entry.pw_gid, follow_symlinks=False)  # noqa: PTH118 -- os.walk gives strings


def _entry(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise SettingError(variable("warehouse_user"), f"there is no system user {user!r}.") from None


def _name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
