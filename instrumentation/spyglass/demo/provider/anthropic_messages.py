"""Speak Anthropic's messages: POST /v1/messages."""

from __future__ import annotations

import json
from collections.abc import Iterator

from spyglass.demo.provider.model import Prompt, Tool, Usage
from spyglass.demo.provider.shape import JSON, Api, Event, Served, pieces, since_last_question, spoken


def read(body: JSON) -> Prompt:
    """Read a request."""
    messages = body.get("messages") or []
    contents = [message.get("content") for message in since_last_question(messages)]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    tools = [tool for tool in body.get("tools") or [] if "input_schema" in tool]
    return Prompt(
        model=body["model"],
        text=spoken([{"system": body.get("system")}, *messages]),
        tools=tuple(Tool(tool["name"], tool["input_schema"]) for tool in tools),
        called=tuple(block["name"] for block in blocks if block.get("type") == "tool_use"),
        stream=bool(body.get("stream")),
        caches_writes=True,
    )


def write(served: Served) -> JSON:
    """Write a whole answer."""
    return {
        "id": served.response_id,
        "type": "message",
        "role": "assistant",
        "model": served.answer.model,
        "content": [_block(served)],
        "stop_reason": _stop_reason(served),
        "stop_sequence": None,
        "usage": usage(served.answer.usage),
    }


def stream(served: Served) -> Iterator[Event]:
    """Write an answer as the named events of the messages API; the last output count is the true one."""
    whole = write(served)
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
    yield _event("message_start", message=begun)
    yield from _block_events(_block(served))
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield _event("message_delta", delta=delta, usage={"output_tokens": whole["usage"]["output_tokens"]})
    yield _event("message_stop")


def error(kind: str, message: str) -> JSON:
    """Write an error."""
    return {"type": "error", "error": {"type": kind, "message": message}}


def usage(counted: Usage) -> JSON:
    """Write token counts as Anthropic spells them: input without what was read from or written to the cache."""
    return {
        "input_tokens": counted.input_tokens - counted.cache_read_tokens - counted.cache_write_tokens,
        "cache_creation_input_tokens": counted.cache_write_tokens,
        "cache_read_input_tokens": counted.cache_read_tokens,
        "output_tokens": counted.output_tokens,
        "service_tier": "standard",
    }


def _block(served: Served) -> JSON:
    call = served.answer.tool_call
    if call is None:
        return {"type": "text", "text": served.answer.text}
    return {"type": "tool_use", "id": f"toolu_{served.token}", "name": call.name, "input": dict(call.arguments)}


def _stop_reason(served: Served) -> str:
    return "tool_use" if served.answer.tool_call else "end_turn"


def _block_events(block: JSON) -> Iterator[Event]:
    if block["type"] == "text":
        yield _event("content_block_start", index=0, content_block={**block, "text": ""})
        for word in pieces(block["text"]):
            yield _event("content_block_delta", 1, index=0, delta={"type": "text_delta", "text": word})
    else:
        yield _event("content_block_start", index=0, content_block={**block, "input": {}})
        arguments = json.dumps(block["input"])
        yield _event("content_block_delta", 8, index=0, delta={"type": "input_json_delta", "partial_json": arguments})
    yield _event("content_block_stop", index=0)


def _event(name: str, weight: int = 0, **data: object) -> Event:
    return Event({"type": name, **data}, name, weight)


API = Api("messages", "msg_", read, write, error, stream)
