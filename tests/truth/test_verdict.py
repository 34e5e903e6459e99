"""A difference is excused by what the warehouse knows, and by nothing else."""

from __future__ import annotations

import pytest

from spyglass.truth.counting import Call, Counted, Found
from spyglass.truth.recordings import Served
from spyglass.truth.verdict import Verdict, judge

FAILED = Served(ok=False, reported=False, input=None, output=None, cache_read=None, reasoning=None)
UNSAID = FAILED._replace(ok=True)
BIG, SMALL, EMBEDDING = (
    Served(ok=True, reported=True, input=each[0], output=each[1], cache_read=0, reasoning=0)
    for each in ((100, 20), (10, 2), (7, 0))
)
CALL = Call(
    scope="sdk", model="gpt", is_call=True, is_embedding=False, failed=False, is_instant=False, source="reported",
    fault="", input=100, output=20, cache_read=0, reasoning=0,
)  # fmt: skip
LITTLE = CALL._replace(input=10, output=2)
SILENT = CALL._replace(source="missing", input=None, output=None, cache_read=None, reasoning=None)
FAILURE = SILENT._replace(failed=True)
SPANNED = CALL._replace(is_embedding=True, input=7, output=None)
INSTANT = LITTLE._replace(is_instant=True)
TOO_FAST = "took less than a millisecond: a cache answered it, or the program wrote it"
SUM = CALL._replace(is_call=False, source="aggregated", scope="agents", input=110, output=22)
FAULT = Found("sdk", "output of the first event", 1)
RETRIEVAL = Found("chain", "retriever", 1)
UNREAD = Found("agents", "their.total_tokens", 2)


def _counted(*calls: Call, total: int | None = None, **found: tuple[Found, ...]) -> Counted:
    facts = {"faults": (), "unread": (), "retrievals": (), "unseen": ()} | found
    return Counted(calls, len(calls) if total is None else total, 0, 0, **facts)


def _judged(served: list[Served], counted: Counted) -> Verdict:
    return judge("r", served, counted)


@pytest.mark.parametrize(
    ("served", "counted"),
    [
        ([], _counted()),
        ([BIG, SMALL], _counted(LITTLE, CALL)),
        ([BIG, UNSAID, FAILED], _counted(CALL, SILENT, FAILURE)),
        ([BIG, FAILED, FAILED, FAILED], _counted(CALL, FAILURE)),
        ([BIG], _counted(CALL, FAILURE)),
        ([EMBEDDING], _counted(SPANNED)),
        ([BIG, EMBEDDING], _counted(CALL)),
        ([BIG], _counted(CALL, SILENT._replace(is_embedding=True))),
        ([BIG], _counted(CALL._replace(cache_read=None, reasoning=None))),
        # an agent's sum over calls that report nothing, each with a span of its own
        ([BIG, SMALL], _counted(SUM, *[SILENT._replace(source="aggregated")] * 2, total=2)),
    ],
)
def test_what_agrees_is_exact(served: list[Served], counted: Counted) -> None:
    """Numbers that are those of the requests are exact, also where failed requests have more or fewer spans."""
    made = _judged(served, counted)
    assert (made.exact, made.flagged, made.differences, made.flags) == (True, False, [], [])


@pytest.mark.parametrize(
    ("served", "counted", "flags"),
    [
        ([BIG, SMALL], _counted(CALL, SILENT), ["1 span of sdk: gpt reports no usage"]),
        ([BIG, SMALL], _counted(CALL, FAILURE), ["1 span of sdk: gpt failed and reports no usage"]),
        ([BIG], _counted(), ["there is no span of a model call"]),
        (
            [BIG, UNSAID],
            _counted(CALL, LITTLE._replace(source="estimated")),
            ["1 span of sdk: gpt has a usage that its emitter estimated"],
        ),
        (
            [BIG],
            _counted(CALL._replace(output=1, fault=FAULT.what), faults=(FAULT,)),
            ["1 span of sdk: output of the first event is a known fault of it"],
        ),
        (
            [BIG, SMALL],
            _counted(SUM),
            ["1 span of agents: gpt is a sum over calls that have no span or no tokens"],
        ),
        (
            [BIG, EMBEDDING, EMBEDDING],
            _counted(CALL, SPANNED, retrievals=(RETRIEVAL,)),
            ["1 span of chain: retriever has no span of the call that embeds its query"],
        ),
        ([BIG], _counted(CALL, INSTANT), [f"1 span of sdk: gpt {TOO_FAST}"]),
        (
            [BIG, SMALL],
            _counted(CALL, unseen=(Found("agents", "planner", 1),)),
            ["1 span of agents: planner is an agent in a trace without a span of a model call"],
        ),
    ],
)
def test_what_the_warehouse_knows_to_be_missing_is_flagged(
    served: list[Served], counted: Counted, flags: list[str]
) -> None:
    """A difference that follows from a fact is flagged with that fact, and nothing else."""
    made = _judged(served, counted)
    assert (made.exact, made.flagged, made.flags) == (False, True, flags)


@pytest.mark.parametrize(
    ("served", "counted"),
    [
        # a number that was reported, and is that of no request, is excused by nothing
        ([BIG], _counted(CALL._replace(input=101))),
        ([BIG, SMALL], _counted(CALL._replace(input=101), SILENT)),
        ([BIG, SMALL], _counted(CALL._replace(input=101), FAILURE, faults=(FAULT,))),
        ([BIG], _counted(CALL, CALL)),
        # a number that took no time stands for no request, and excuses no other one
        ([BIG], _counted(CALL._replace(input=101, is_instant=True))),
        ([BIG], _counted(CALL._replace(input=101), INSTANT)),
        ([BIG, SMALL], _counted(CALL._replace(is_instant=True), LITTLE._replace(output=3))),
        ([UNSAID], _counted(CALL)),
        ([BIG], _counted(CALL._replace(cache_read=3))),
        # fewer calls without usage than requests that nobody counts
        ([BIG, SMALL, SMALL], _counted(CALL, SILENT)),
        ([BIG, SMALL, UNSAID], _counted(CALL, SILENT)),
        ([BIG, FAILED], _counted(FAILURE)),
        ([BIG, UNSAID], _counted(CALL)),
        # only a request without output can be an embedding
        ([BIG, SMALL], _counted(CALL, retrievals=(RETRIEVAL,))),
        # a sum that is more than what calls leave
        ([BIG, SMALL], _counted(CALL, SUM, total=2)),
        # what stands in a span is not missing
        ([BIG, SMALL], _counted(CALL, SILENT, unread=(UNREAD,))),
        ([BIG], _counted(unread=(UNREAD,))),
        ([BIG], _counted(CALL, SILENT)),
    ],
)
def test_what_no_fact_explains_is_different(served: list[Served], counted: Counted) -> None:
    """A wrong number, a call too many, or more missing than is known to be missing, is a difference without excuse."""
    made = _judged(served, counted)
    assert (made.exact, made.flagged) == (False, False)
    assert made.differences


def test_unread_numbers_are_named() -> None:
    """A difference beside numbers that nobody reads says where these stand."""
    made = _judged([BIG], _counted(unread=(UNREAD,)))
    assert "2 spans of agents: their.total_tokens is not read" in made.differences
