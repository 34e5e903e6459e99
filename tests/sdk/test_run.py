"""spyglass run: everything on without a change of code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.receiver import Receiver

SCRIPTS = Path(__file__).parent / "scripts"
PROGRAM = str(SCRIPTS / "program.py")


def run(
    *words: str, receiver: Receiver | None = None, env: dict[str, str] | None = None, **more: Any
) -> subprocess.CompletedProcess[str]:
    """Run ``spyglass run`` with these words."""
    environment = {**os.environ, "SPYGLASS_PROBES": "none", "SPYGLASS_INSTRUMENT": "none", **(env or {})}
    if receiver is not None:
        environment["SPYGLASS_ENDPOINT"] = receiver.endpoint
    return subprocess.run(
        [sys.executable, "-m", "spyglass", "run", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **more,
    )


def test_a_script_runs_with_everything_on(receiver: Receiver) -> None:
    """The program sees its own arguments and standard input; its telemetry arrives under its own name."""
    done = run(PROGRAM, "--stdin", "-v", "--service", "mine", receiver=receiver, input="typed")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["argv"] == ["--stdin", "-v", "--service", "mine"]
    assert (seen["name"], seen["on"], seen["stdin"]) == ("__main__", True, "typed")
    assert [log["body"] for log in receiver.logs()] == ["at work"]
    assert [log["scope"] for log in receiver.logs()] == ["program"]


def test_the_service_is_named_after_the_program_unless_it_is_given(receiver: Receiver) -> None:
    """--service comes first, then what the environment says, then the program's name."""
    program = "import spyglass; spyglass.tool('t')(lambda: None)()"
    run("--service", "given", "--", sys.executable, "-c", program, receiver=receiver)
    run(sys.executable, "-c", program, receiver=receiver, env={"OTEL_SERVICE_NAME": "otel"})
    run(sys.executable, "-c", program, receiver=receiver, env={"SPYGLASS_SERVICE": "set"})
    run(sys.executable, "-c", program, receiver=receiver)
    assert [span["resource"]["service.name"] for span in receiver.spans()] == [
        "given",
        "otel",
        "set",
        Path(sys.executable).name,
    ]


def test_exit_codes_and_signals_are_the_programs_own() -> None:
    """What the program ends with is what spyglass run ends with."""
    assert run(PROGRAM, "--fail").returncode == 7
    assert run(PROGRAM, "--kill").returncode == -signal.SIGTERM


def test_modules_and_commands_run_too(receiver: Receiver) -> None:
    """-m runs a module with its arguments; a command of the PATH runs as it is."""
    done = run("-m", "scripts.program", "a", "--b", receiver=receiver, cwd=SCRIPTS.parent)
    assert json.loads(done.stdout)["argv"] == ["a", "--b"], done.stderr
    assert json.loads(done.stdout)["on"] is True
    done = run("--content", "full", "printenv", "SPYGLASS_CONTENT", receiver=receiver)
    assert done.stdout == "full\n"


def test_child_processes_inherit(receiver: Receiver) -> None:
    """A Python that the program starts is watched as well."""
    done = run(PROGRAM, "--child", receiver=receiver)
    child, parent = (json.loads(line) for line in done.stdout.splitlines())
    assert (child["argv"], child["on"], parent["on"]) == (["deeper"], True, True)
    assert [log["body"] for log in receiver.logs()] == ["at work", "at work"]


def test_an_existing_sitecustomize_and_path_stay(tmp_path: Path) -> None:
    """The sitecustomize and PYTHONPATH that were there before still work."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.custom_site = 'mine'\n")
    done = run(PROGRAM, env={"PYTHONPATH": f"{tmp_path}{os.pathsep}/nowhere/at/all"})
    seen = json.loads(done.stdout)
    assert (seen["custom"], seen["extra"], seen["on"]) == ("mine", True, True)


def test_a_python_without_spyglass_is_left_in_peace(tmp_path: Path) -> None:
    """A child Python in whose environment spyglass is missing runs as ever, silently."""
    bootstrap = Path(sys.modules["spyglass"].__file__ or "").parent / "sdk" / "bootstrap"
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import sitecustomize; print('fine')"],
        env={"PYTHONPATH": str(bootstrap), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("fine\n", "")


def test_the_programs_own_init_counts(receiver: Receiver) -> None:
    """A program that calls init() itself keeps what it says there, without a warning."""
    program = "import spyglass; spyglass.init(environment='prod', demo=True); spyglass.tool('t')(lambda: None)()"
    done = run(sys.executable, "-c", program, receiver=receiver)
    assert done.stderr == ""
    assert receiver.spans()[0]["resource"]["deployment.environment.name"] == "prod"


def test_workers_get_what_the_program_said_in_init(receiver: Receiver) -> None:
    """A worker that Python starts anew goes by the program's init(), not by the environment it was started with."""
    done = run(str(SCRIPTS / "pools.py"), receiver.endpoint, "spawn", "executor")
    assert done.returncode == 0, done.stderr
    assert [span["name"] for span in receiver.spans()].count("execute_tool square") == 4


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "There is no program to run."),
        (["--"], "There is no program to run."),
        (["missing.py"], "There is no file missing.py."),
        (["no-such-command"], "There is no file and no command no-such-command."),
    ],
)
def test_a_missing_program_is_one_sentence(words: list[str], sentence: str) -> None:
    """What cannot be run is said in one sentence, with exit code 2."""
    done = run(*words)
    assert done.returncode == 2
    assert done.stderr.startswith(f"spyglass: {sentence}")
    assert done.stderr.count("\n") == 1


def test_a_missing_module_is_pythons_own_sentence() -> None:
    """-m with no such module ends as Python ends."""
    done = run("-m", "no_such_module")
    assert done.returncode == 1
    assert "No module named no_such_module" in done.stderr
