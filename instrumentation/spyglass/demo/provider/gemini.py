"""Speak Google's Gemini: POST /v1beta/models/MODEL:generateContent, and :streamGenerateContent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from spyglass.demo.provider.model import Prompt, Tool, Usage
from spyglass.demo.provider.shape import JSON, Api, Event, Served, pieces, since_last_question, spoken

# A request names its model, and whether it wants a stream, in its path.
_PATH = re.compile(r"/v1(?:beta)?/models/(?P<model>[^/:]+):(?P<method>generateContent|streamGenerateContent)")
_STATUS = {"rate_limit_error": "RESOURCE_EXHAUSTED", "api_error": "INTERNAL"}
_CODES = {
    "RESOURCE_EXHAUSTED": HTTPStatus.TOO_MANY_REQUESTS,
    "INTERNAL": HTTPStatus.INTERNAL_SERVER_ERROR,
    "INVALID_ARGUMENT": HTTPStatus.BAD_REQUEST,
}


def in_path(path: str) -> JSON | None:
    """Return what a path says of its request: ``model`` and ``stream``; None where it is no path of this API."""
    found = _PATH.fullmatch(path)
    return found and {"model": found["model"], "stream": found["method"] == "streamGenerateContent"}


def read(body: JSON) -> Prompt:
    """Read a request, which holds what its path says too."""
    messages = [_message(content) for content in body.get("contents") or []]
    blocks = [block for message in since_last_question(messages) for block in message["content"]]
    offered = [tool for group in body.get("tools") or [] for tool in group.get("functionDeclarations") or []]
    settings = body.get("generationConfig") or {}
    return Prompt(
        model=body["model"],
        text=spoken([_message(body.get("systemInstruction") or {}), *messages]),
        tools=tuple(Tool(tool["name"], _parameters(tool)) for tool in offered),
        called=tuple(block["name"] for block in blocks if block["type"] == "tool_use"),
        output_schema=_lower(settings.get("responseJsonSchema") or settings.get("responseSchema")),
        stream=body["stream"],
    )


def write(served: Served) -> JSON:
    """Write a whole answer."""
    call = served.answer.tool_call
    said: JSON = {"text": served.answer.text}
    if call is not None:
        said = {"functionCall": {"id": f"call_{served.token}", "name": call.name, "args": dict(call.arguments)}}
    return _chunk(served, [said], served.answer.usage, "STOP")


def stream(served: Served) -> Iterator[Event]:
    """Write an answer as chunks: each holds the counts so far, the last one those of the whole answer."""
    whole = served.answer.usage
    if served.answer.tool_call is None:
        sent = Usage(whole.input_tokens, whole.reasoning_tokens, whole.cache_read_tokens, 0, whole.reasoning_tokens)
        for word in pieces(served.answer.text):
            yield Event(_chunk(served, [{"text": word}], sent), weight=1)
        yield Event(_chunk(served, [{"text": ""}], whole, "STOP"))
    else:
        yield Event(write(served), weight=8)


def error(kind: str, message: str) -> JSON:
    """Write an error."""
    status = _STATUS.get(kind, "INVALID_ARGUMENT")
    return {"error": {"code": int(_CODES[status]), "message": message, "status": status}}


def usage(counted: Usage) -> JSON:
    """Write token counts as Gemini spells them: thoughts are no part of the candidates; a count of 0 is left out."""
    counts = {
        "promptTokenCount": counted.input_tokens,
        "candidatesTokenCount": counted.output_tokens - counted.reasoning_tokens,
        "thoughtsTokenCount": counted.reasoning_tokens,
        "cachedContentTokenCount": counted.cache_read_tokens,
        "totalTokenCount": counted.input_tokens + counted.output_tokens,
    }
    return {name: count for name, count in counts.items() if count}


def _chunk(served: Served, parts: list[JSON], counted: Usage, finish_reason: str | None = None) -> JSON:
    candidate: JSON = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish_reason:
        candidate["finishReason"] = finish_reason
    return {
        "candidates": [candidate],
        "usageMetadata": usage(counted),
        "modelVersion": served.answer.model,
        "responseId": served.response_id,
    }


def _message(content: JSON) -> JSON:
    """Return a content as the message of a conversation, with typed blocks."""
    role = "assistant" if content.get("role") == "model" else "user"
    return {"role": role, "content": [_block(part) for part in content.get("parts") or []]}


def _block(part: JSON) -> JSON:
    if "functionCall" in part:
        return {"type": "tool_use", "name": part["functionCall"]["name"], "input": part["functionCall"].get("args")}
    if "functionResponse" in part:
        return {"type": "tool_result", "input": part["functionResponse"].get("response")}
    return {"type": "text", "text": part.get("text", "")}


def _parameters(tool: JSON) -> Mapping[str, Any]:
    """Return the schema of a tool's arguments, which Google's own client also spells in its other way."""
    spellings = ("parametersJsonSchema", "parameters_json_schema", "parameters")
    schema: Mapping[str, Any] = next((tool[name] for name in spellings if tool.get(name)), {})
    return {key: _lowered(key, value) for key, value in schema.items()}


def _lower(schema: Any) -> Any:
    """Return a schema with the types of JSON schema, which Gemini may spell in capitals."""
    if isinstance(schema, list):
        return [_lower(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {key: _lowered(key, value) for key, value in schema.items()}


def _lowered(key: str, value: Any) -> Any:
    return value.lower() if key == "type" and isinstance(value, str) else _lower(value)


API = Api("generate_content", "gemini_", read, write, error, stream)
