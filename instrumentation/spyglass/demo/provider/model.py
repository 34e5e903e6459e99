"""Decide what the fake model answers: the same prompt always gets the same answer and the same token counts.

The model calls each offered tool once per question, in the order of offer, then at most one hand-off tool, then
answers in text. Counts follow the rules of real providers: input includes cached tokens, output includes reasoning.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What real providers answer with when asked for an undated name; other names come back as asked.
SNAPSHOTS = {
    "claude-haiku-4-5": "claude-haiku-4-5-20251001",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
}
REASONING_MODELS = ("gpt-5", "o3", "o4", "gemini-2.5", "gemini-3")
HANDOFF_PREFIX = "transfer_to_"
CHARACTERS_PER_TOKEN = 4
SENTENCES = (
    "The order left the warehouse this morning and arrives tomorrow before noon.",
    "Three sources agree, and the fourth gives no figure at all.",
    "It is sunny in Lisbon, with 21 degrees and a light wind from the sea.",
    "The invoice was paid twice, so one payment goes back within five days.",
    "Rainfall in the north was a fifth below the mean of the last ten years.",
    "The museum opens at nine, and the river walk begins at its back door.",
    "Two of the seven tests fail, both for want of a time zone.",
    "The report is ready, and its summary fits on one page.",
)
WORDS = ("Lisbon", "Oslo", "A-1042", "quarterly report", "solar panels", "invoice 77", "Kyoto", "order status")


@dataclass(frozen=True, slots=True)
class Tool:
    """Hold one offered tool: its name and the JSON schema of its arguments."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prompt:
    """Hold one request, read from whatever shape it came in.

    ``called`` names the tools called since the last question. ``reports_usage`` is false for a stream whose client
    did not ask for token counts. ``caches_writes`` is true for providers that bill writing to the cache. ``embeds`` is
    true where vectors are asked for, not words.
    """

    model: str
    text: str
    tools: tuple[Tool, ...] = ()
    called: tuple[str, ...] = ()
    output_schema: Mapping[str, Any] | None = None
    stream: bool = False
    reports_usage: bool = True
    caches_writes: bool = False
    embeds: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Count tokens: input includes cache reads and writes, output includes reasoning."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Hold the call of one tool."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what the model says: a text, or the call of a tool."""

    model: str
    text: str
    tool_call: ToolCall | None
    usage: Usage


def answer(prompt: Prompt) -> Answer:
    """Answer a prompt; a pure function of it."""
    if prompt.embeds:
        return Answer(prompt.model, "", None, Usage(tokens(prompt.text), 0))
    digest = zlib.crc32(f"{prompt.model}\n{prompt.text}".encode())
    tool = None if prompt.output_schema else _next_tool(prompt)
    call = ToolCall(tool.name, example({"type": "object", **tool.schema}, digest)) if tool else None
    text = "" if call else _text(prompt, digest)
    said = text if call is None else call.name + json.dumps(call.arguments)
    return Answer(SNAPSHOTS.get(prompt.model, prompt.model), text, call, _usage(prompt, said, digest))


def tokens(text: str) -> int:
    """Estimate the tokens of a text; at least 1."""
    return max(1, -(-len(text) // CHARACTERS_PER_TOKEN))


def example(schema: Mapping[str, Any], digest: int) -> Any:
    """Make up a value that fits a JSON schema (objects, arrays, enums, unions, references and plain types)."""
    return _example(schema, schema.get("$defs", {}), digest)


def _example(schema: Mapping[str, Any], definitions: Mapping[str, Any], digest: int) -> Any:
    if "$ref" in schema:
        return _example(definitions.get(schema["$ref"].rsplit("/", 1)[-1], {}), definitions, digest)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][digest % len(schema["enum"])]
    for union in ("anyOf", "oneOf", "allOf"):
        if schema.get(union):
            return _example(schema[union][0], definitions, digest)
    kind = schema.get("type", "string")
    return _typed(kind[0] if isinstance(kind, list) else kind, schema, definitions, digest)


def _typed(kind: str, schema: Mapping[str, Any], definitions: Mapping[str, Any], digest: int) -> Any:
    if kind == "object":
        properties = schema.get("properties", {})
        names = schema.get("required", list(properties))
        return {name: _example(properties[name], definitions, digest) for name in names if name in properties}
    if kind == "array":
        return [_example(schema.get("items", {}), definitions, digest)]
    plain = {"integer": digest % 9 + 1, "number": digest % 90 / 10 + 0.5, "boolean": digest % 2 == 0, "null": None}
    return plain.get(kind, WORDS[digest % len(WORDS)])


def _next_tool(prompt: Prompt) -> Tool | None:
    handoffs = [tool for tool in prompt.tools if tool.name.startswith(HANDOFF_PREFIX)]
    for tool in prompt.tools:
        if tool not in handoffs and tool.name not in prompt.called:
            return tool
    if not handoffs or any(tool.name in prompt.called for tool in handoffs):
        return None
    asked = prompt.text.lower()
    return next((tool for tool in handoffs if tool.name.removeprefix(HANDOFF_PREFIX) in asked), handoffs[0])


def _text(prompt: Prompt, digest: int) -> str:
    if prompt.output_schema:
        return json.dumps(example(prompt.output_schema, digest))
    count = digest % 4 + 1
    return " ".join(SENTENCES[(digest + number) % len(SENTENCES)] for number in range(count))


def _usage(prompt: Prompt, said: str, digest: int) -> Usage:
    offered = "".join(tool.name + json.dumps(tool.schema) for tool in prompt.tools)
    sent = tokens(prompt.text + offered) + 8
    warm = digest % 3 > 0
    reasoning = digest % 56 + 8 if prompt.model.startswith(REASONING_MODELS) else 0
    return Usage(
        input_tokens=sent,
        output_tokens=tokens(said) + reasoning,
        cache_read_tokens=sent // 2 if warm else 0,
        cache_write_tokens=sent // 4 if prompt.caches_writes and not warm else 0,
        reasoning_tokens=reasoning,
    )
