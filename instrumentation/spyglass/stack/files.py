"""Name the files of the data directory, and make its folders with the right owners and modes."""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spyglass.errors import DataDirectoryError, SettingError
from spyglass.paths import data_directory
from spyglass.settings import Settings, variable

# What the kernel takes as the path of a unix socket.
SOCKET_BYTES = 107
# The engine's user must be able to enter the data directory; what nobody else may read is closed one level below.
OPEN, CLOSED = 0o755, 0o700
FOLDERS = ("config", "logs", "secrets", "queue", "prometheus", "tempo", "alertmanager", "grafana")


@dataclass(frozen=True, slots=True)
class Files:
    """Hold the data directory and name what is in it."""

    data: Path

    @property
    def config(self) -> Path:
        """Return the folder of rendered configurations."""
        return self.data / "config"

    @property
    def project(self) -> Path:
        """Return process-compose's project file."""
        return self.config / "process-compose.yaml"

    @property
    def record(self) -> Path:
        """Return the file that describes the running stack."""
        return self.data / "stack.json"

    @property
    def socket(self) -> Path:
        """Return the unix socket that drives process-compose."""
        return self.data / "process-compose.sock"

    @property
    def lock(self) -> Path:
        """Return the file that a starting or stopping command locks."""
        return self.data / "stack.lock"

    def log(self, part: str) -> Path:
        """Return a part's log."""
        return self.data / "logs" / f"{part}.log"


def of(settings: Settings) -> Files:
    """Return the files of the data directory that the settings name."""
    return Files(data_directory(settings))


def prepare(settings: Settings, *, warehouse: bool) -> Files:
    """Make the data directory and its folders; raises DataDirectoryError where that is not possible.

    ``warehouse`` also makes the engine's folder, and checks that the engine's user can reach it.
    """
    place = of(settings)
    _check_socket(place)
    with writing(place):
        place.data.mkdir(mode=OPEN, parents=True, exist_ok=True)
        for name in FOLDERS:
            (place.data / name).mkdir(mode=CLOSED, exist_ok=True)
            (place.data / name).chmod(CLOSED)
        if warehouse:
            _prepare_warehouse(place.data, settings.warehouse_user)
        _check_writable(place.data)
    return place


@contextlib.contextmanager
def writing(place: Files) -> Iterator[None]:
    """Turn what the system says about the data directory into a DataDirectoryError."""
    try:
        yield
    except FileExistsError as error:
        problem = f"{error.filename} is a file, not a folder."
    except NotADirectoryError as error:
        problem = f"it cannot be made, because a file stands in the way ({error.filename})."
    except OSError as error:
        problem = f"{error.filename or place.data} cannot be written ({error.strerror or error})."
    else:
        return
    raise DataDirectoryError(str(place.data), problem, f"Choose another --data-dir, or set {variable('data_dir')}.")


def _prepare_warehouse(data: Path, user: str) -> None:
    """Give the engine's folder to the user that the engine runs as; only root runs it as somebody else."""
    place = data / "warehouse"
    place.mkdir(mode=CLOSED, exist_ok=True)
    if os.geteuid() != 0:
        return
    account = _account(user)
    if place.stat().st_uid != account.pw_uid:
        os.chown(place, account.pw_uid, account.pw_gid)
    if account.pw_uid != 0:
        _check_way(place, account)


def _account(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise SettingError(variable("warehouse_user"), f"this system has no user {user!r}.") from None


def _check_way(place: Path, account: pwd.struct_passwd) -> None:
    for folder in place.parents:
        found = folder.stat()
        mine, ours = found.st_uid == account.pw_uid, found.st_gid == account.pw_gid
        needed = stat.S_IXUSR if mine else stat.S_IXGRP if ours else stat.S_IXOTH
        if not found.st_mode & needed:
            raise DataDirectoryError(
                str(place.parent),
                f"the warehouse's engine runs as {account.pw_name}, who cannot enter {folder}.",
                f"Choose another --data-dir, allow entering with `chmod o+x {folder}`, or set "
                f"{variable('warehouse_user')}=root.",
            )


def _check_writable(data: Path) -> None:
    probe = data / "config" / ".probe"
    probe.write_text("spyglass", encoding="utf-8")
    probe.unlink()


def _check_socket(files: Files) -> None:
    length = len(os.fsencode(files.socket))
    if length > SOCKET_BYTES:
        raise DataDirectoryError(
            str(files.data),
            f"its path is too long: {files.socket.name} in it would have {length} bytes, and a unix socket's path has "
            f"at most {SOCKET_BYTES}.",
            "Choose a --data-dir with a shorter path.",
        )
