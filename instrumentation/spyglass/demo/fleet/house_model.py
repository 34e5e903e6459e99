"""Ask a model over plain HTTP, and report each call with ``spyglass.llm_call``: what a client of your own would do."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import spyglass

TIMEOUT_SECONDS = 60
JSON = dict[str, Any]


def ask(model: str, text: str, *, provider: str, system: str = "Be brief.") -> str:
    """Return the model's answer to a text; raises ConnectionError when the provider answers with an error."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
    with spyglass.llm_call(model, provider=provider) as call:
        call.system(system)
        call.input(text)
        with _post({"model": model, "messages": messages}, call) as response:
            reply = json.load(response)
        (choice,) = reply["choices"]
        call.response(model=reply["model"], id=reply["id"])
        call.finish(choice["finish_reason"])
        call.usage(**_usage(reply["usage"]))
        call.output(choice["message"]["content"])
        return str(choice["message"]["content"])


def ask_streaming(model: str, text: str, *, provider: str) -> str:
    """Return the model's answer, read word by word; raises ConnectionError as ask() does."""
    request = {"model": model, "messages": [{"role": "user", "content": text}]}
    words = []
    with spyglass.llm_call(model, provider=provider, stream=True) as call:
        call.input(text)
        with _post({**request, "stream": True, "stream_options": {"include_usage": True}}, call) as response:
            for chunk in _chunks(response):
                call.response(model=chunk["model"], id=chunk["id"])
                if chunk.get("usage"):
                    call.usage(**_usage(chunk["usage"]))
                for choice in chunk["choices"]:
                    if choice["finish_reason"]:
                        call.finish(choice["finish_reason"])
                    if choice["delta"].get("content"):
                        call.first_token()
                        words.append(choice["delta"]["content"])
        call.output("".join(words))
    return "".join(words)


def _post(body: JSON, call: spyglass.LlmCall) -> Any:
    request = urllib.request.Request(  # noqa: S310 -- the address comes from the operator
        f"{os.environ['OPENAI_BASE_URL']}/chat/completions",
        json.dumps(body).encode(),
        {"content-type": "application/json", "authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"},
    )
    try:
        return urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310 -- as above
    except urllib.error.HTTPError as error:
        with error:
            message = json.load(error)["error"]["message"]
        call.error(str(error.code), message)
        raise ConnectionError(f"The model answered {error.code}: {message}") from None


def _chunks(response: Any) -> Iterator[JSON]:
    for line in response:
        _, _, data = line.decode().strip().partition("data: ")
        if data and data != "[DONE]":
            yield json.loads(data)


def _usage(usage: JSON) -> dict[str, int]:
    return {
        "input_tokens": usage["prompt_tokens"],
        "output_tokens": usage["completion_tokens"],
        "cache_read_tokens": usage["prompt_tokens_details"]["cached_tokens"],
        "reasoning_tokens": usage["completion_tokens_details"]["reasoning_tokens"],
    }
