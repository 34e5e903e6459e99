import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from spyglass import assets
from spyglass.errors import ProgramError
from spyglass.settings import ROWS, Settings
from spyglass.stack import cache, programs
from spyglass.stack.catalogue import PROGRAMS
from spyglass.stack.programs import Found, State
from tests.stack.conftest import Spyglass, Tiny


def _script(path: Path, prints: str, mode: int = 0o755) -> Path:
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(mode)
    return path


def test_every_program_has_a_setting_and_a_module() -> None:
    """Each program of the catalogue has a setting for its path and a pinned module with go.mod and go.sum."""
    for program in PROGRAMS.values():
        assert program.setting in ROWS
        for name in ("go.mod", "go.sum"):
            assert (assets.folder("deploy") / "go" / program.module.folder / name).is_file()


@pytest.mark.parametrize(
    ("name", "module", "version"),
    [
        ("prometheus", "github.com/prometheus/prometheus", "v0.314.0"),  # the module of Prometheus 3.14.0
        ("alertmanager", "github.com/prometheus/alertmanager", "v0.31.1"),
        ("process-compose", "github.com/f1bonacc1/process-compose", "v1.87.0"),
        ("pint", "github.com/cloudflare/pint", "v0.87.0"),
    ],
)
def test_versions_agree_with_the_pins(name: str, module: str, version: str) -> None:
    """The version that the catalogue names is the one that go.mod pins."""
    text = (cache.source_folder(PROGRAMS[name].module) / "go.mod").read_text()
    pins = re.findall(rf"^(?:require\s+|\t){re.escape(module)} (v\S+)", text, re.MULTILINE)
    assert pins == [version]
    assert PROGRAMS[name].module.version.replace("3.14", "0.314") == version.removeprefix("v")


def test_a_configured_path_comes_first(tmp_path: Path, tiny: Tiny) -> None:
    """The setting counts more than PATH and the cache, whatever version it is of."""
    path = _script(tmp_path / "mine", "tiny version 9.9.9")
    found = programs.find("pint", Settings(pint=str(path), cache_dir=tiny.settings.cache_dir))
    assert found == Found("pint", "9.9.9", State.CONFIGURED, path)


@pytest.mark.parametrize(("mode", "said"), [(None, "does not exist"), (0o644, "is not executable")])
def test_a_configured_path_must_be_a_program(tmp_path: Path, mode: int | None, said: str) -> None:
    """A wrong configured path is an error that names the setting, and never replaced by another program."""
    path = tmp_path / "mine"
    if mode:
        _script(path, "", mode)
    with pytest.raises(ProgramError, match=f"pint: SPYGLASS_PINT names {path}, which {said}"):
        programs.locate("pint", Settings(pint=str(path)))


@pytest.mark.parametrize(
    ("prints", "state"),
    [
        ("tiny, version 1.2.9 (branch: x)", State.ON_PATH),
        ("v1.2.0", State.ON_PATH),
        ("tiny, version 1.3.0", State.TO_BUILD),
        ("tiny, version (branch: , revision: unknown)\n  go version: go1.2.3", State.TO_BUILD),
        ("hello", State.TO_BUILD),
    ],
)
def test_a_program_on_path_counts_at_an_accepted_version(
    tiny: Tiny, no_go_on_path: Path, prints: str, state: State
) -> None:
    """On PATH, any patch of the pinned minor version will do; other versions and strangers are passed over."""
    _script(no_go_on_path / "tiny-of-spyglass", prints)
    assert programs.find("pint", tiny.settings).state is state


def test_what_is_nowhere_is_built_once(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    """A program is built at its first use, runs, and is found in the cache from then on."""
    assert programs.find("pint", tiny.settings) == Found("pint", "1.2.3", State.TO_BUILD, None)
    path = programs.locate("pint", tiny.settings)
    assert subprocess.check_output([path], text=True) == "tiny version 1.2.3\n"
    assert "built pint 1.2.3: " in capsys.readouterr().err
    assert programs.locate("pint", tiny.settings) == path
    assert programs.find("pint", tiny.settings) == Found("pint", "1.2.3", State.CACHED, path)
    assert capsys.readouterr().err == ""


def test_an_unknown_name_is_told_the_known_ones() -> None:
    """A name that is no program is refused with the list of programs."""
    with pytest.raises(ProgramError, match=r"grafana: the stack has no such program\. It has alertmanager, amtool, "):
        programs.locate("grafana", Settings())


def test_the_list_as_json(spyglass: Spyglass, tmp_path: Path) -> None:
    """Programs list --json prints name, version, state and path of each, one object a line."""
    environ = {f"SPYGLASS_{program.setting.upper()}": None for program in PROGRAMS.values()}
    mine = shutil.which("true")
    done = spyglass(
        "programs", "list", "--json", environ=environ | {"SPYGLASS_CACHE_DIR": str(tmp_path), "SPYGLASS_TEMPO": mine}
    )
    rows = {row["name"]: row for row in map(json.loads, done.out.splitlines())}
    assert done.code == 0
    assert set(rows) == set(PROGRAMS)
    assert (rows["tempo"]["state"], rows["tempo"]["path"]) == ("configured", mine)
    assert rows["pint"] == {"name": "pint", "version": "0.87.0", "state": "to build", "path": None}


def test_a_wrong_name_is_told_before_anything_is_built(spyglass: Spyglass, tmp_path: Path) -> None:
    """Programs build refuses a mistyped name at once, although the first name would have to be built."""
    environ = {"SPYGLASS_CACHE_DIR": str(tmp_path), "SPYGLASS_TEMPO": None}
    done = spyglass("programs", "build", "tempo", "promtol", environ=environ)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("spyglass: promtol: the stack has no such program.")
