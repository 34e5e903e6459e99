"""Replace secrets in texts: one table of patterns, read by the SDK and by the generator of the collector's statements.

The patterns are RE2 syntax (no look-around, no back-references), so the collector's Go engine and Python's agree. They
are written for ASCII. ``hints`` and ``gate`` exist only to make texts without secrets cheap: one of the hints, which
are literals, and then the gate, an expression, must occur for the pattern to have a chance; where the pattern ignores
case, they are lowercase and looked for in the lowercased text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from spyglass.names import REDACTED

_SHORT = 128  # characters; short texts repeat (names of models, agents, tools), so their results are remembered
_REMEMBERED = 4_096
_PEM = r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
_PEM_END = r"-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
_CARD_START = r"(?:4\d{3}|5[1-5]\d{2}|2(?:2[2-9]\d|[3-6]\d{2}|7[01]\d|720)|6(?:011|4[4-9]\d|5\d{2})|35[2-8]\d)"
_CREDENTIAL = (
    r"(?:passw(?:or)?d|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|account[_-]?key"
    r"|(?:auth|access|refresh|session|bearer|id)[_-]?token|(?:proxy-)?authorization)"
)


class Pattern(NamedTuple):
    """Describe one kind of secret.

    ``replacement`` is in RE2's spelling: ``${1}`` is the text that the first group kept. ``gate`` is a quicker
    expression that Python tries first, ``digits`` the fewest that a match holds, which Go counts first.
    """

    name: str
    pattern: str
    sentence: str
    hints: tuple[str, ...]
    replacement: str = REDACTED
    gate: str = ""
    digits: int = 0


PATTERNS = (
    Pattern(
        "private_key",
        rf"{_PEM}(?:[A-Za-z0-9+/=\s\\:,.-]*?{_PEM_END}|[A-Za-z0-9+/=\r\n\t\\]*)",
        "A private key in PEM form, even when it is cut off.",
        ("PRIVATE KEY",),
    ),
    Pattern(
        "openai_anthropic_key",
        r"\bsk-(?:ant-|proj-|svcacct-|admin-|or-v1-|lf-)?[A-Za-z0-9_-]{20,}",
        "An API key of OpenAI, Anthropic, OpenRouter or Langfuse.",
        ("sk-",),
    ),
    Pattern(
        "aws_key_id",
        r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
        "An AWS access key id.",
        ("AKIA", "ASIA", "ABIA", "ACCA"),
    ),
    Pattern(
        "github_token",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,})",
        "A token of GitHub or GitLab.",
        ("_", "glpat-"),
        gate=r"gh[pousr]_|github_pat_|glpat-",
    ),
    Pattern(
        "slack_token",
        r"\bx(?:ox[a-z]|app)-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/[A-Za-z0-9/_-]+",
        "A token or webhook address of Slack.",
        ("xox", "xapp-", "hooks.slack"),
    ),
    Pattern(
        "google_key",
        r"\b(?:AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,})",
        "An API key, access token or client secret of Google.",
        ("AIza", "ya29.", "GOCSPX-"),
    ),
    Pattern(
        "stripe_key",
        r"\b(?:[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{24,})",
        "A secret key or webhook secret of Stripe.",
        ("k_live_", "k_test_", "whsec_"),
    ),
    Pattern(
        "provider_key",
        r"\b(?:hf_[A-Za-z0-9]{30,}|gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{30,}|pplx-[A-Za-z0-9]{40,}"
        r"|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})",
        "A key of Hugging Face, Groq, xAI, Replicate, Perplexity, npm, PyPI or SendGrid.",
        ("hf_", "gsk_", "xai-", "r8_", "pplx-", "npm_", "pypi-", "SG."),
    ),
    Pattern(
        "jwt",
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
        "A JSON Web Token.",
        ("eyJ",),
    ),
    Pattern(
        "bearer_token",
        r"(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{16,}",
        "A token after the word Bearer or Basic.",
        ("bearer", "basic"),
        "${1}" + REDACTED,
        r"(?:bearer|basic)\s+[^\s]{16}",
    ),
    Pattern(
        "credential",
        rf"(?i)({_CREDENTIAL}[\"'\\]{{0,4}}\s{{0,3}}[:=]\s{{0,3}}[\"'\\]{{0,4}}(?:(?:bearer|basic|token)\s+)?)"
        r"[^\s\"'\\,;&<>{}()\[\]]{6,}",
        "The value after a name such as password, api_key, client_secret or Authorization.",
        ("passw", "passphrase", "secret", "key", "token", "authorization"),
        "${1}" + REDACTED,
        r"(?:key|token|secret|ssword|sswd|phrase|zation)[\"'\\]{0,4}\s{0,3}[:=]",
    ),
    Pattern(
        "url_password",
        r"(://[^\s/:@\"'\\]{0,64}:)[^\s/@\"'\\]{1,256}@",
        "The password inside a URL.",
        ("://",),
        "${1}" + REDACTED + "@",
    ),
    Pattern(
        "email",
        r"\b[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b",
        "An e-mail address.",
        ("@",),
    ),
    Pattern(
        "payment_card",
        rf"(^|[^\w.-])(?:{_CARD_START}(?:\d{{12}}| \d{{4}} \d{{4}} \d{{4}}|-\d{{4}}-\d{{4}}-\d{{4}})"
        r"|3[47]\d{2}(?:\d{11}| \d{6} \d{5}|-\d{6}-\d{5}))\b",
        "A payment card number, bare or in groups; neither part of a longer word or number nor of a decimal.",
        tuple("23456"),
        "${1}" + REDACTED,
        r"\d\d\d\d[ -]?\d\d",
        15,
    ),
)

Redact = Callable[[str], str]


def redactor(custom: Sequence[str] = ()) -> Redact:
    """Return a function that replaces every secret in a text; a text without one is returned as it is.

    ``custom`` are further patterns in the syntax of RE2; what they match is replaced whole. Raises re.error for one
    that is no regular expression.
    """
    rules = [_rule(row) for row in PATTERNS]
    own = [re.compile(pattern, re.ASCII) for pattern in custom if pattern.strip()]

    def scan(text: str) -> str:
        lower = text.lower()
        for regex, replacement, hints, gate, ignores_case in rules:
            looked_at = lower if ignores_case else text
            for hint in hints:
                if hint in looked_at:
                    if gate is None or gate.search(looked_at):
                        text = regex.sub(replacement, text)
                    break
        for regex in own:
            text = regex.sub(REDACTED, text)
        return text

    remembered = lru_cache(_REMEMBERED)(scan)
    return lambda text: remembered(text) if len(text) <= _SHORT else scan(text)


class _Rule(NamedTuple):
    regex: re.Pattern[str]
    replacement: str
    hints: tuple[str, ...]
    gate: re.Pattern[str] | None
    ignores_case: bool


def _rule(row: Pattern) -> _Rule:
    regex = re.compile(row.pattern, re.ASCII)
    gate = re.compile(row.gate, re.ASCII) if row.gate else None
    return _Rule(regex, row.replacement.replace("${1}", r"\g<1>"), row.hints, gate, bool(regex.flags & re.IGNORECASE))
