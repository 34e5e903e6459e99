"""Write pieces of OTTL, the language of the collector's transform processor.

https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/v0.157.0/pkg/ottl
"""

from __future__ import annotations

from collections.abc import Iterable

# One group: the condition that must be fulfilled (absent: always), and what is done.
Group = dict[str, object]


def attribute(key: str, of: str = "span") -> str:
    """Return the path of an attribute."""
    return f'{of}.attributes["{key}"]'


def group(context: str, condition: str, statements: Iterable[str]) -> Group:
    """Return a group of statements; without a condition it is for everything."""
    made: Group = {"context": context}
    if condition:
        made["conditions"] = [condition]
    return made | {"statements": list(statements)}


def put(key: str, value: str, condition: str = "") -> str:
    """Return the statement that sets an attribute of the span to an expression; where that is nil, nothing is set."""
    return f"set({attribute(key)}, {value})" + (f" where {condition}" if condition else "")


def text(value: str) -> str:
    """Return a text as a literal."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def absent(key: str) -> str:
    """Return the condition that the span lacks the attribute."""
    return f"{attribute(key)} == nil"


def any_of(path: str, values: Iterable[str]) -> str:
    """Return the condition that a path is one of these texts."""
    return " or ".join(f"{path} == {text(value)}" for value in values)


def both(*conditions: str) -> str:
    """Return the condition that all of these hold; empty ones always do."""
    return " and ".join(f"({one})" if " or " in one else one for one in conditions if one)
