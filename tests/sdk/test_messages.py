"""Headers that carry the context: of any kind, in any shape, from anyone."""

from __future__ import annotations

import email.message
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict
from starlette.datastructures import Headers

import spyglass
from spyglass.sdk import carriers
from spyglass.testing import Captured, capture

REMOTE = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
TRACE, SPAN = REMOTE[3:35], REMOTE[36:52]


def parent(captured: Captured, name: str) -> tuple[str, str]:
    """Return trace and parent of the one span of this name."""
    span = captured.span(name)
    assert span.context is not None
    return f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}" if span.parent else ""


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI has them."""
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def mail(headers: dict[str, str]) -> email.message.Message:
    """Return headers as http.client has them."""
    message = email.message.Message()
    for name, value in headers.items():
        message[name] = value
    return message


SHAPES: dict[str, Callable[[dict[str, str]], Any]] = {
    "dict": dict,
    "capitals": lambda headers: {name.title(): value for name, value in headers.items()},
    "environ": lambda headers: {f"HTTP_{name.upper()}": value for name, value in headers.items()} | {"wsgi.input": 1},
    "redis": lambda headers: dict(raw(headers)) | {b"\xff": b"\xff"},
    "kafka": lambda headers: [("other", None), *((name, value.encode()) for name, value in headers.items())],
    "asgi": raw,
    "lists": lambda headers: {name: [value] for name, value in headers.items()},
    "requests": CaseInsensitiveDict,
    "httpx": httpx.Headers,
    "starlette": Headers,
    "http.client": mail,
}


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_what_is_injected_is_extracted_in_every_shape(shape: str) -> None:
    """The trace and all ids of the session arrive, whatever kind of carrier brings them."""
    ids = {"organization": "a", "project": "b", "user": "ü, ;=%", "session": "s+ s", "conversation": '"c"'}
    with capture() as captured:
        with spyglass.session(**ids), spyglass.agent("boss") as boss:
            sent = spyglass.inject({"content-type": "text/plain"})
        with spyglass.extract(SHAPES[shape](sent)), spyglass.tool("t"):
            pass
        assert parent(captured, "execute_tool t") == (boss.trace_id, boss.span_id)
        attributes = captured.attributes("execute_tool t")
    keys = ("spyglass.organization", "spyglass.project", "user.id", "session.id", "gen_ai.conversation.id")
    assert [attributes[key] for key in keys] == list(ids.values())
    assert "gen_ai.agent.name" not in attributes


def test_injecting_replaces_what_was_there() -> None:
    """Fields of an older context are replaced in mappings and lists, however they are spelt; the rest stays."""
    mapping = {"Traceparent": REMOTE, "x": "y"}
    pairs: list[Any] = [("TRACEPARENT", b"old"), ("x", None)]
    in_bytes = [(b"x", b"y"), (b"baggage", b"a=b")]
    with capture(), spyglass.session(user="u"), spyglass.agent("boss") as boss:
        expected = f"00-{boss.trace_id}-{boss.span_id}-01"
        assert spyglass.inject(mapping) is mapping
        spyglass.inject(pairs)
        spyglass.inject(in_bytes)
    assert mapping == {"x": "y", "traceparent": expected, "baggage": "spyglass.user=u"}
    assert pairs == [("x", None), ("traceparent", expected.encode()), ("baggage", b"spyglass.user=u")]
    assert dict(in_bytes) == {b"x": b"y", b"traceparent": expected.encode(), b"baggage": b"spyglass.user=u"}


def test_without_init_nothing_happens() -> None:
    """Without init() carriers stay as they are, and extract() enters nothing."""
    headers: dict[str, str] = {}
    with spyglass.extract({"traceparent": REMOTE}), spyglass.agent("a"):
        assert spyglass.inject(headers) is headers
    assert headers == {}


def test_a_session_without_a_trace_stays_in_the_current_work() -> None:
    """Baggage alone gives its ids to what is inside, below the agent that is at work, over that agent's session."""
    with capture() as captured, spyglass.session(user="mine", project="p"), spyglass.agent("boss") as boss:
        with spyglass.extract({"baggage": "spyglass.user=theirs;secret=1, other=x"}), spyglass.tool("t"):
            headers = spyglass.inject()
        with spyglass.tool("after"):
            pass
    attributes = captured.attributes("execute_tool t")
    assert (attributes["user.id"], attributes["spyglass.project"]) == ("theirs", "p")
    assert attributes["gen_ai.agent.name"] == "boss"
    assert parent(captured, "execute_tool t") == (boss.trace_id, boss.span_id)
    assert captured.attributes("execute_tool after")["user.id"] == "mine"
    assert "other=x" in headers["baggage"]


def test_a_trace_from_outside_takes_the_session_along_but_not_the_agent() -> None:
    """Under another process's span the worker's session stays, and its agent does not act."""
    remote = {"traceparent": REMOTE, "tracestate": "v=1"}
    with (
        capture() as captured,
        spyglass.session(project="p"),
        spyglass.agent("loop"),
        spyglass.extract(remote),
        spyglass.tool("t"),
    ):
        headers = spyglass.inject()
    assert parent(captured, "execute_tool t") == (TRACE, SPAN)
    assert captured.attributes("execute_tool t")["spyglass.project"] == "p"
    assert "gen_ai.agent.name" not in captured.attributes("execute_tool t")
    assert headers["tracestate"] == "v=1"


@pytest.mark.parametrize(
    "carrier",
    [
        None,
        {},
        [],
        "traceparent",
        7,
        pytest.param(object(), id="object"),  # whose address differs between workers
        [1, 2],
        [("traceparent",)],
        {"traceparent": None},
        {"traceparent": 7},
        {"traceparent": "00-zz-1-01"},
        {"traceparent": f"00-{'0' * 32}-{'0' * 16}-01"},
        {"traceparent": REMOTE + "x" * 10_000_000},
        {"baggage": "spyglass.user=" + "x" * 10_000_000},
        {"baggage": ",;=,a,=b," * 100},
        {"baggage": b"\xff\xfe"},
        {"x" * 10_000_000: REMOTE},
    ],
    ids=lambda carrier: repr(carrier)[:30],
)
def test_what_makes_no_sense_is_ignored(carrier: Any, said: pytest.LogCaptureFixture) -> None:
    """A malformed or enormous carrier leaves the code in the context that it had, with one line at debug level."""
    said.set_level(logging.DEBUG, logger="spyglass")
    with capture() as captured, spyglass.agent("boss") as boss, spyglass.extract(carrier), spyglass.tool("t"):
        pass
    assert parent(captured, "execute_tool t") == (boss.trace_id, boss.span_id)
    assert "user.id" not in captured.attributes("execute_tool t")
    lines = [record for record in said.records if record.levelno >= logging.INFO]
    assert lines == []
    assert sum("ignored" in record.getMessage() or "no context" in record.getMessage() for record in said.records) <= 1


def test_a_carrier_without_end_is_looked_at_in_part() -> None:
    """Only the first thousands of entries count, so a generator without end does not hold the program up."""

    def endless() -> Iterator[tuple[str, str]]:
        while True:
            yield "x", "y"

    assert carriers.read(endless()) == {}
    assert carriers.read([("x", b"y")] * carriers.MOST_ENTRIES + [("traceparent", REMOTE.encode())]) == {}


def test_several_fields_of_a_name_are_one(said: pytest.LogCaptureFixture) -> None:
    """The last traceparent counts; lines of baggage are one list; both may be cut into several by a proxy."""
    pairs = [("traceparent", b"old"), ("baggage", b"a=1"), ("Traceparent", REMOTE.encode()), ("baggage", b"b=2")]
    assert carriers.read(pairs) == {"traceparent": REMOTE, "baggage": "a=1,b=2"}
    assert said.text == ""


def test_a_carrier_that_cannot_be_written_is_one_warning(said: pytest.LogCaptureFixture) -> None:
    """A tuple or a set gets nothing, and the program goes on."""
    with capture(), spyglass.agent("boss"):
        assert spyglass.inject((1, 2)) == (1, 2)
        assert spyglass.inject(frozenset("x")) == {"x"}
        assert said.text.count("could not put the context into a") == 1


def test_what_is_sent_stays_within_what_servers_take() -> None:
    """A long session is left out in part, so that no request is refused for its headers."""
    long = "ü" * 1_000
    with capture(), spyglass.session(user=long, project=long, session="short", conversation=long, organization=long):
        headers = spyglass.inject()
    assert len(headers["baggage"]) <= 8_192
    assert "spyglass.session=short" in headers["baggage"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(["traceparent", "tracestate", "baggage", "x"]), st.text() | st.binary()))
def test_no_header_raises(headers: dict[str, Any]) -> None:
    """Whatever text or bytes the fields hold, the code inside runs."""
    with capture(), spyglass.extract(headers), spyglass.tool("t"):
        assert isinstance(spyglass.inject(), dict)


@settings(deadline=None, max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100))
def test_ids_of_any_letters_arrive(user: str) -> None:
    """Every id that a session can have arrives as it was, but for blanks around it."""
    with capture() as captured:
        with spyglass.session(user=user), spyglass.agent("boss"):
            headers = spyglass.inject()
        with spyglass.extract(headers), spyglass.tool("t"):
            pass
        assert captured.attributes("execute_tool t")["user.id"] == user
        assert headers["baggage"].isascii()
