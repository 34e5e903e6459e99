"""Run the ``spyglass`` command: one module per command, imported only when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import sys
from importlib.metadata import version
from types import ModuleType

from spyglass.cli._commands import COMMANDS
from spyglass.errors import ExtraMissingError, SpyglassError

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 not understood, 130 interrupted."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        parsed = _parse(words)
        return int(parsed.run(parsed))
    except SpyglassError as error:
        print(f"spyglass: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # a reader such as head went away; Python would print a warning at exit
        return 0


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="spyglass", description="Watch a fleet of AI agents.")
    parser.add_argument("--version", action="version", version=f"spyglass {version('spyglass')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    asked = next((word for word in words if not word.startswith("-")), "")
    for name, sentence in COMMANDS.items():
        command = commands.add_parser(name, help=sentence, description=sentence)
        if name == asked:
            module = _module(name)
            module.configure(command)
            command.set_defaults(run=module.run)
    return parser.parse_args(words)


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"spyglass.cli.{name}")
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        if missing in ("spyglass", "None"):
            raise
        raise ExtraMissingError(missing, "stack") from None
