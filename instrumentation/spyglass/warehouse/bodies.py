"""Receive bodies within a budget: what waits for the engine must fit into memory; the rest is asked to come later."""

from __future__ import annotations

from spyglass.errors import StatementError
from spyglass.warehouse import codes, metrics
from spyglass.warehouse.replies import Receive

# More than any OTLP request that the collector takes (64 MiB) can become as Native.
LARGEST_BODY_BYTES = 1 << 30


class Budget:
    """Count the bytes of bodies that wait or are being stored."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._sizes: dict[Body, int] = {}  # in the order in which they came
        self._used = 0
        metrics.QUEUE_LIMIT_BYTES.set(limit_bytes)

    def take(self, body: Body, size: int) -> None:
        """Count bytes more of a body; raises StatementError (503) when they are too many.

        A body that comes when the limit is reached is refused, one that has begun may go on until twice the limit. The
        oldest may always, or many that come together would all refuse each other.
        """
        own = self._sizes.get(body, 0)
        oldest = next(iter(self._sizes), body)
        if body is not oldest and self._used >= (self._limit if own == 0 else 2 * self._limit):
            raise codes.refused(codes.SERVER_OVERLOADED, "Too many inserts wait; try again later.")
        if own + size > LARGEST_BODY_BYTES:
            raise codes.refused(codes.QUERY_IS_TOO_LARGE, f"The body is larger than {LARGEST_BODY_BYTES} bytes.")
        self._sizes[body] = own + size
        self._change(size)

    def give_back(self, body: Body) -> None:
        """Forget a body."""
        self._change(-self._sizes.pop(body, 0))

    def _change(self, size: int) -> None:
        self._used += size
        metrics.QUEUE_BYTES.set(self._used)


class Body:
    """Hold a body's pieces as they come, counted in a budget until it is closed."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._pieces: list[bytes] = []

    async def receive(self, receive: Receive) -> bytes | None:
        """Return the whole body, or None when the client went away before its end.

        Raises StatementError when it is too large or the budget is spent, but only at the body's end: a client that
        still sends would not see the answer.
        """
        refusal: StatementError | None = None
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            try:
                self._add(message.get("body", b"") if refusal is None else b"")
            except StatementError as error:
                refusal = error
                self._pieces.clear()
                self.close()
            if not message.get("more_body"):
                break
        if refusal is not None:
            raise refusal
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        return data

    def close(self) -> None:
        """Give the bytes back to the budget."""
        self._budget.give_back(self)

    def _add(self, piece: bytes) -> None:
        if piece:
            self._budget.take(self, len(piece))
            self._pieces.append(piece)
