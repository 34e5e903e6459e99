"""Speak OpenAI's responses: POST /v1/responses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from spyglass.demo.provider import openai_chat
from spyglass.demo.provider.model import Prompt, Tool, Usage
from spyglass.demo.provider.shape import JSON, Api, Event, Served, pieces, since_last_question, spoken


def read(body: JSON) -> Prompt:
    """Read a request; its input is a text or a list of items."""
    items = body.get("input") if isinstance(body.get("input"), list) else []
    calls = [item for item in since_last_question(items or []) if item.get("type") == "function_call"]
    tools = [tool for tool in body.get("tools") or [] if tool.get("type") == "function"]
    return Prompt(
        model=body["model"],
        text=spoken({"instructions": body.get("instructions"), "input": body.get("input")}),
        tools=tuple(Tool(tool["name"], tool.get("parameters") or {}) for tool in tools),
        called=tuple(call["name"] for call in calls),
        output_schema=((body.get("text") or {}).get("format") or {}).get("schema"),
        stream=bool(body.get("stream")),
    )


def write(served: Served) -> JSON:
    """Write a whole answer."""
    return {
        "id": served.response_id,
        "object": "response",
        "created_at": served.created,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": served.answer.model,
        "output": [_item(served)],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage(served.answer.usage),
    }


def stream(served: Served) -> Iterator[Event]:
    """Write an answer as the numbered events of the responses API."""
    whole = write(served)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    events: list[tuple[str, JSON, int]] = [("response.created", {"response": begun}, 0)]
    events += _tool_events(served) if served.answer.tool_call else _text_events(served)
    events.append(("response.output_item.done", {"output_index": 0, "item": _item(served)}, 0))
    events.append(("response.completed", {"response": whole}, 0))
    for number, (name, data, weight) in enumerate(events):
        yield Event({"type": name, "sequence_number": number, **data}, name, weight)


def usage(counted: Usage) -> JSON:
    """Write token counts as the responses API spells them."""
    return {
        "input_tokens": counted.input_tokens,
        "input_tokens_details": {"cached_tokens": counted.cache_read_tokens},
        "output_tokens": counted.output_tokens,
        "output_tokens_details": {"reasoning_tokens": counted.reasoning_tokens},
        "total_tokens": counted.input_tokens + counted.output_tokens,
    }


def _item(served: Served) -> JSON:
    call = served.answer.tool_call
    if call is None:
        part = {"type": "output_text", "text": served.answer.text, "annotations": [], "logprobs": []}
        head = {"type": "message", "id": f"msg_{served.token}", "role": "assistant", "status": "completed"}
        return {**head, "content": [part]}
    return {
        "type": "function_call",
        "id": f"fc_{served.token}",
        "call_id": f"call_{served.token}",
        "name": call.name,
        "arguments": json.dumps(call.arguments),
        "status": "completed",
    }


def _tool_events(served: Served) -> list[tuple[str, JSON, int]]:
    item = _item(served)
    place: dict[str, Any] = {"item_id": item["id"], "output_index": 0}
    begun = {**item, "arguments": "", "status": "in_progress"}
    return [
        ("response.output_item.added", {"output_index": 0, "item": begun}, 0),
        ("response.function_call_arguments.delta", {**place, "delta": item["arguments"]}, 8),
        ("response.function_call_arguments.done", {**place, "arguments": item["arguments"], "name": item["name"]}, 0),
    ]


def _text_events(served: Served) -> list[tuple[str, JSON, int]]:
    item = _item(served)
    part = item["content"][0]
    place: dict[str, Any] = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    begun = {**item, "content": [], "status": "in_progress"}
    words = pieces(part["text"])
    return [
        ("response.output_item.added", {"output_index": 0, "item": begun}, 0),
        ("response.content_part.added", {**place, "part": {**part, "text": ""}}, 0),
        *(("response.output_text.delta", {**place, "delta": word, "logprobs": []}, 1) for word in words),
        ("response.output_text.done", {**place, "text": part["text"], "logprobs": []}, 0),
        ("response.content_part.done", {**place, "part": part}, 0),
    ]


API = Api("responses", "resp_", read, write, openai_chat.error, stream)
