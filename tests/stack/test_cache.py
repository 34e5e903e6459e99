import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from spyglass import assets
from spyglass.errors import ProgramError
from spyglass.settings import Settings
from spyglass.stack import cache, programs, toolchain
from spyglass.stack.catalogue import PROGRAMS, Module, Program
from spyglass.stack.programs import State
from tests.stack.conftest import MAIN_GO, Tiny


def _truncate(binary: Path) -> None:
    binary.write_bytes(binary.read_bytes()[:100])


def _empty(binary: Path) -> None:
    binary.write_bytes(b"")
    record = binary.parent / cache.RECORD
    record.write_text(json.dumps({"bytes": {binary.name: 0}}))


def _unexecutable(binary: Path) -> None:
    binary.chmod(0o644)


def _without_record(binary: Path) -> None:
    (binary.parent / cache.RECORD).unlink()


def _with_half_a_record(binary: Path) -> None:
    record = binary.parent / cache.RECORD
    record.write_text(record.read_text()[:20])


def _without_binary(binary: Path) -> None:
    binary.unlink()


@pytest.mark.parametrize(
    "damage", [_truncate, _empty, _unexecutable, _without_record, _with_half_a_record, _without_binary]
)
def test_a_half_written_build_is_made_again(tiny: Tiny, damage: Callable[[Path], None]) -> None:
    """What is damaged in the cache is neither found nor used, and replaced by a whole build."""
    path = programs.locate("pint", tiny.settings)
    size = path.stat().st_size
    damage(path)
    assert programs.find("pint", tiny.settings).state is State.TO_BUILD
    assert programs.locate("pint", tiny.settings) == path
    assert path.stat().st_size == size
    assert os.access(path, os.X_OK)


def test_what_a_killed_builder_left_is_cleared_away(tiny: Tiny) -> None:
    """The unfinished folder of a builder that was killed is neither used nor kept."""
    path = programs.locate("pint", tiny.settings)
    left = path.parent.parent / f".{path.parent.name}-killed"
    (left / "build").mkdir(parents=True)
    _without_record(path)
    programs.locate("pint", tiny.settings)
    assert not left.exists()
    assert sorted(one.name for one in path.parent.parent.iterdir()) == [path.parent.name, f"{path.parent.name}.lock"]


def test_two_builders_build_once(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two that want the same program, one builds; the other waits, says so, and uses the result."""
    found: list[Path] = []
    builders = [threading.Thread(target=lambda: found.append(programs.locate("pint", tiny.settings))) for _ in range(2)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    told = capsys.readouterr().err
    assert len(set(found)) == 1 < len(found)
    assert told.count("built pint 1.2.3") == 1
    assert told.count("pint: another process is building it; waiting") == 1


def test_a_builder_that_waits_takes_over_when_the_first_fails(tiny: Tiny) -> None:
    """When the builder that holds the lock gives up, the next one builds."""
    place = cache._place(tiny.program, tiny.settings)
    place.root.mkdir(parents=True)
    go = toolchain.find("pint", tiny.settings, cache.minimum(tiny.program.module))
    found: list[Path] = []
    with cache._locked(place.folder(go.line).with_suffix(".lock"), "pint"):
        builder = threading.Thread(target=lambda: found.append(programs.locate("pint", tiny.settings)))
        builder.start()
        time.sleep(0.2)
        assert builder.is_alive()
    builder.join()
    assert found[0].exists()


def test_the_key_follows_what_a_program_is_made_from(tiny: Tiny) -> None:
    """Another source, flag, file or release of Go is another build; a test of the module is not."""

    def key(program: Program = tiny.program, line: str = "go1.26") -> str:
        return cache._place(program, tiny.settings).folder(line).name

    first = key()
    assert key() == first
    (tiny.folder / "main_test.go").write_text("package main\n")
    assert key() == first
    assert key(line="go1.27") != first
    assert key(Program("pint", Module("tiny", "1.2.3", "-s"), ".", "tiny-of-spyglass")) != first
    (tiny.folder / "main.go").write_text(MAIN_GO.replace("1.2.3", "1.2.4"))
    second = key()
    (tiny.folder / "inner").mkdir()
    (tiny.folder / "inner" / "more.go").write_text("package inner\n")
    assert len({first, second, key()}) == 3


def test_a_module_beside_it_belongs_to_the_sources(tiny: Tiny) -> None:
    """A local module that go.mod puts in place of another counts like the module's own files."""
    beside = tiny.folder.parent / "beside"
    beside.mkdir()
    (beside / "go.mod").write_text("module example.com/beside\n\ngo 1.21\n")
    (tiny.folder / "go.mod").write_text(
        (tiny.folder / "go.mod").read_text() + "\nreplace example.com/beside => ../beside\n"
    )
    first = cache._place(tiny.program, tiny.settings).sources
    (beside / "beside.go").write_text("package beside\n")
    assert cache._place(tiny.program, tiny.settings).sources != first


def test_two_checkouts_share_a_build(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same module in another place is the same build."""
    path = programs.locate("pint", tiny.settings)
    other = tmp_path / "other"
    (tmp_path / "deploy").rename(other)
    monkeypatch.setattr(assets, "folder", lambda _: other)
    assert programs.find("pint", tiny.settings).path == path


def test_without_go_a_build_of_any_release_will_do(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cached program of the same sources is used when there is no Go any more; one of other sources is not."""
    path = programs.locate("pint", tiny.settings)

    def no_go(*_: object) -> None:
        raise ProgramError("pint", "no Go")

    monkeypatch.setattr(toolchain, "find", no_go)
    assert programs.find("pint", tiny.settings).path == path
    (tiny.folder / "main.go").write_text(MAIN_GO + "// changed\n")
    with pytest.raises(ProgramError, match="no Go"):
        programs.locate("pint", tiny.settings)


def test_programs_of_one_module_are_built_together(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A module with two programs is built by one command, and both are there after it."""
    module = Module("pair", "2.0.0", "-s -w")
    for name in ("amtool", "alertmanager"):
        folder = tiny.folder.parent / "pair" / "cmd" / name
        folder.mkdir(parents=True)
        (folder / "main.go").write_text(MAIN_GO)
        monkeypatch.setitem(PROGRAMS, name, Program(name, module, f"./cmd/{name}", name))
        monkeypatch.delenv(f"SPYGLASS_{name.upper()}", raising=False)
    (tiny.folder.parent / "pair" / "go.mod").write_text("module example.com/pair\n\ngo 1.21\n")
    settings = Settings(cache_dir=tiny.settings.cache_dir)
    first = cache.build(PROGRAMS["amtool"], settings)
    assert "built alertmanager and amtool 2.0.0: " in capsys.readouterr().err
    assert cache.build(PROGRAMS["alertmanager"], settings) == first.with_name("alertmanager")
    assert capsys.readouterr().err == ""
