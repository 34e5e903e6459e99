"""Check the properties of rewriting and cutting on made-up requests."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.demo.replay import rewrite
from spyglass.demo.replay.play import shift_to_now
from spyglass.demo.replay.recordings import SIGNALS, Request, size
from spyglass.demo.replay.split import pieces
from spyglass.errors import UsageError

TIMES = st.integers(min_value=0, max_value=2**62)
HEX = "0123456789abcdef"
# Written out again: a name that is missing in the code must fail here.
TIME_KEYS = ("startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "observedTimeUnixNano")
ID_KEYS = ("traceId", "spanId", "parentSpanId")


def _hex(count: int) -> st.SearchStrategy[str]:
    return st.text(HEX, min_size=count, max_size=count)


def _list(items: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, max_size=4)


EVENTS = st.fixed_dictionaries({"timeUnixNano": TIMES.map(str)})
LINKS = st.fixed_dictionaries({"traceId": _hex(32), "spanId": _hex(16)})
SPANS = st.fixed_dictionaries(
    {
        "traceId": _hex(32),
        "spanId": _hex(16),
        "parentSpanId": st.one_of(st.just(""), _hex(16)),
        "startTimeUnixNano": st.one_of(TIMES, TIMES.map(str)),
        "endTimeUnixNano": TIMES.map(str),
        "events": _list(EVENTS),
        "links": _list(LINKS),
        "attributes": _list(st.fixed_dictionaries({"key": st.just("traceId"), "value": st.just({"stringValue": "x"})})),
    }
)
POINTS = st.fixed_dictionaries({"timeUnixNano": TIMES.map(str)})
METRICS = st.one_of(
    st.fixed_dictionaries({"sum": st.fixed_dictionaries({"dataPoints": _list(POINTS)})}),
    st.fixed_dictionaries({"gauge": st.fixed_dictionaries({"dataPoints": _list(POINTS)})}),
)


def _requests(number: int, items: st.SearchStrategy[Any]) -> st.SearchStrategy[Request]:
    signal = SIGNALS[number]
    scopes = st.fixed_dictionaries({"scope": st.just({"name": "s"}), signal.items: _list(items)})
    resources = st.fixed_dictionaries({"resource": st.just({}), signal.scopes: _list(scopes)})
    return _list(resources).map(lambda found: Request(signal, {signal.resources: found}))


TRACES = _requests(0, SPANS)
ANY = st.one_of(TRACES, _requests(2, METRICS))


def _found(document: Any, keys: Any) -> list[tuple[str, str]]:
    if isinstance(document, list):
        return [pair for item in document for pair in _found(item, keys)]
    if isinstance(document, dict):
        here = [(key, str(value)) for key, value in document.items() if key in keys]
        return here + [pair for item in document.values() for pair in _found(item, keys)]
    return []


@given(ANY, st.integers(min_value=1, max_value=2**60))
def test_a_shift_moves_every_time_by_the_same(request_: Request, shift: int) -> None:
    """Each time that is not absent moves by the shift, and nothing else changes."""
    before = copy.deepcopy(request_.document)
    rewrite.shift(request_.document, shift)
    pairs = zip(_found(before, TIME_KEYS), _found(request_.document, TIME_KEYS), strict=True)
    for (key, old), (same, new) in pairs:
        assert key == same
        assert int(new) - int(old) == (shift if int(old) else 0)
    rewrite.shift(request_.document, -shift)
    assert _as_text(request_.document) == _as_text(before)


def _as_text(document: Any) -> Any:
    """Write numbers as text: OTLP/JSON allows both for 64 bits."""
    return json.loads(json.dumps(document), parse_int=str)


@given(ANY)
def test_the_newest_time_becomes_now(request_: Request) -> None:
    """After the shift to now the newest time is now, wherever it stands."""
    period = rewrite.times(request_.document)
    now = 2**63
    rewrite.shift(request_.document, shift_to_now(period, now))
    moved = rewrite.times(request_.document)
    assert (moved is None) == (period is None)
    assert moved is None or moved.newest == now


def test_a_shift_below_1970_is_refused() -> None:
    """A period longer than the time since 1970 cannot end now."""
    with pytest.raises(UsageError, match="before 1970"):
        shift_to_now(rewrite.Period(oldest=1, newest=101), now_ns=100)


@given(st.lists(TRACES, min_size=1, max_size=3), st.binary(min_size=1, max_size=16))
def test_ids_are_renewed_one_to_one(requests: list[Request], key: bytes) -> None:
    """Over several requests equal ids stay equal, different ones different, absent ones absent, and lengths stay."""
    before = [pair for request in requests for pair in _found(request.document, ID_KEYS)]
    ids = rewrite.Ids(key)
    for request in requests:
        rewrite.renew_ids(request.document, ids)
    after = [pair for request in requests for pair in _found(request.document, ID_KEYS)]
    new: dict[str, str] = {}
    for (name, old), (same, renewed) in zip(before, after, strict=True):
        assert name == same
        assert len(old) == len(renewed)
        assert renewed == new.setdefault(old, renewed)
    assert len(set(new.values())) == len(new)
    assert not set(new) & set(new.values()) - {""}


@given(ANY, st.integers(min_value=1, max_value=2_000))
def test_pieces_hold_everything_once_and_in_order(request_: Request, limit: int) -> None:
    """The pieces' items, one after the other, are the request's; only a piece of one item is above the limit."""
    found = list(pieces(request_, limit))
    whole = _leaves(request_.document, request_)
    assert [leaf for piece in found for leaf in _leaves(json.loads(piece.body), request_)] == whole
    assert sum(piece.count for piece in found) == size(request_)
    assert all(len(piece.body) <= limit or piece.count <= 1 for piece in found)


def _leaves(document: Any, request: Request) -> list[Any]:
    signal = request.signal
    items = [
        item
        for resource in document[signal.resources]
        for scope in resource[signal.scopes]
        for item in scope[signal.items]
    ]
    if signal.items != "metrics":
        return items
    return [point for item in items for data in item.values() for point in data["dataPoints"]]
