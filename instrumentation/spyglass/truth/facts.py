"""Find the facts in the warehouse that explain a difference from the truth, as sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from spyglass.truth.counting import Call, Counted, Found
from spyglass.truth.recordings import Served

# Tokens in and out of a request, and how many requests had them.
Pairs = Counter[tuple[int, int]]


def without_embeddings(served: Sequence[Served], counted: Counted) -> tuple[Sequence[Served], Counted, list[str]]:
    """Leave embeddings aside where no span reports the usage of any; returns the rest, and notes of what was left out.

    Those of a retrieval seldom have a span, and those that a program makes by itself have no request.
    """
    spans = [call for call in counted.calls if call.is_embedding]
    requests = [request for request in served if _is_embedding(request)]
    if any(call.has_usage for call in spans) or len(spans) == len(requests):
        return served, counted, []
    rest = counted._replace(
        calls=tuple(call for call in counted.calls if not call.is_embedding), total=counted.total - len(spans)
    )
    note = f"embeddings, of which no span reports usage: {len(requests)} served, {len(spans)} counted"
    return [request for request in served if not _is_embedding(request)], rest, [note]


def of_tokens(served: Sequence[Served], counted: Counted) -> list[str]:
    """Return what explains that the sums of tokens differ; nothing where it does not follow from facts.

    It follows where each call whose numbers are beyond doubt is one of those served, and where as many calls have
    unknown or doubtful numbers as requests remain; or where there is something behind which any number of requests may
    be hidden. It does not follow where a span holds numbers that nobody reads.
    """
    lost = _lost(served, counted)
    if lost is None or not _sums_fit(counted.calls, lost) or (counted.unread and not counted.faults):
        return []
    embeddings = _retrievals(counted) if _without_output(lost) else []
    remaining = lost.total() - (_without_output(lost) if embeddings else 0)
    hidden = _hidden(counted)
    if remaining and not hidden and remaining > _unknown(served, counted):
        return []
    with_failed = failures(served, counted) > 0
    silent = _silent(counted.calls, with_failed=with_failed) if remaining else []
    estimates = _grouped(counted.calls, _is_estimated, "has a usage that its emitter estimated")
    return [*silent, *embeddings, *estimates, *_instant(counted), *hidden]


def of_calls(served: Sequence[Served], counted: Counted) -> list[str]:
    """Return what explains that there are more or fewer calls than requests; nothing where facts do not."""
    missing = len(served) - counted.total
    if missing < 0:
        instant = sum(map(_is_instant, counted.calls))
        return [*_marked(counted), *(_instant(counted) if -missing <= instant else [])]
    lost = _lost(served, counted)
    repeated = max(0, -failures(served, counted))
    if lost and missing - repeated <= _without_output(lost):
        return [*_retrievals(counted), *_hidden(counted)]
    return _hidden(counted)


def of_failures(served: Sequence[Served], counted: Counted) -> str:
    """Return why there are more or fewer calls than requests, where only failed ones without usage make the difference.

    Clients repeat a request that fails inside of one call, and a call may fail before its request is sent. An empty
    text is returned where it is not that.
    """
    missing, surplus = len(served) - counted.total, failures(served, counted)
    if 0 < missing <= -surplus:
        return (
            f"failed requests without a span of their own, because the client repeats them inside of a call: {missing}"
        )
    if 0 < -missing <= surplus:
        return f"calls that failed before the provider saw a request: {-missing}"
    return ""


def of_unread(counted: Counted) -> list[str]:
    """Return where spans without usage hold numbers that nobody reads."""
    return [_sentence(each, "is not read") for each in counted.unread]


def failures(served: Sequence[Served], counted: Counted) -> int:
    """Return by how much more calls that failed without usage are counted than were served."""
    return sum(map(_is_silent_failure, counted.calls)) - sum(not request.ok for request in served)


def _lost(served: Sequence[Served], counted: Counted) -> Pairs | None:
    """Return the requests that no call beyond doubt stands for; None where such a call is none of the requests.

    One that took no time may be none of them: then it is one too many, and stands for nothing that is lost.
    """
    certain, instant = (_pairs(counted.calls, each) for each in (_is_certain, _is_instant))
    true: Pairs = Counter((request.input or 0, request.output or 0) for request in served if request.reported)
    return None if certain - true - instant else true - certain


def _pairs(calls: Iterable[Call], belongs: Callable[[Call], bool]) -> Pairs:
    return Counter((call.input or 0, call.output or 0) for call in calls if belongs(call))


def _unknown(served: Sequence[Served], counted: Counted) -> int:
    """Return how many calls may stand for requests of which usage was reported."""
    unknown = sum(_is_silent(call) or _is_doubtful(call) for call in counted.calls)
    unreported = sum(request.ok and not request.reported for request in served)
    return unknown + max(0, failures(served, counted)) - unreported


def _without_output(lost: Pairs) -> int:
    """Return how many of the requests are embeddings, which have no output."""
    return sum(number for (_, output), number in lost.items() if output == 0)


def _is_certain(call: Call) -> bool:
    """Say whether its numbers are beyond doubt: all there, of one call, as the provider told them."""
    whole = call.input is not None and (call.output is not None or call.is_embedding)
    return whole and call.is_call and not call.fault and call.source not in ("estimated", "aggregated")


def _is_doubtful(call: Call) -> bool:
    return call.is_call and call.has_usage and not _is_certain(call)


def _is_silent(call: Call) -> bool:
    return call.is_call and not call.has_usage and not call.failed and not call.is_summed


def _is_silent_failure(call: Call) -> bool:
    return call.is_call and not call.has_usage and call.failed


def _is_estimated(call: Call) -> bool:
    return call.source == "estimated"


def _is_instant(call: Call) -> bool:
    return call.is_instant and call.has_usage


def _is_embedding(request: Served) -> bool:
    return request.reported and not request.output


def _is_sum(call: Call) -> bool:
    return not call.is_call


def _sums_fit(calls: Iterable[Call], lost: Pairs) -> bool:
    """Say whether what spans report as sums is no more than what calls do not report."""
    sums = [call for call in calls if _is_sum(call) and not call.fault]
    inputs, outputs = (sum(pair[at] for pair in lost.elements()) for at in (0, 1))
    return sum(call.input or 0 for call in sums) <= inputs and sum(call.output or 0 for call in sums) <= outputs


def _silent(calls: Sequence[Call], *, with_failed: bool) -> list[str]:
    found = _grouped(calls, _is_silent, "reports no usage")
    return found + (_grouped(calls, _is_silent_failure, "failed and reports no usage") if with_failed else [])


def _hidden(counted: Counted) -> list[str]:
    """Return the facts behind which any number of calls may be hidden."""
    sums = _grouped(counted.calls, _is_sum, "is a sum over calls that have no span or no tokens")
    return [*_marked(counted), *sums, *_unseen(counted)]


def _instant(counted: Counted) -> list[str]:
    what = "took less than a millisecond: a cache answered it, or the program wrote it"
    return _grouped(counted.calls, _is_instant, what)


def _marked(counted: Counted) -> list[str]:
    return [_sentence(each, "is a known fault of it") for each in counted.faults]


def _retrievals(counted: Counted) -> list[str]:
    return [_sentence(each, "has no span of the call that embeds its query") for each in counted.retrievals]


def _unseen(counted: Counted) -> list[str]:
    if not counted.calls:
        return ["there is no span of a model call"]
    return [_sentence(each, "is an agent in a trace without a span of a model call") for each in counted.unseen]


def _sentence(found: Found, what: str) -> str:
    return f"{found.spans} span{'s' * (found.spans > 1)} of {found.scope}: {found.what} {what}"


def _grouped(calls: Sequence[Call], belongs: Callable[[Call], bool], what: str) -> list[str]:
    """Return the sentence once for each scope and model of the calls that belong."""
    found = Counter((call.scope, call.model or "an unnamed model") for call in calls if belongs(call))
    return [_sentence(Found(scope, model, number), what) for (scope, model), number in sorted(found.items())]
