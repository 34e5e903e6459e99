"""Translate the conditions of the tables to OTTL.

A condition is alternatives (`` or ``) of terms (`` & ``). A term is a key (present), ``!key`` (absent), or a key, a
comparison and values separated by ``|``: ``=`` is one of, ``!=`` is none of, ``^=`` begins with, ``$=`` ends with,
``==`` equals what another key holds. Numbers, true and false stand for themselves, everything else is text. A key is an
attribute, a place in a JSON attribute (``key>inner``), or ``@span.name``, ``@scope.name``; ``@root`` and ``@failed``
are conditions of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from spyglass.dialects.ottl import attribute, both, text

PATHS = {"@span.name": "span.name", "@scope.name": "scope.name"}
WORDS = {"@root": "IsRootSpan()", "@failed": "span.status.code == STATUS_CODE_ERROR"}
TERM = re.compile(r"(?P<key>@?[^=!^$]+?)(?P<how>==|!=|\^=|\$=|=)(?P<values>.+)")
LITERAL = re.compile(r"\d+|true|false")


def ottl(condition: str) -> str:
    """Return the condition in OTTL; empty stays empty."""
    alternatives = [both(*(_term(term) for term in part.split(" & "))) for part in condition.split(" or ") if part]
    return " or ".join(alternatives)


def path(source: str) -> str:
    """Return the OTTL path of an attribute, of a place in a parsed JSON attribute, or of a part of the span."""
    if source in PATHS:
        return PATHS[source]
    key, *inner = source.split(">")
    if not inner:
        return attribute(key)
    return f'span.cache["{key}"]' + "".join(f"[{part}]" if part.isdecimal() else f'["{part}"]' for part in inner)


def _term(term: str) -> str:
    term = term.lstrip()
    if term.removeprefix("!") in WORDS:
        word = WORDS[term.removeprefix("!")]
        return f"not ({word})" if term.startswith("!") else word
    if term.startswith("!"):
        return f"{path(term[1:])} == nil"
    found = TERM.fullmatch(term)
    if not found:
        return f"{path(term)} != nil"
    return COMPARISONS[found["how"]](path(found["key"]), found["values"])


def _is(place: str, values: str) -> str:
    return " or ".join(f"{place} == {_literal(value)}" for value in values.split("|"))


def _is_not(place: str, values: str) -> str:
    return " and ".join(f"{place} != {_literal(value)}" for value in values.split("|"))


def _begins(place: str, values: str) -> str:
    return " or ".join(f"HasPrefix({place}, {text(value)})" for value in values.split("|"))


def _ends(place: str, values: str) -> str:
    return " or ".join(f"HasSuffix({place}, {text(value)})" for value in values.split("|"))


def _equals(place: str, other: str) -> str:
    return f"{place} == {path(other)}"


def _literal(value: str) -> str:
    return value if LITERAL.fullmatch(value) else text(value)


COMPARISONS: dict[str, Callable[[str, str], str]] = {
    "=": _is,
    "!=": _is_not,
    "^=": _begins,
    "$=": _ends,
    "==": _equals,
}
