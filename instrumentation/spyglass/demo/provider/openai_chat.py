"""Speak OpenAI's chat completions: POST /v1/chat/completions."""

from __future__ import annotations

import json
from collections.abc import Iterator

from spyglass.demo.provider.model import Prompt, Tool, Usage
from spyglass.demo.provider.shape import JSON, Api, Event, Served, pieces, since_last_question, spoken


def read(body: JSON) -> Prompt:
    """Read a request."""
    messages = body.get("messages") or []
    tools = [tool["function"] for tool in body.get("tools") or [] if tool.get("type") == "function"]
    stream = bool(body.get("stream"))
    return Prompt(
        model=body["model"],
        text=spoken(messages),
        tools=tuple(Tool(tool["name"], tool.get("parameters") or {}) for tool in tools),
        called=tuple(_called(messages) or _written(messages, tools)),
        output_schema=((body.get("response_format") or {}).get("json_schema") or {}).get("schema"),
        stream=stream,
        reports_usage=not stream or bool((body.get("stream_options") or {}).get("include_usage")),
    )


def _called(messages: list[JSON]) -> list[str]:
    calls = [call for message in since_last_question(messages) for call in message.get("tool_calls") or []]
    return [call["function"]["name"] for call in calls]


def _written(messages: list[JSON], tools: list[JSON]) -> list[str]:
    """Return the tools that stand in texts of the assistant: some clients hand calls and results back as texts."""
    texts = [spoken(message.get("content")) for message in messages if message.get("role") == "assistant"]
    return [tool["name"] for tool in tools if any(tool["name"] in text for text in texts)]


def write(served: Served) -> JSON:
    """Write a whole answer."""
    message: JSON = {"role": "assistant", "content": served.answer.text or None, "refusal": None}
    if served.answer.tool_call:
        message["tool_calls"] = [_tool_call(served)]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish_reason(served)}
    return {**_head(served, "chat.completion"), "choices": [choice], "usage": usage(served.answer.usage)}


def stream(served: Served) -> Iterator[Event]:
    """Write an answer as chunks; the last one carries the usage where the client asked for it."""
    yield _chunk(served, {"role": "assistant", "content": None if served.answer.tool_call else ""})
    if served.answer.tool_call:
        yield _chunk(served, {"tool_calls": [{"index": 0, **_tool_call(served)}]}, weight=8)
    for word in pieces(served.answer.text):
        yield _chunk(served, {"content": word}, weight=1)
    yield _chunk(served, {}, finish_reason=_finish_reason(served))
    if served.prompt.reports_usage:
        yield Event({**_head(served, "chat.completion.chunk"), "choices": [], "usage": usage(served.answer.usage)})
    yield Event("[DONE]")


def error(kind: str, message: str) -> JSON:
    """Write an error."""
    return {"error": {"message": message, "type": kind, "param": None, "code": kind}}


def usage(counted: Usage) -> JSON:
    """Write token counts as chat completions spell them."""
    return {
        "prompt_tokens": counted.input_tokens,
        "completion_tokens": counted.output_tokens,
        "total_tokens": counted.input_tokens + counted.output_tokens,
        "prompt_tokens_details": {"cached_tokens": counted.cache_read_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": counted.reasoning_tokens, "audio_tokens": 0},
    }


def _head(served: Served, kind: str) -> JSON:
    return {"id": served.response_id, "object": kind, "created": served.created, "model": served.answer.model}


def _tool_call(served: Served) -> JSON:
    call = served.answer.tool_call
    assert call is not None  # noqa: S101 -- asked for only where there is one
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return {"id": f"call_{served.token}", "type": "function", "function": function}


def _finish_reason(served: Served) -> str:
    return "tool_calls" if served.answer.tool_call else "stop"


def _chunk(served: Served, delta: JSON, finish_reason: str | None = None, weight: int = 0) -> Event:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return Event({**_head(served, "chat.completion.chunk"), "choices": [choice]}, weight=weight)


API = Api("chat", "chatcmpl-", read, write, error, stream)
