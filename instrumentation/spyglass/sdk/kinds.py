"""The kinds of spans that the SDK opens, as data: names and attributes as semantic-conventions-genai wants them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from spyglass import names
from spyglass.names import Kind, Operation

INTERNAL = "INTERNAL"
CLIENT = "CLIENT"
CONSUMER = "CONSUMER"
_PROCESS = "process"


class Row(NamedTuple):
    """Describe one kind: the span is named ``name target``, and the attributes ``targets`` hold the target."""

    kind: Kind
    name: str
    span_kind: str
    targets: tuple[str, ...]
    constants: Mapping[str, str]
    handoff: bool = False


def _row(kind: Kind, operation: Operation, span_kind: str, target: str) -> Row:
    constants = {names.KIND: kind.value, names.OPERATION_NAME: operation.value}
    return Row(kind, operation.value, span_kind, (target,), constants, operation is Operation.HANDOFF)


WORKFLOW = _row(Kind.WORKFLOW, Operation.INVOKE_WORKFLOW, INTERNAL, names.WORKFLOW_NAME)
AGENT = _row(Kind.AGENT, Operation.INVOKE_AGENT, INTERNAL, names.AGENT_NAME)
TOOL = _row(Kind.TOOL, Operation.EXECUTE_TOOL, INTERNAL, names.TOOL_NAME)
RETRIEVAL = _row(Kind.RETRIEVAL, Operation.RETRIEVAL, CLIENT, names.DATA_SOURCE_ID)
HANDOFF = _row(Kind.TASK, Operation.HANDOFF, INTERNAL, names.AGENT_TARGET_NAME)
QUEUE = Row(
    Kind.QUEUE,
    _PROCESS,
    CONSUMER,
    (names.QUEUE_NAME, names.MESSAGING_DESTINATION_NAME),
    {
        names.KIND: Kind.QUEUE.value,
        names.MESSAGING_OPERATION_NAME: _PROCESS,
        names.MESSAGING_OPERATION_TYPE: _PROCESS,
    },
)
LLM = {
    operation.value: _row(kind, operation, CLIENT, names.REQUEST_MODEL)
    for operation, kind in (
        (Operation.CHAT, Kind.LLM),
        (Operation.GENERATE_CONTENT, Kind.LLM),
        (Operation.TEXT_COMPLETION, Kind.LLM),
        (Operation.EMBEDDINGS, Kind.EMBEDDING),
    )
}
