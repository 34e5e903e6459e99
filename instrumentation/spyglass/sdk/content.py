"""Bring prompts and outputs of any spelling into the parts schema of the GenAI conventions.

A message is ``{"role": …, "parts": [{"type": "text", "content": …}, …]}``. Understood are plain strings, messages of
OpenAI (chat completions and responses) and Anthropic as dictionaries or objects, whole responses of both, and messages
that already have parts. What is not understood is kept as a text part holding its JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spyglass.sdk.jsonable import encode

Part = dict[str, Any]
Message = dict[str, Any]

# Where a whole response keeps its messages, and where one message of such a list keeps itself.
_LISTS = ("choices", "output", "messages")
_INNER = ("message", "delta")


def messages(value: Any, role: str) -> list[Message]:
    """Return the messages in a value of JSON's types; ``role`` is for those that do not say theirs."""
    if isinstance(value, dict):
        for key in _LISTS:
            if isinstance(value.get(key), list):
                return messages(value[key], role)
    items = value if isinstance(value, list) and not _is_parts(value) else [value]
    return [_message(item, role) for item in items]


def parts(value: Any) -> list[Part]:
    """Return the parts of a message's content: a string, a list of blocks, one block, or nothing."""
    if value is None:
        return []
    return [_part(block) for block in (value if isinstance(value, list) else [value])]


def characters(message: Message) -> int:
    """Return how many characters of text one message holds, names and arguments of tool calls included."""
    return sum(
        _characters(item) for part in message["parts"] for key, item in part.items() if key not in ("type", "id")
    )


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return 0 if value is None else len(encode(value))


def _is_parts(value: list[Any]) -> bool:
    return (
        bool(value)
        and all(isinstance(item, dict) and "type" in item and "role" not in item for item in value)
        and not any(str(item["type"]) in _ITEMS for item in value)
    )


def _message(item: Any, role: str) -> Message:
    if not isinstance(item, dict):
        return {"role": role, "parts": parts(item)}
    for key in _INNER:
        if isinstance(item.get(key), dict):
            return _message(item[key], role) | _finish(item)
    if str(item.get("type")) in _ITEMS:
        speaker, read = _ITEMS[item["type"]]
        return {"role": speaker, "parts": [read(item)]}
    if isinstance(item.get("parts"), list):
        return {"role": _role(item, role), "parts": parts(item["parts"])} | _finish(item)
    if "content" in item or "tool_calls" in item:
        return {"role": _role(item, role), "parts": _chat_parts(item)} | _finish(item)
    return {"role": _role(item, role), "parts": [_part(item)]}


def _role(item: dict[str, Any], role: str) -> str:
    return str(item.get("role") or role)


def _finish(item: dict[str, Any]) -> dict[str, str]:
    reason = item.get("finish_reason") or item.get("stop_reason")
    return {"finish_reason": reason} if isinstance(reason, str) else {}


def _chat_parts(item: dict[str, Any]) -> list[Part]:
    if item.get("role") == "tool" and "tool_call_id" in item:
        return [_tool_response(item["tool_call_id"], item.get("content"))]
    calls = item.get("tool_calls")
    return parts(item.get("content")) + [_chat_call(call) for call in (calls if isinstance(calls, list) else [])]


def _chat_call(call: Any) -> Part:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return _tool_call(call.get("id"), call.get("name"), call.get("args")) if isinstance(call, dict) else _text(call)
    return _tool_call(call.get("id"), function.get("name"), function.get("arguments"))


def _part(block: Any) -> Part:
    if not isinstance(block, dict):
        return _text(block)
    kind = str(block.get("type", ""))
    reader = _BLOCKS.get(kind)
    if reader is not None:
        return reader(block)
    if kind:
        return block  # a part of the schema already, or one of a kind that is not known yet
    return _text(block.get("text", block))


def _text(value: Any) -> Part:
    return {"type": "text", "content": value if isinstance(value, str) else encode(value)}


def _tool_call(identity: Any, name: Any, arguments: Any) -> Part:
    return {"type": "tool_call", "id": identity, "name": name, "arguments": arguments}


def _tool_response(identity: Any, response: Any) -> Part:
    return {"type": "tool_call_response", "id": identity, "response": response}


def _reasoning(block: dict[str, Any]) -> Part:
    text = block.get("content") or block.get("thinking") or block.get("text") or block.get("summary") or ""
    if isinstance(text, list):
        text = "\n".join(str(item.get("text", "")) if isinstance(item, dict) else str(item) for item in text)
    return {"type": "reasoning", "content": str(text)}


def _image_url(block: dict[str, Any]) -> Part:
    url = block.get("image_url")
    return {"type": "uri", "modality": "image", "uri": url.get("url") if isinstance(url, dict) else url}


def _image(block: dict[str, Any]) -> Part:
    source = block.get("source")
    if not isinstance(source, dict):
        return block
    if source.get("url"):
        return {"type": "uri", "modality": "image", "uri": source["url"]}
    return {"type": "blob", "modality": "image", "mime_type": source.get("media_type"), "content": source.get("data")}


def _audio(block: dict[str, Any]) -> Part:
    audio = block.get("input_audio")
    content = audio.get("data") if isinstance(audio, dict) else audio
    return {"type": "blob", "modality": "audio", "content": content}


def _plain_text(block: dict[str, Any]) -> Part:
    return _text(block.get("content", block.get("text", block.get("refusal", ""))))


# Blocks inside a message, by their type in OpenAI's and Anthropic's spelling.
_BLOCKS: dict[str, Callable[[dict[str, Any]], Part]] = {
    "text": _plain_text,
    "input_text": _plain_text,
    "output_text": _plain_text,
    "refusal": _plain_text,
    "reasoning": _reasoning,
    "thinking": _reasoning,
    "tool_use": lambda block: _tool_call(block.get("id"), block.get("name"), block.get("input")),
    "tool_result": lambda block: _tool_response(block.get("tool_use_id"), block.get("content")),
    "image_url": _image_url,
    "input_image": _image_url,
    "image": _image,
    "input_audio": _audio,
}
# Items beside messages in OpenAI's responses: the role they speak for, and how to read them.
_ITEMS: dict[str, tuple[str, Callable[[dict[str, Any]], Part]]] = {
    "function_call": (
        "assistant",
        lambda item: _tool_call(item.get("call_id"), item.get("name"), item.get("arguments")),
    ),
    "function_call_output": ("tool", lambda item: _tool_response(item.get("call_id"), item.get("output"))),
    "reasoning": ("assistant", _reasoning),
}
