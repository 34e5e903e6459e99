"""Write environment variables as a shell, dotenv, Kubernetes and JSON read them; a token is referenced, never shown."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping

from spyglass.errors import UsageError
from spyglass.sdk.environment import HEADERS_PREFIX, HEADERS_VARIABLE, rows

_SECRET = "spyglass"  # noqa: S105 -- the name of a Secret of Kubernetes
_TOKEN_VARIABLE = "COLLECTOR_TOKEN"  # noqa: S105 -- a name
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:%=,@+-")
_ASCII = range(0x20, 0x7F)


def shell(variables: Mapping[str, str], token_file: str) -> Iterator[str]:
    """Yield statements for ``eval "$(spyglass env)"`` in any POSIX shell."""
    for name, value in variables.items():
        yield f"export {name}={shlex.quote(value)}"
    if token_file:
        yield f'export {HEADERS_VARIABLE}="{HEADERS_PREFIX}$(cat {shlex.quote(token_file)})"'


def dotenv(variables: Mapping[str, str], token_file: str) -> Iterator[str]:
    """Yield lines of a .env file as python-dotenv reads them; raises UsageError for what none can escape."""
    for name, value in variables.items():
        if "${" in value or "\r" in value:
            problem = f"A dotenv file cannot hold {name}={value!r}, of which readers replace a part."
            raise UsageError(problem, "Use the format shell or json.")
        yield from _note(name)
        yield f"{name}={value if value and _PLAIN.issuperset(value) else _quoted(value)}"
    if token_file:
        line = (
            f"printf '{HEADERS_VARIABLE}={HEADERS_PREFIX.replace('%', '%%')}%s\\n' \"$(cat {shlex.quote(token_file)})\""
        )
        yield f"# The token is not written here; to add it: {line} >> .env"


def kubernetes(variables: Mapping[str, str], token_file: str) -> Iterator[str]:
    """Yield the ``env`` of a container; a token comes from the key ``token`` of the Secret ``spyglass``."""
    local = {row.variable for row in rows() if row.when == "token_file"}  # they name a file of this machine
    yield "env:"
    for name, value in variables.items():
        if name in local:
            continue
        yield from (f"  {line}" for line in _note(name))
        yield from (f"  - name: {_yaml(name)}", f"    value: {_yaml(value.replace('$', '$$'))}")
    if token_file:
        yield f"  # kubectl create secret generic {_SECRET} --from-file=token=FILE"
        yield from (f"  - name: {_TOKEN_VARIABLE}", "    valueFrom:", "      secretKeyRef:")
        yield from (f"        name: {_SECRET}", "        key: token")
        yield from (f"  - name: {HEADERS_VARIABLE}", f"    value: {_yaml(f'{HEADERS_PREFIX}$({_TOKEN_VARIABLE})')}")


def in_json(variables: Mapping[str, str], token_file: str) -> Iterator[str]:  # noqa: ARG001 -- as the others
    """Yield one JSON object of texts; a token is not in it."""
    yield json.dumps(variables, indent=2)


FORMATS: dict[str, Callable[[Mapping[str, str], str], Iterator[str]]] = {
    "shell": shell,
    "dotenv": dotenv,
    "kubernetes": kubernetes,
    "json": in_json,
}


def _note(name: str) -> Iterator[str]:
    yield from (f"# {row.note}" for row in rows() if row.variable == name and row.note)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _yaml(text: str) -> str:
    """Return a double-quoted scalar of YAML, in which everything beyond printable ASCII is escaped."""
    return '"' + "".join(_escaped(letter) for letter in text) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if ord(letter) in _ASCII else f"\\U{ord(letter):08x}"
