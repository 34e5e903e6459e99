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


def text(value: str) -> str:
    """Return a text as a literal."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def any_of(path: str, values: Iterable[str]) -> str:
    """Return the condition that a path is one of these texts."""
    return " or ".join(f"{path} == {text(value)}" for value in values)
