import threading
from pathlib import Path

import pytest

from spyglass.errors import UsageError
from spyglass.stack import logs
from spyglass.stack.files import Files
from tests.stack.conftest import eventually


def test_the_tail_of_a_log(tmp_path: Path) -> None:
    """The last lines come in order, a broken character as a mark; a log that is not there has none."""
    log = tmp_path / "log"
    log.write_bytes(b"one\ntwo \xff\nthree\n")
    assert logs.tail(log, 2) == ["two \ufffd", "three"]
    assert logs.tail(log, 0) == []
    assert logs.tail(tmp_path / "none", 5) == []


def test_the_path_of_a_log(tmp_path: Path) -> None:
    """Parts and process-compose have logs; other names are refused with the list."""
    assert logs.path(Files(tmp_path), "tempo") == tmp_path / "logs" / "tempo.log"
    assert logs.path(Files(tmp_path), "process-compose").name == "process-compose.log"
    with pytest.raises(UsageError, match=r"no part '\.\./secret'"):
        logs.path(Files(tmp_path), "../secret")


def test_following_a_log_through_a_rotation(tmp_path: Path) -> None:
    """What is appended is yielded once, also when the log appears late and is put aside for a new one."""
    log, seen = tmp_path / "log", [""]
    added = logs.follow(log)

    def read() -> None:
        for text in added:
            seen[0] += text
            if "end" in text:
                return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    log.write_text("one\n")
    eventually(lambda: seen[0] == "one\n")
    with log.open("a") as file:
        file.write("two\n")
    eventually(lambda: seen[0] == "one\ntwo\n")
    log.rename(tmp_path / "log.1")
    log.write_text("three\nend\n")
    reader.join(10)
    assert seen[0] == "one\ntwo\nthree\nend\n"


def test_last_words(tmp_path: Path) -> None:
    """The end of a log becomes the end of a sentence; silence is told as such."""
    place = Files(tmp_path)
    place.log("tempo").parent.mkdir()
    assert logs.last_words(place, "tempo") == "; it logged nothing."
    place.log("tempo").write_text("start\n\nlevel=error msg=boom\n")
    assert logs.last_words(place, "tempo") == "; its log ends with: start | level=error msg=boom"
