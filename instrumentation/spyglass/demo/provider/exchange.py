"""Follow one request from its arrival to its row in the truth."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from http import HTTPStatus

from spyglass.demo.provider.model import Prompt
from spyglass.demo.provider.shape import Api, Served
from spyglass.demo.provider.truth import Call, Truth


class Exchange:
    """Hold one request and write its row.

    The row is written just before the last bytes are sent, so that a client which has its answer finds it there.
    """

    def __init__(self, truth: Truth, api: Api, prompt: Prompt, *, traced: bool = False) -> None:
        self.api = api
        self.prompt = prompt
        self.number = truth.number()
        self._truth = truth
        self._traced = traced
        self._begun = time.monotonic()

    def failed(self, status: HTTPStatus) -> None:
        """Write that the call was answered with an error."""
        self._truth.put(self._row(status))

    def served(self, served: Served) -> None:
        """Write that the call was answered, and what it used."""
        asked = served.answer.tool_call
        call = replace(
            self._row(HTTPStatus.OK),
            response_id=served.response_id if self.api.id_prefix else None,
            response_model=served.answer.model,
            tool=asked.name if asked else None,
            usage_reported=self.prompt.reports_usage,
            **asdict(served.answer.usage),
        )
        self._truth.put(call)

    def abandoned(self) -> None:
        """Write that the client went away before its answer ended: it was told no usage."""
        ended = self._truth.get(self.number) or self._row(HTTPStatus.OK)
        self._truth.put(replace(ended, usage_reported=False))

    def _row(self, status: HTTPStatus) -> Call:
        return Call(
            n=self.number,
            api=self.api.name,
            model=self.prompt.model,
            ok=status == HTTPStatus.OK,
            status=int(status),
            stream=self.prompt.stream,
            seconds=time.monotonic() - self._begun,
            traced=self._traced,
        )
