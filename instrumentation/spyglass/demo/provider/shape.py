"""Define what one API is to the server, and how texts are found in a request of any shape."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from spyglass.demo.provider.model import Answer, Prompt

JSON = dict[str, Any]
# Keys whose values the model reads. Ids are not among them, so counts do not depend on what was served before.
READ_KEYS = ("system", "instructions", "content", "text", "name", "arguments", "input", "output")


class Served(NamedTuple):
    """Hold what is needed to write one answer in the shape of an API; ``token`` is unique to the request."""

    body: JSON
    prompt: Prompt
    answer: Answer
    response_id: str
    token: str
    created: int


class Event(NamedTuple):
    """Hold one server-sent event; ``weight`` is how many tokens the client waits for it."""

    data: JSON | str
    name: str = ""
    weight: int = 0


class Api(NamedTuple):
    """Describe one API: how its requests are read, and its answers, errors and streams (if it has any) written."""

    name: str
    id_prefix: str
    read: Callable[[JSON], Prompt]
    write: Callable[[Served], JSON]
    error: Callable[[str, str], JSON]
    stream: Callable[[Served], Iterator[Event]] | None = None


def spoken(value: object) -> str:
    """Join all texts of a message, a list of messages or a block."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(filter(None, map(spoken, value)))
    if isinstance(value, Mapping):
        return "\n".join(filter(None, (_keyed(value, key) for key in READ_KEYS)))
    return ""


def _keyed(message: Mapping[str, Any], key: str) -> str:
    value = message.get(key)
    arguments = key == "input" and isinstance(value, Mapping)
    return json.dumps(value) if arguments else spoken(value)


def pieces(text: str) -> list[str]:
    """Cut a text into the words that a stream sends one by one."""
    return re.findall(r"\S+\s*", text)


def since_last_question(messages: list[JSON]) -> list[JSON]:
    """Return the messages after the last one in which the user speaks; an answer to a tool call is no question."""
    questions = [number for number, message in enumerate(messages) if _is_question(message)]
    return messages[questions[-1] + 1 :] if questions else messages


def _is_question(message: JSON) -> bool:
    content = message.get("content")
    blocks = content if isinstance(content, list) else []
    return message.get("role") == "user" and not any(block.get("type") == "tool_result" for block in blocks)
