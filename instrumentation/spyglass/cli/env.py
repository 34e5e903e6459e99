"""Print what a program in any language needs in its environment to send to this stack, or run one with it."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from spyglass.cli._environment import FORMATS
from spyglass.cli.run import become
from spyglass.errors import InputFileError, SettingError, UsageError
from spyglass.names import CONTEXT_FIELDS, Content
from spyglass.sdk.environment import HEADERS_PREFIX, HEADERS_VARIABLE, variables
from spyglass.settings import Settings, load, variable

_DESCRIPTION = """The variables are OpenTelemetry's, Claude Code's and those of the instrumentors with their own
switch for texts. They follow the settings; a trace (TRACEPARENT) in which this command runs is handed on, but for
dotenv and Kubernetes, whose files outlive it. A token is never printed: the shell reads its file, Kubernetes its
Secret."""
_EXAMPLES = """examples:
  eval "$(spyglass env --service shop)"
  spyglass env --service shop -- node agent.js
  spyglass env --format kubernetes --endpoint http://collector.observability:4318
"""
_SHELL, _KUBERNETES, _JSON = "shell", "kubernetes", "json"
_LASTING = ("dotenv", _KUBERNETES)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = f"{parser.description}\n\n{_DESCRIPTION}"
    parser.epilog = _EXAMPLES
    parser.add_argument("--format", choices=list(FORMATS), help="who reads it (default: shell)")
    parser.add_argument("--service", metavar="NAME", help="name of the service")
    parser.add_argument(
        "--content", choices=[str(mode) for mode in Content], help="what of prompts and outputs is kept"
    )
    parser.add_argument("--endpoint", metavar="URL", help="OTLP/HTTP address of the collector")
    parser.add_argument(
        "program", nargs=argparse.REMAINDER, metavar="-- program …", help="run this instead of printing"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the variables, or become the program."""
    settings = _settings(arguments)
    wanted = variables(settings, os.environ)
    program = arguments.program[1:] if arguments.program[:1] == ["--"] else arguments.program
    if program:
        if arguments.format:
            raise UsageError("--format says how variables are printed, and a program gets them.", "Leave one out.")
        become(*_prepared(program, settings, wanted))
    _print(arguments.format or _SHELL, settings, wanted)
    return 0


def _settings(arguments: argparse.Namespace) -> Settings:
    """Return the settings; the options of this command go before them."""
    given: dict[str, Any] = {name: getattr(arguments, name) for name in ("service", "content", "endpoint")}
    settings = replace(load().settings, **{name: value for name, value in given.items() if value is not None})
    endpoint = urlsplit(settings.endpoint)
    if endpoint.scheme not in ("http", "https") or not endpoint.hostname:
        raise SettingError(variable("endpoint"), f"{settings.endpoint!r} is no http:// or https:// address.")
    return settings


def _print(form: str, settings: Settings, wanted: Mapping[str, str]) -> None:
    if form in _LASTING:
        wanted = {name: value for name, value in wanted.items() if name.lower() not in CONTEXT_FIELDS}
    token_file = str(Path(settings.token_file).absolute()) if settings.token_file else ""
    for name, value in wanted.items():
        if "\0" in value:
            raise UsageError(f"{name} holds a NUL, which no environment can.")
    print("\n".join(FORMATS[form](wanted, token_file)))
    if form == _JSON and token_file:
        _say(f"{HEADERS_VARIABLE} is left out, for it holds the token of {token_file}.")
    if form == _KUBERNETES and urlsplit(settings.endpoint).hostname in _LOOPBACK:
        _say(f"{settings.endpoint} is the pod itself; name the collector's service with --endpoint.")


def _say(sentence: str) -> None:
    print(f"spyglass: {sentence}", file=sys.stderr)


def _prepared(program: list[str], settings: Settings, wanted: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return the words to execute and their environment, which holds the token."""
    found = shutil.which(program[0])
    if found is None:
        raise UsageError(f"There is no command {program[0]}.", "Is it installed, and on the PATH?")
    environment = {**os.environ, **wanted}
    if settings.token_file:
        environment[HEADERS_VARIABLE] = HEADERS_PREFIX + quote(_token(settings.token_file), safe="+/=~")
    return [found, *program[1:]], environment


def _token(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InputFileError(path, f"{error.strerror}.", "Mend SPYGLASS_TOKEN_FILE.") from None
    except UnicodeDecodeError:
        raise InputFileError(path, "no text.", "Mend SPYGLASS_TOKEN_FILE.") from None
