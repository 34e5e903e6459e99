"""Speak OpenAI's embeddings: POST /v1/embeddings."""

from __future__ import annotations

import base64
import struct
import zlib

from spyglass.demo.provider import openai_chat
from spyglass.demo.provider.model import Prompt
from spyglass.demo.provider.shape import JSON, Api, Served

DIMENSIONS = 8


def read(body: JSON) -> Prompt:
    """Read a request."""
    return Prompt(model=body["model"], text="\n".join(_texts(body)), embeds=True)


def write(served: Served) -> JSON:
    """Write one vector per text, as numbers or, where the client asks for it, packed in base64."""
    packed = served.body.get("encoding_format") == "base64"
    vectors = [vector(text) for text in _texts(served.body)]
    sent = served.answer.usage.input_tokens
    return {
        "object": "list",
        "model": served.answer.model,
        "data": [
            {"object": "embedding", "index": number, "embedding": _pack(values) if packed else values}
            for number, values in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": sent, "total_tokens": sent},
    }


def vector(text: str) -> list[float]:
    """Return the vector of a text, made from its checksum, between 0 and 1 in each dimension."""
    digest = zlib.crc32(text.encode())
    return [(digest >> (4 * number) & 0xF) / 16 for number in range(DIMENSIONS)]


def _texts(body: JSON) -> list[str]:
    given = body["input"]
    return given if isinstance(given, list) and all(isinstance(text, str) for text in given) else [str(given)]


def _pack(values: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *values)).decode()


API = Api("embeddings", "", read, write, openai_chat.error)
