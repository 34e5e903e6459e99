import json
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from spyglass.assets import folder
from spyglass.sdk.redaction import PATTERNS, redactor
from tests.collector_config.conftest import Collector

SECRET = "sk-proj-planted0123456789ABCDEFabcdef"
TEXTS = [
    f"key {SECRET} end",
    "AKIAIOSFODNN7EXAMPLE and ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "mail jane.doe@example.com, card 4111 1111 1111 1111.",
    "Authorization: Bearer abcdefghijklmnop0123456789",
    "postgres://user:hunter22222@db/x password=hunter22222",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF123_-x",
    "nothing to see: task-force, 0af7651916cd43dd8448eb211c80319c, 1763715600000000000",
]


def _attributes(text: str) -> list[dict[str, Any]]:
    return [
        {"key": "plain", "value": {"stringValue": text}},
        {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": text}]}}},
        {"key": "map", "value": {"kvlistValue": {"values": [{"key": "inner", "value": {"stringValue": text}}]}}},
    ]


def _trace(text: str, **span: object) -> dict[str, Any]:
    made = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": f"call {text}",
        "startTimeUnixNano": "1763715600000000000",
        "endTimeUnixNano": "1763715601000000000",
        "status": {"code": 2, "message": text},
        "attributes": _attributes(text),
        "events": [{"name": f"event {text}", "timeUnixNano": "1763715600000000000", "attributes": _attributes(text)}],
        "links": [{"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "attributes": _attributes(text)}],
    }
    scope = {"scope": {"name": "tests", "attributes": _attributes(text)}, "spans": [made | span]}
    return {"resourceSpans": [{"resource": {"attributes": _attributes(text)}, "scopeSpans": [scope]}]}


def _log(text: str, **record: object) -> dict[str, Any]:
    made = {"timeUnixNano": "1763715600000000000", "body": {"stringValue": text}, "attributes": _attributes(text)}
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [made | record]}]}]}


def _metric(text: str) -> dict[str, Any]:
    point = {"asInt": "1", "timeUnixNano": "1763715600000000000", "attributes": _attributes(text)}
    point |= {"exemplars": [{"asInt": "1", "timeUnixNano": "1", "filteredAttributes": _attributes(text)}]}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": [point]}}]}]}]}


@pytest.fixture(scope="module")
def full(start_collector: Callable[..., Collector]) -> Collector:
    """Run a collector that keeps content and redacts, with a pattern of the user's own."""
    return start_collector(SPYGLASS_CONTENT="full", SPYGLASS_REDACT_PATTERNS="ACME-[0-9]{4}\nTOP ?SECRET: x{2}")


@pytest.mark.parametrize(
    "secret", [SECRET, "jane.doe@example.com", "4111-1111-1111-1111", "ACME-1234", "TOPSECRET: xx"]
)
def test_planted_secret_is_nowhere(full: Collector, secret: str) -> None:
    """A secret planted at any place of a foreign span, log or metric does not come out of the pipelines."""
    for signal, request in (("traces", _trace(secret)), ("logs", _log(secret)), ("metrics", _metric(secret))):
        text = full.text(signal, request)
        assert secret not in text
        assert "[redacted]" in text


@pytest.mark.parametrize("text", TEXTS)
def test_collector_and_sdk_redact_alike(full: Collector, text: str) -> None:
    """The collector's Go engine makes of a text what the SDK's Python engine makes of it."""
    (span,) = full.spans(_trace(text))
    assert span["attributes"]["plain"] == redactor()(text)


def test_redaction_can_be_switched_off(start_collector: Callable[..., Collector]) -> None:
    """With SPYGLASS_REDACT=false texts stay as they were sent."""
    collector = start_collector(SPYGLASS_CONTENT="full", SPYGLASS_REDACT="false")
    assert SECRET in collector.text("traces", _trace(SECRET))


MESSAGES = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "the prompt"}]}])


def _content_span() -> dict[str, Any]:
    texts = {
        "gen_ai.input.messages": MESSAGES,
        "llm.output_messages.0.message.content": "the answer",
        "llm.output_messages.0.message.role": "assistant",
        "input.value": "the prompt",
        "gen_ai.request.model": "m",
    }
    attributes = [{"key": key, "value": {"stringValue": text}} for key, text in texts.items()]
    message = [{"key": "content", "value": {"stringValue": "the prompt"}}]
    event = {"name": "gen_ai.user.message", "timeUnixNano": "1", "attributes": message}
    return _trace("x", attributes=attributes, events=[event])


@pytest.mark.parametrize(
    ("level", "texts", "lengths"), [("full", True, None), ("metadata", False, [10, 10]), ("off", False, None)]
)
def test_content_levels(
    start_collector: Callable[..., Collector], level: str, *, texts: bool, lengths: list[int] | None
) -> None:
    """Full keeps texts, metadata keeps roles and lengths, off keeps neither; for spans, events and event logs alike."""
    collector = start_collector(SPYGLASS_CONTENT=level)
    (span,) = collector.spans(_content_span())
    assert ("the prompt" in json.dumps(span)) is texts
    assert ("the answer" in json.dumps(span)) is texts
    assert span["attributes"].get("spyglass.content.input.lengths") == lengths
    assert span["attributes"]["gen_ai.request.model"] == "m"
    assert (
        "the prompt" in collector.text("logs", _log("the prompt", eventName="gen_ai.user.message", attributes=[]))
    ) is texts
    assert "the prompt" in collector.text("logs", _log("the prompt", attributes=[]))


def test_every_pattern_reaches_the_collector() -> None:
    """Each row of the redaction table stands in the collector's layer."""
    text = (folder("collector-config") / "privacy.yaml").read_text()
    assert [row.name for row in PATTERNS if f"name: {row.name}\n" not in text] == []


def test_go_tests_of_the_processors_pass() -> None:
    """The Go tests of our own processors pass with the pinned module."""
    go = shutil.which("go")
    assert go, "the Go toolchain is needed: see README"
    done = subprocess.run(
        [go, "test", "-mod=readonly", "./privacy/", "./steady/"],
        cwd=folder("deploy") / "go" / "collector",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
