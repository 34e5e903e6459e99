"""Recordings are kept apart from each other."""

from __future__ import annotations

import json
from pathlib import Path

from spyglass.demo.replay import rewrite
from spyglass.truth import recordings, replaying

FIXTURES = Path(__file__).parents[1] / "fixtures" / "spans"
NAMES = ("agent-framework__native", "anthropic__native", "agent-framework__native")
NOW_NS = 2_000_000_000 * 10**9


def test_recordings_follow_each_other_and_share_no_trace() -> None:
    """The last recording ends now, each other one before the next begins, and one that comes again gets other ids."""
    read = [recordings.read(FIXTURES / f"{name}.json") for name in NAMES]
    made = replaying.prepare(read, NOW_NS, renew=False)
    periods = [rewrite.times(each.requests[-1].document) for each in made]
    assert all(period is not None for period in periods)
    moments = [moment for period in periods if period for moment in period]
    assert moments == sorted(moments)
    assert moments[-1] == NOW_NS
    traces = [{trace for trace, _ in each.spans} for each in made]
    assert traces[0].isdisjoint(traces[2])
    assert made[2].spans == read[2].spans
    assert len(made[0].spans) == len(read[0].spans)
    assert all(ids["traceId"] in traces[0] for ids in _log_ids(made[0]))


def test_all_ids_are_new_where_others_may_have_them() -> None:
    """In a stack that runs already, no recording keeps an id, and the recording itself is left as it was."""
    path = FIXTURES / "anthropic__native.json"
    read = recordings.read(path)
    (made,) = replaying.prepare([read], NOW_NS, renew=True)
    assert made.spans.isdisjoint(read.spans)
    assert read == recordings.read(path)


def _log_ids(recording: recordings.Recording) -> list[dict[str, str]]:
    document = recording.requests[0].document
    assert "resourceLogs" in json.dumps(document)
    return [record for scope in document["resourceLogs"][0]["scopeLogs"] for record in scope["logRecords"]]
