"""Run a Python program with telemetry on."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from spyglass.errors import UsageError
from spyglass.names import Content
from spyglass.settings import OTEL_ALIASES, variable

_BOOTSTRAP = Path(__file__).parents[1] / "sdk" / "bootstrap"
_EXAMPLES = """examples:
  spyglass run app.py --verbose
  spyglass run --service shop -m shop.agents
  spyglass run --content full -- uvicorn shop:app
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EXAMPLES
    parser.add_argument("--service", metavar="NAME", help="name of the service (else the program's name)")
    parser.add_argument(
        "--content", choices=[str(mode) for mode in Content], help="what of prompts and outputs is kept"
    )
    parser.add_argument("-m", dest="module", metavar="MODULE", nargs=argparse.REMAINDER, help="run a module")
    parser.add_argument(
        "program", nargs=argparse.REMAINDER, metavar="program …", help="a Python file or a command, and its arguments"
    )


def run(arguments: argparse.Namespace) -> NoReturn:
    """Become the program: its exit code, its signals and its standard streams are its own."""
    command, name = _command(arguments.module, arguments.program)
    environment = _environment(os.environ, name, arguments.service, arguments.content)
    sys.stdout.flush()
    become(command, environment)


def become(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Turn this process into the program; ``command`` begins with a path. Raises UsageError where it cannot be run."""
    if os.name == "nt":  # there, exec starts a child and leaves
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)
    try:
        os.execve(command[0], command, environment)  # noqa: S606 -- to become the user's program is this command's purpose
    except OSError as error:
        raise UsageError(f"{command[0]} cannot be run: {error.strerror}.") from None


def _command(module: list[str] | None, program: list[str]) -> tuple[list[str], str]:
    """Return the words to execute and the program's name."""
    if module:
        return [sys.executable, "-m", *module], module[0].rpartition(".")[2]
    words = program[1:] if program[:1] == ["--"] else program
    if not words:
        raise UsageError("There is no program to run.", "Try: spyglass run app.py, or spyglass run -m package.module.")
    file = Path(words[0])
    if file.suffix == ".py" or (file.is_dir() and (file / "__main__.py").is_file()):
        if not file.exists():
            raise UsageError(f"There is no file {words[0]}.")
        return [sys.executable, *words], file.stem
    found = shutil.which(words[0])
    if found is not None:
        return [found, *words[1:]], file.name
    if file.is_file():
        return [sys.executable, *words], file.stem
    raise UsageError(f"There is no file and no command {words[0]}.", "Is it installed in this environment?")


def _environment(base: Mapping[str, str], name: str, service: str | None, content: str | None) -> dict[str, str]:
    environment = dict(base)
    path = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = f"{_BOOTSTRAP}{os.pathsep}{path}" if path else str(_BOOTSTRAP)
    if service:
        environment[variable("service")] = service
    elif not environment.get(OTEL_ALIASES["service"]):
        environment.setdefault(variable("service"), name)
    if content:
        environment[variable("content")] = content
    return environment
