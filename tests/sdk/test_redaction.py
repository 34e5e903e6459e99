"""Secrets never leave, and what is no secret stays."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spyglass
from spyglass.names import REDACTED
from spyglass.sdk.redaction import PATTERNS, redactor
from spyglass.testing import capture

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
PEM_BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\nabc+/==\n"
# One secret of each kind: the pattern that is to find it, the text before, the secret.
SECRETS = [
    ("private_key", "", f"-----BEGIN RSA PRIVATE KEY-----\n{PEM_BODY}-----END RSA PRIVATE KEY-----"),
    ("private_key", "", f"-----BEGIN PRIVATE KEY-----\\n{PEM_BODY}"),
    ("openai_anthropic_key", "", "sk-proj-abcDEF1234567890abcDEF1234567890"),
    ("openai_anthropic_key", "", "sk-ant-api03-abcDEF1234567890abcDEF_-34"),
    ("openai_anthropic_key", "", "sk-abcdefghijklmnopqrstuvwxyz012345"),
    ("aws_key_id", "", "AKIAIOSFODNN7EXAMPLE"),
    ("github_token", "", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
    ("github_token", "", "github_pat_11ABCDEFG0abcdefghijklmnop"),
    ("github_token", "", "glpat-abcdefghij0123456789"),
    ("slack_token", "", "xoxb-123456789012-abcdefABCDEF"),
    ("slack_token", "https://", "hooks.slack.com/services/T000/B000/XXXXXXXX"),
    ("google_key", "", "AIzaSyA1234567890abcdefghijklmnopqrstuv"),
    ("google_key", "", "ya29.a0AfH6SMBabcdefghij1234567890"),
    ("stripe_key", "", "sk_live_abcdefghij0123456789"),
    ("stripe_key", "", "rk_test_abcdefghij0123456789"),
    ("provider_key", "", "hf_abcdefghijklmnopqrstuvwxyzABCDEF12"),
    ("provider_key", "", "gsk_abcdefghijklmnopqrstuvwxyzABCDEF0123456789abcdefgh"),
    ("provider_key", "", "SG.abcdefghijklmnop1234.abcdefghijklmnop1234"),
    ("jwt", "", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN"),
    ("bearer_token", "Bearer ", "abcdef.1234567890-xyz"),
    ("bearer_token", "basic ", "dXNlcjpwYXNzd29yZA=="),
    ("credential", "password=", "hunter2hunter2"),
    ("credential", '{"api_key": "', "0123456789abcdef"),
    ("credential", '\\"client_secret\\":\\"', "s3cr3tvalue"),
    ("credential", "aws_secret_access_key = ", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("credential", "Authorization: token ", "abcdef0123"),
    ("url_password", "postgres://ann:", "p4ss:w0rd"),
    ("email", "", "ann.o-neil+spam@mail.example.co.uk"),
    ("payment_card", "", "4111111111111111"),
    ("payment_card", "", "5500 0000 0000 0004"),
    ("payment_card", "", "6011-0000-0000-0004"),
    ("payment_card", "", "2221000000000009"),
    ("payment_card", "", "378282246310005"),
    ("payment_card", "", "3782 822463 10005"),
]
AFTER = {"url_password": "@db.internal/x"}
HARMLESS = [
    "",
    "The quick brown fox asked about the basic key results in 2026.",
    "0af7651916cd43dd8448eb211c80319c",
    "00f067aa0ba902b7",
    "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "41111111-1111-1111-1111-111111111111",
    "1763718000000000000",
    "1763718000000000",
    "1763718000123",
    "0.4111111111111111",
    "-4111111111111111",
    "41111111111111112",
    "v4.111111111111111",
    "id_4111111111111111",
    "4111 1111 1111",
    "1234567890123456",
    "9999999999999999",
    "18446744073709551615",
    "2026-11-21T10:00:00.123456789Z",
    "127.0.0.1:4318",
    "user@localhost",
    "@decorator",
    "a = b @ c",
    "sk-learn",
    "risk-management-and-other-long-words-here",
    "max_tokens=4096, tokens: 12345678",
    "input_token_count: 12345678",
    "the monkey: yellow",
    "https://example.org:8080/path?x=1",
    "bearer of good news",
    "Basic understanding of physics",
    "gen_ai.usage.cache_read.input_tokens",
    "PRIVATE KEY",
    "xoxo",
    "SG.short",
    "AKIA is a prefix",
    "eyJ0 is not a token",
]
WORDS = st.text(max_size=60)
redact = redactor()


@pytest.mark.parametrize(("kind", "before", "secret"), SECRETS)
def test_each_kind_of_secret_is_replaced(kind: str, before: str, secret: str) -> None:
    """The secret is gone, what stands around it stays, and a second pass changes nothing."""
    after = AFTER.get(kind, " and so on")
    result = redact(f"see {before}{secret}{after}")
    assert secret not in result
    assert REDACTED in result
    assert result.startswith("see ")
    assert result.endswith(after)
    assert redact(result) == result


@pytest.mark.parametrize("text", HARMLESS)
def test_near_misses_stay(text: str) -> None:
    """Trace ids, timestamps, decimals, plain long integers and ordinary words are not touched."""
    assert redact(text) == text


def test_each_pattern_is_tried_by_a_secret() -> None:
    """Every row of the table has an example, and its hints and gate let that example through."""
    assert {kind for kind, _, _ in SECRETS} == {row.name for row in PATTERNS}
    for kind, before, secret in SECRETS:
        row = next(row for row in PATTERNS if row.name == kind)
        text = f"{before}{secret}{AFTER.get(kind, '')}"
        looked_at = text.lower() if row.pattern.startswith("(?i)") else text
        assert re.search(row.pattern, text, re.ASCII), (kind, secret)
        assert any(hint in looked_at for hint in row.hints), (kind, secret)
        assert not row.gate or re.search(row.gate, looked_at, re.ASCII), (kind, secret)


def test_patterns_are_in_the_syntax_of_re2() -> None:
    """The collector's engine has no look-around, back-references, atomic groups or possessive repeats."""
    for row in PATTERNS:
        assert not re.search(r"\(\?[=!<>]|\\[1-9]|\(\?P[=>]|[*+?}]\+|\\Z", row.pattern), row.name
        assert all(int(n) <= 1_000 for n in re.findall(r"\{(?:\d+,)?(\d+)\}", row.pattern)), row.name
        groups = re.compile(row.pattern).groups
        assert ("${1}" in row.replacement) == (groups == 1), row.name
        assert row.sentence.endswith(".")
    assert len({row.name for row in PATTERNS}) == len(PATTERNS)


@settings(max_examples=300)
@given(
    st.sampled_from(SECRETS),
    WORDS,
    WORDS,
)
def test_a_planted_secret_never_survives(planted: tuple[str, str, str], left: str, right: str) -> None:
    """Whatever text stands around it, a secret that is a word of its own is gone."""
    kind, before, secret = planted
    after = AFTER.get(kind, "")
    assert secret not in redact(f"{left} {before}{secret}{after} {right}")


@settings(max_examples=200)
@given(
    st.text(ALPHABET + "_-", min_size=30, max_size=80),
    st.sampled_from(["sk-", "sk-ant-", "ghp_", "xoxb-", "hf_", "AIza"]),
)
def test_keys_of_any_letters_never_survive(body: str, prefix: str) -> None:
    """A key of letters and digits after a known prefix is gone whole."""
    key = prefix + "".join(character for character in body if character not in "_-").ljust(40, "x")
    assert key[len(prefix) :] not in redact(f"key {key}.")


@settings(max_examples=200)
@given(st.text(max_size=400))
def test_any_text_is_taken_and_a_second_pass_changes_nothing(text: str) -> None:
    """Redaction never raises and is idempotent."""
    once = redact(text)
    assert redact(once) == once


@given(st.integers(min_value=0, max_value=2**128 - 1), st.integers(min_value=0, max_value=2**64 - 1))
def test_ids_are_never_taken_for_secrets(trace_id: int, span_id: int) -> None:
    """Trace ids in hexadecimal stay, whatever digits they have."""
    assert redact(f"trace {trace_id:032x}") == f"trace {trace_id:032x}"
    assert redact(f"{span_id:020d}") == f"{span_id:020d}"


def test_custom_patterns_are_redacted_too() -> None:
    """Patterns of the setting are replaced whole, on top of the table."""
    own = redactor([r"EMP-\d{6}", ""])
    assert own("EMP-123456 knows ann@example.org") == f"{REDACTED} knows {REDACTED}"


KEY = "sk-ant-api03-abcDEF1234567890abcDEF_-34"


def everything(captured: Any) -> str:
    """Return all that was captured as one text."""
    spans = [
        (
            span.name,
            dict(span.attributes or {}),
            span.status.description,
            [(e.name, dict(e.attributes or {})) for e in span.events],
        )
        for span in captured.spans
    ]
    logs = [(log.log_record.body, dict(log.log_record.attributes or {})) for log in captured.logs]
    return repr((spans, logs))


@pytest.mark.parametrize("content", ["off", "metadata", "full"])
def test_a_key_is_in_nothing_that_leaves(content: str) -> None:
    """A key planted anywhere in spans, events, statuses and logs, of foreign spans too, leaves nowhere."""
    import logging  # noqa: PLC0415 -- kept beside its only use

    from opentelemetry import trace  # noqa: PLC0415 -- as a foreign instrumentor does

    with capture(content=content) as captured:
        with trace.get_tracer("foreign").start_as_current_span(f"GET {KEY}") as span:
            span.set_attribute("list", [KEY, "b"])
            span.add_event(f"event {KEY}", {"k": KEY})
        with suppress(ValueError), spyglass.agent("a") as agent:
            agent.input(f"my key is {KEY}")
            agent.set("nested", {"deep": [KEY]})
            with spyglass.tool("t") as tool:
                tool.arguments({"key": KEY, KEY: 1})
                tool.result(KEY)
                tool.error("denied", f"bad key {KEY}")
            logging.getLogger("app").error("key %s", KEY, extra={"more": KEY})
            raise ValueError(KEY)
        spyglass.feedback(agent, "thumb", 1, explanation=f"because {KEY}")
    found = everything(captured)
    assert KEY not in found
    assert REDACTED in found


def test_redaction_can_be_switched_off() -> None:
    """SPYGLASS_REDACT=false leaves everything as it is."""
    with capture(redact=False, content="full") as captured, spyglass.agent("a") as agent:
        agent.input("ann@example.org")
    assert "ann@example.org" in everything(captured)


@settings(max_examples=50, deadline=None)
@given(st.integers(min_value=0, max_value=120))
def test_truncation_never_leaves_half_a_secret(offset: int) -> None:
    """Wherever the limit falls, no part of a key long enough to be worth something remains."""
    with capture(content="full", content_limit=100) as captured, spyglass.agent("a") as agent:
        agent.input("x" * offset + " " + KEY + " tail" * 100)
    text = str(captured.attributes("invoke_agent a")["gen_ai.input.messages"])
    assert "sk-ant-a" not in text
    assert captured.attributes("invoke_agent a")["spyglass.content.truncated"] is True


def test_a_pattern_that_is_none_is_named_and_left_out(said: pytest.LogCaptureFixture) -> None:
    """A broken pattern of the setting is one warning; the others work."""
    with capture(redact_patterns="(\nEMP-[0-9]+", content="full") as captured, spyglass.agent("EMP-1"):
        pass
    assert captured.spans[0].name == f"invoke_agent {REDACTED}"
    assert "SPYGLASS_REDACT_PATTERNS: '(' is no regular expression" in said.text
