"""Account for each statement when it has ended: count it for Prometheus, and log it where the log wants it."""

from __future__ import annotations

from dataclasses import dataclass, field

from spyglass.warehouse import codes, metrics, query_log
from spyglass.warehouse.auth import User
from spyglass.warehouse.query_log import Entry, QueryLog
from spyglass.warehouse.replies import Reply
from spyglass.warehouse.requests import Request

_OUTCOMES = {
    0: "answered",
    codes.READONLY: "refused",
    codes.ACCESS_DENIED: "refused",
    codes.TOO_MANY_SIMULTANEOUS_QUERIES: "refused",
    codes.QUERY_WAS_CANCELLED: "cancelled",
    codes.SOCKET_TIMEOUT: "cancelled",
}


@dataclass(slots=True)
class Asked:
    """Hold what a request turned out to ask; it stays empty where it asked nothing that is accounted for."""

    user: User = User.COLLECTOR
    statement: str = ""
    kind: str = ""
    brings_data: bool = False  # an insert, which has metrics of its own
    at: str = field(default_factory=query_log.now)


def account(log: QueryLog, request: Request, reply: Reply, asked: Asked) -> None:
    """Count a statement whose answer has ended, and log it."""
    if not asked.kind:
        return
    if not asked.brings_data:
        _count(asked.user, reply)
    milliseconds = reply.seconds * 1e3
    shortest = request.parameters.get(query_log.MIN_DURATION_SETTING, "")
    if query_log.is_kept(asked.user, asked.kind, milliseconds, reply.error_code, shortest):
        log.add(_entry(request, reply, asked, milliseconds))


def _count(user: User, reply: Reply) -> None:
    metrics.QUERIES.labels(user, _OUTCOMES.get(reply.error_code, "failed")).inc()
    metrics.QUERY_SECONDS.labels(user).observe(reply.seconds)
    metrics.QUERY_READ_ROWS.labels(user).inc(reply.usage.read_rows or 0)
    metrics.QUERY_READ_BYTES.labels(user).inc(reply.usage.read_bytes or 0)
    metrics.QUERY_ANSWER_BYTES.labels(user).inc(reply.sent_bytes)


def _entry(request: Request, reply: Reply, asked: Asked, milliseconds: float) -> Entry:
    statement = query_log.without_data(asked.statement) if asked.kind == "INSERT" else asked.statement
    return Entry(
        at=asked.at,
        query_id=query_log.shown(reply.query_id, query_log.CLIENT_CHARACTERS),
        user=asked.user,
        kind=asked.kind,
        duration_ms=round(milliseconds, 3),
        answer_bytes=reply.sent_bytes,
        error_code=reply.error_code,
        statement=query_log.shown(statement, query_log.STATEMENT_CHARACTERS),
        client=query_log.shown(request.headers.get("user-agent", ""), query_log.CLIENT_CHARACTERS),
        usage=reply.usage,
    )
