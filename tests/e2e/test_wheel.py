"""What pip installs, without the checkout: the light package for agents, and the whole stack."""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from spyglass.assets import FOLDERS
from spyglass.stack.local import free_offset

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

CHECKOUT = Path(__file__).parents[2]
# What an agent's process may get, with what these packages need in turn.
LIGHT = {"opentelemetry", "psutil", "nvidia", "requests", "protobuf", "googleapis", "typing"}
OF_REQUESTS = {"certifi", "charset", "idna", "urllib3"}
OF_OPENTELEMETRY = {"importlib", "zipp"}
OF_REGISTRY = {"packaging"}  # compares versions of libraries with ranges; it needs nothing in turn


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and the wheel from the sdist as pip would; returns the wheel's path."""
    folder = tmp_path_factory.mktemp("dist")
    _run([_tool("uv"), "build", "--quiet", "--out-dir", str(folder), str(CHECKOUT)])
    (wheel,) = folder.glob("*.whl")
    return wheel


def _tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _run(words: list[str], environment: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    made = subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert made.returncode == 0, f"{words} ended with {made.returncode}:\n{made.stdout}\n{made.stderr}"
    return made.stdout


def _install(folder: Path, what: str) -> Path:
    """Make an empty environment with this in it; returns its folder of programs."""
    _run([_tool("uv"), "venv", "--quiet", "--python", sys.executable, str(folder)])
    lock = str(CHECKOUT / "requirements.lock")
    python = str(folder / "bin" / "python")
    _run([_tool("uv"), "pip", "install", "--quiet", "--python", python, "--constraint", lock, what])
    return folder / "bin"


def _elsewhere(**settings: str) -> dict[str, str]:
    """Return an environment that knows nothing of the checkout, but where built programs are."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return inherited | settings


def test_wheel_and_sdist_hold_all_folders(built: Path) -> None:
    """Every file of the as-code folders is in the wheel and in the sdist."""
    tracked = _run(["git", "-C", str(CHECKOUT), "ls-files", *FOLDERS]).split()
    with zipfile.ZipFile(built) as wheel:
        in_wheel = set(wheel.namelist())
    with tarfile.open(next(built.parent.glob("*.tar.gz"))) as sdist:
        in_sdist = {name.partition("/")[2] for name in sdist.getnames()}
    assert len(tracked) > 50
    assert {name for name in tracked if f"spyglass/_assets/{name}" not in in_wheel} == set()
    assert {name for name in tracked if name not in in_sdist} == set()


def test_the_package_for_agents_is_light(built: Path, tmp_path: Path) -> None:
    """Without extras only OpenTelemetry, psutil, NVML's binding and packaging come along, and `up` names its extra."""
    programs = _install(tmp_path / "light", str(built))
    listed = _run([_tool("uv"), "pip", "list", "--format", "json", "--python", str(programs / "python")])
    found = {package["name"].split("-")[0].split("_")[0] for package in json.loads(listed)}
    assert found <= {"spyglass", *LIGHT, *OF_REQUESTS, *OF_OPENTELEMETRY, *OF_REGISTRY}
    _run([str(programs / "python"), "-c", "import spyglass; spyglass.init(service='a'); spyglass.shutdown()"])
    refused = subprocess.run(
        [programs / "spyglass", "up"], env=_elsewhere(), capture_output=True, text=True, check=False
    )
    assert refused.returncode != 0
    assert "spyglass[stack]" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.fixture
def whole(built: Path, tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Install everything in an empty environment, with ports and a data directory of its own."""
    programs = _install(tmp_path / "whole", f"{built}[all]")
    with free_offset() as offset, tempfile.TemporaryDirectory(prefix="spyglass-") as data:
        Path(data).chmod(0o755)  # started by root, the engine runs as nobody
        environment = _elsewhere(SPYGLASS_DATA_DIR=data, SPYGLASS_PORT_OFFSET=str(offset))
        yield programs, environment
        subprocess.run([programs / "spyglass", "down"], env=environment, capture_output=True, check=False)


def test_the_wheel_runs_the_stack(whole: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    """From the wheel alone `up`, `demo` and `down` work, and what is generated is as its source says."""
    programs, environment = whole

    def spyglass(*words: str) -> str:
        return _run([str(programs / "spyglass"), *words], environment, tmp_path)

    spyglass("dashboards", "check")
    spyglass("normalise", "check")
    spyglass("up", "--detach")
    summary = json.loads(spyglass("demo", "--seconds", "20", "--json", "--report", "report.html"))
    assert summary["missing"] == []
    assert summary["spans"]["stored"] == summary["spans"]["expected"] > 100
    assert (tmp_path / "report.html").stat().st_size > 10_000
    spyglass("down")
    status = subprocess.run(
        [programs / "spyglass", "status"], env=environment, capture_output=True, text=True, check=False
    )
    assert "No stack runs" in status.stderr
