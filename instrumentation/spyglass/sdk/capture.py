"""Decide what of prompts, outputs, arguments and results goes onto a span: nothing, roles and lengths, or the texts."""

from __future__ import annotations

from typing import Any

from spyglass import names
from spyglass.sdk import content
from spyglass.sdk.jsonable import Jsonable, Redact, encode

Attributes = dict[str, Any]

# What roles and lengths are written to, by the attribute that would hold the text.
_METADATA = {
    names.INPUT_MESSAGES: (names.CONTENT_INPUT_ROLES, names.CONTENT_INPUT_LENGTHS),
    names.SYSTEM_INSTRUCTIONS: (names.CONTENT_INPUT_ROLES, names.CONTENT_INPUT_LENGTHS),
    names.TOOL_CALL_ARGUMENTS: (names.CONTENT_INPUT_ROLES, names.CONTENT_INPUT_LENGTHS),
    names.RETRIEVAL_QUERY_TEXT: (names.CONTENT_INPUT_ROLES, names.CONTENT_INPUT_LENGTHS),
    names.OUTPUT_MESSAGES: (names.CONTENT_OUTPUT_ROLES, names.CONTENT_OUTPUT_LENGTHS),
    names.TOOL_CALL_RESULT: (names.CONTENT_OUTPUT_ROLES, names.CONTENT_OUTPUT_LENGTHS),
    names.RETRIEVAL_DOCUMENTS: (names.CONTENT_OUTPUT_ROLES, names.CONTENT_OUTPUT_LENGTHS),
}
_ONE_TEXT = '[{"role":"%s","parts":[{"type":"text","content":%s}]}]'
_DOCUMENT_KEYS = ("id", "score", "content", "text", "page_content", "title", "metadata")


class Capture:
    """Turn content into attributes as the setting ``content`` says; texts are cut at ``limit`` characters each."""

    __slots__ = ("_limit", "_redact", "full", "off")

    def __init__(self, mode: str, limit: int, redact: Redact | None) -> None:
        self.off = mode == names.Content.OFF
        self.full = mode == names.Content.FULL
        self._limit = limit
        self._redact = redact

    def messages(self, key: str, value: Any, role: str) -> Attributes:
        """Return the attributes of messages: input, output or what a tool was given."""
        if value.__class__ is str and len(value) <= self._limit:  # by far the most common, and this is much faster
            if self.full:
                return {key: _ONE_TEXT % (role, encode(value))}
            return self._metadata(key, [role], [len(value)])
        plain, truncated = self._plain(value)
        found = content.messages(plain, role)
        if self.full:
            return _texts(key, encode(found), truncated=truncated)
        return self._metadata(key, [message["role"] for message in found], [content.characters(m) for m in found])

    def system(self, value: Any) -> Attributes:
        """Return the attributes of system instructions."""
        plain, truncated = self._plain(value)
        found = content.parts(plain)
        if self.full:
            return _texts(names.SYSTEM_INSTRUCTIONS, encode(found), truncated=truncated)
        return self._metadata(names.SYSTEM_INSTRUCTIONS, ["system"], [content.characters({"parts": found})])

    def object(self, key: str, value: Any, role: str) -> Attributes:
        """Return the attributes of one object, such as the arguments or the result of a tool."""
        if value.__class__ is str and len(value) <= self._limit:
            return {key: value} if self.full else self._metadata(key, [role], [len(value)])
        plain, truncated = self._plain(value)
        text = plain if isinstance(plain, str) else encode(plain)
        if self.full:
            return _texts(key, text, truncated=truncated)
        return self._metadata(key, [role], [len(text)])

    def documents(self, value: Any) -> Attributes:
        """Return the attributes of what a retrieval found; scores and ids are kept where documents have them."""
        plain, truncated = self._plain(value)
        found = [_document(item) for item in (plain if isinstance(plain, list) else [plain])]
        if self.full:
            return _texts(names.RETRIEVAL_DOCUMENTS, encode(found), truncated=truncated)
        lengths = [len(encode(document)) for document in found]
        return self._metadata(names.RETRIEVAL_DOCUMENTS, ["tool"] * len(found), lengths)

    def _plain(self, value: Any) -> tuple[Any, bool]:
        converter = Jsonable(self._limit if self.full else None, self._redact if self.full else None)
        return converter(value), converter.truncated

    @staticmethod
    def _metadata(key: str, roles: list[str], lengths: list[int]) -> Attributes:
        role_key, length_key = _METADATA[key]
        return {role_key: roles, length_key: lengths}


def _texts(key: str, text: str, *, truncated: bool) -> Attributes:
    return {key: text, names.CONTENT_TRUNCATED: True} if truncated else {key: text}


def _document(item: Any) -> Any:
    if not isinstance(item, dict):
        return {"content": item}
    known = {key: item[key] for key in _DOCUMENT_KEYS if key in item}
    return known or item
