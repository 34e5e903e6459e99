import os
import pwd
from pathlib import Path

import pytest

from spyglass.errors import DataDirectoryError, SettingError
from spyglass.settings import Settings
from spyglass.stack import files, guard


def _prepare(path: Path, **settings: str) -> files.Files:
    return files.prepare(Settings(data_dir=str(path), **settings), warehouse=False)  # type: ignore[arg-type]


def test_preparing_twice_keeps_what_is_there(tmp_path: Path) -> None:
    """A data directory that exists keeps its files, and closed folders are closed again."""
    place = _prepare(tmp_path / "a" / "b")
    (place.data / "queue" / "kept").write_text("x")
    (place.data / "secrets").chmod(0o755)
    assert _prepare(place.data) == place
    assert (place.data / "queue" / "kept").read_text() == "x"
    assert (place.data / "secrets").stat().st_mode & 0o777 == 0o700


def test_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    """A data directory whose socket the kernel would refuse is refused with the number of bytes."""
    data = tmp_path / ("ä" * 40)
    with pytest.raises(DataDirectoryError) as raised:
        _prepare(data)
    length = len(os.fsencode(data / "process-compose.sock"))
    assert f"process-compose.sock in it would have {length} bytes, and a unix socket's path has at most 107." in str(
        raised.value
    )
    assert raised.value.remedy == "Choose a --data-dir with a shorter path."
    assert not data.exists()


def test_a_file_in_its_place(tmp_path: Path) -> None:
    """A file where the data directory should be is named."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirectoryError, match=f"{tmp_path}/file is a file, not a folder"):
        _prepare(tmp_path / "file")


def test_a_file_in_its_way(tmp_path: Path) -> None:
    """A file where a folder above the data directory should be is named."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirectoryError, match=f"a file stands in the way .*{tmp_path}/file"):
        _prepare(tmp_path / "file" / "data")


def test_a_place_that_cannot_be_written() -> None:
    """A place where the system lets nobody make a folder is told with the system's reason."""
    with pytest.raises(
        DataDirectoryError, match=r"Data directory /proc/spyglass: /proc/spyglass cannot be written \("
    ) as raised:
        _prepare(Path("/proc/spyglass"))
    assert raised.value.remedy == "Choose another --data-dir, or set SPYGLASS_DATA_DIR."


def test_the_engines_user_must_be_able_to_enter(tmp_path: Path) -> None:
    """A closed folder above the engine's is named, with who cannot enter it and three ways to mend it."""
    account = next(one for one in pwd.getpwall() if one.pw_name == "nobody")
    closed = tmp_path / "closed"
    (closed / "data" / "warehouse").mkdir(parents=True)
    closed.chmod(0o700)
    with pytest.raises(DataDirectoryError) as raised:
        files._check_way(closed / "data" / "warehouse", account)
    assert raised.value.problem == (
        f"Data directory {closed}/data: the warehouse's engine runs as nobody, who cannot enter {closed}."
    )
    assert f"`chmod o+x {closed}`" in raised.value.remedy


def test_an_open_way_is_enough(tmp_path: Path) -> None:
    """The engine's user needs to enter the folders, not to read them."""
    account = pwd.getpwuid(os.geteuid())
    place = tmp_path / "data" / "warehouse"
    place.mkdir(parents=True)
    (tmp_path / "data").chmod(0o711)
    files._check_way(place, account)


def test_a_user_that_does_not_exist() -> None:
    """A warehouse user that the system does not know is a mistaken setting."""
    with pytest.raises(SettingError, match="SPYGLASS_WAREHOUSE_USER: this system has no user 'nobodyy'"):
        files._account("nobodyy")
    assert files._account("nobody").pw_name == "nobody"


def test_a_full_disk(tmp_path: Path) -> None:
    """A data directory without room is told with the file that could not be written and the system's reason."""
    place = files.Files(tmp_path)
    with pytest.raises(DataDirectoryError) as raised, files.writing(place):
        Path("/dev/full").write_text("x")
    assert raised.value.problem == f"Data directory {tmp_path}: {tmp_path} cannot be written (No space left on device)."
    with files.writing(place):
        (tmp_path / "fits").write_text("x")


def _lock(place: files.Files) -> None:
    with guard.locked(place):
        pass


def test_a_directory_of_somebody_else(tmp_path: Path) -> None:
    """A lock that cannot be written is a sentence about the data directory."""
    (tmp_path / "stack.lock").mkdir()
    with pytest.raises(DataDirectoryError, match=r"stack\.lock cannot be written \(Is a directory\)"):
        _lock(files.Files(tmp_path))


def test_two_commands_at_a_time(tmp_path: Path) -> None:
    """While one command starts or stops a stack, another one is told to wait."""
    place = files.Files(tmp_path)
    with guard.locked(place), pytest.raises(DataDirectoryError, match="another spyglass command is starting"):
        _lock(place)
    _lock(place)
