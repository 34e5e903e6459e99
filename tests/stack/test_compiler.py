import contextlib
import hashlib
import os
import resource
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from spyglass.errors import ProgramError
from spyglass.settings import Settings
from spyglass.stack import compiler, programs
from tests.stack.conftest import GO_MOD, MAIN_GO, Tiny

USES_LIBRARY = MAIN_GO.replace('import "fmt"', 'import (\n\t"fmt"\n\n\t_ "example.com/library"\n)')
LIBRARY_SUM = "example.com/library v1.0.0 h1:{0}=\nexample.com/library v1.0.0/go.mod h1:{0}=\n".format("A" * 43)


@pytest.fixture
def needs_library(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tiny]:
    """Make the tiny module need another one, and leave Go's module cache empty."""
    (tiny.folder / "go.mod").write_text(GO_MOD + "\nrequire example.com/library v1.0.0\n")
    (tiny.folder / "go.sum").write_text(LIBRARY_SUM)
    (tiny.folder / "main.go").write_text(USES_LIBRARY)
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    yield tiny
    for path in (tmp_path / "modules").rglob("*"):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)  # Go writes its module cache read-only


def _failure(tiny: Tiny) -> ProgramError:
    with pytest.raises(ProgramError) as raised:
        programs.locate("pint", tiny.settings)
    assert "\n" not in str(raised.value)
    return raised.value


def test_without_a_network_the_modules_are_named(needs_library: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """When modules cannot be downloaded, the sentence says so and names the log with Go's own words."""
    monkeypatch.setenv("GOPROXY", "http://127.0.0.1:9")
    error = _failure(needs_library)
    assert "the Go modules it is built from cannot be downloaded" in error.problem
    assert "GOPROXY" in error.remedy
    (log,) = Path(needs_library.settings.cache_dir).rglob("*.log")
    assert str(log) in error.problem
    assert "connection refused" in log.read_text()


def test_a_changed_module_is_refused(needs_library: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module whose content is not what go.sum names is never built in."""
    versions = tmp_path / "proxy" / "example.com" / "library" / "@v"
    versions.mkdir(parents=True)
    (versions / "v1.0.0.info").write_text('{"Version": "v1.0.0"}')
    (versions / "v1.0.0.mod").write_text("module example.com/library\n")
    with zipfile.ZipFile(versions / "v1.0.0.zip", "w") as archive:
        archive.writestr("example.com/library@v1.0.0/go.mod", "module example.com/library\n")
        archive.writestr("example.com/library@v1.0.0/library.go", "package library\n")
    monkeypatch.setenv("GOPROXY", f"file://{tmp_path / 'proxy'}")
    error = _failure(needs_library)
    assert "its pinned module is broken" in error.problem
    assert hashlib.sha256().name not in error.problem


def test_a_damaged_go_mod_is_a_broken_module(tiny: Tiny) -> None:
    """A go.mod that Go cannot read is told as a broken module, not as a fault of the user's code."""
    (tiny.folder / "go.mod").write_text(GO_MOD + "\nrequre example.com/x v1.0.0\n")
    assert "its pinned module is broken" in _failure(tiny).problem


def test_code_that_does_not_compile(tiny: Tiny) -> None:
    """The first line that Go complains about is named, and the log that holds the rest."""
    (tiny.folder / "main.go").write_text(MAIN_GO.replace("Println", "Printline"))
    error = _failure(tiny)
    assert "pint: Go could not compile it (./main.go:5:19: undefined: fmt.Printline)." in error.problem
    (log,) = Path(tiny.settings.cache_dir).rglob("*.log")
    assert error.remedy == f"All that Go said is in {log}."


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Leave too little room for a program: a small file system where we may mount one, else a limit on files."""
    folder.mkdir()
    mounted = subprocess.run(
        [shutil.which("mount") or "/bin/false", "-t", "tmpfs", "-o", "size=200k", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode == 0:
        yield
        subprocess.run([str(shutil.which("umount")), folder], check=True)
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_named(tiny: Tiny, tmp_path: Path) -> None:
    """When there is no room for the program, the sentence says how much a build takes and where to put it instead."""
    with small_disk(tmp_path / "small"):
        error = _failure(tiny._replace(settings=Settings(cache_dir=str(tmp_path / "small"))))
    assert "there is no space left for the build" in error.problem
    assert "SPYGLASS_CACHE_DIR" in error.remedy


def test_a_limit_on_files_counts_as_a_full_disk(tiny: Tiny) -> None:
    """A quota or a limit on the size of files is told like a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        assert "there is no space left for the build" in _failure(tiny).problem
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_cache_that_is_a_file(tiny: Tiny, tmp_path: Path) -> None:
    """A cache folder that cannot be made is a sentence, not a stack trace."""
    (tmp_path / "file").write_text("")
    error = _failure(tiny._replace(settings=Settings(cache_dir=str(tmp_path / "file"))))
    assert "it cannot be built" in error.problem
    assert "Not a directory" in error.problem or "File exists" in error.problem


def test_a_read_only_cache() -> None:
    """A cache that may not be written is told with the setting that names another."""
    error = compiler.failure("pint", f"[Errno 13] {os.strerror(13)}: '/cache'", Path("/cache"))
    assert error.problem == "pint: the cache /cache cannot be written."
    assert "SPYGLASS_CACHE_DIR" in error.remedy


def test_progress_is_told(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    """A build tells its beginning and its end on stderr, with seconds and packages, and nothing on stdout."""
    programs.locate("pint", tiny.settings)
    told = capsys.readouterr()
    first, last = told.err.splitlines()
    assert first == "building pint 1.2.3"
    assert last.startswith("built pint 1.2.3: ")
    assert " s, packages compiled: " in last
    assert told.out == ""


def test_lines_of_go_are_counted() -> None:
    """Compiled packages and downloaded modules are told apart; complaints count as neither."""
    progress = compiler._Progress("x")
    for line in (
        "go: downloading a v1",
        "internal/abi\n",
        "example.com/a/b\n",
        "# example.com/a\n",
        "./main.go:1: bad x\n",
    ):
        progress.saw(line)
    assert (progress.downloaded, progress.compiled) == (1, 2)
