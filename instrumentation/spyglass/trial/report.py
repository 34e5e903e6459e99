"""Say what became of one library in a trial, in a form that passes from the trying process to the asking one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from opentelemetry.sdk.trace import ReadableSpan

from spyglass import names
from spyglass.dialects.tables import dialects
from spyglass.sdk.report import Outcome
from spyglass.trial.calls import PROMPT


@dataclass(frozen=True, slots=True)
class Trial:
    """Hold the outcome of instrumenting a library, and what a call through it left; None where none was made.

    ``error`` is what the import or the call raised; ``tried`` is false where the library has no call, or lacks a
    companion for it.
    """

    library: str
    outcome: Outcome | None
    by: str = ""
    detail: str = ""
    error: str = ""
    tried: bool = False
    spans: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    content: bool | None = None
    traced: bool | None = None

    def to_json(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read it from its line."""
        fields = json.loads(line)
        outcome = fields.pop("outcome")
        return cls(outcome=Outcome(outcome) if outcome else None, **fields)


def arrived(spans: Iterable[ReadableSpan]) -> dict[str, Any]:
    """Return what spans show of one call: how many there are, its tokens, and whether they have its text."""
    read = list(spans)
    attributes = [dict(span.attributes or {}) for span in read]
    events = [dict(event.attributes or {}) for span in read for event in span.events]
    return {
        "spans": len(read),
        "input_tokens": _most(attributes, "input_tokens", names.INPUT_TOKENS),
        "output_tokens": _most(attributes, "output_tokens", names.OUTPUT_TOKENS),
        "content": PROMPT in json.dumps([*attributes, *events], default=str),
    }


def _most(attributes: list[dict[str, Any]], concept: str, name: str) -> int | None:
    """Return the largest count of a concept on any span: an agent's repeats that of its one call."""
    keys = {name} | {row.source for dialect in dialects() for row in dialect.rows if row.concept == concept}
    found = [_whole(each, key) for each in attributes for key in keys]
    return max((number for number in found if number is not None), default=None)


def _whole(attributes: Mapping[str, Any], key: str) -> int | None:
    value = attributes.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
