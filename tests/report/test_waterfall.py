from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spyglass.report.waterfall import bars


def _span(span_id: str, parent: str, start: int, end: int, **more: Any) -> dict[str, Any]:
    times = {"startTimeUnixNano": str(start), "endTimeUnixNano": str(end)}
    return {"spanId": span_id, "parentSpanId": parent, "name": span_id} | times | more


def _trace(*spans: dict[str, Any]) -> dict[str, Any]:
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "app"}}]}
    return {"batches": [{"resource": service, "scopeSpans": [{"spans": list(spans)}]}]}


def test_children_stand_below_their_parent_by_start_time() -> None:
    """Spans are drawn depth-first, children by start, each with its share of the trace's time."""
    kind = {"key": "spyglass.kind", "value": {"stringValue": "agent"}}
    drawn = bars(
        _trace(
            _span("late", "root", 60, 100, status={"code": "STATUS_CODE_ERROR"}),
            _span("early", "root", 20, 40),
            _span("root", "", 0, 100, attributes=[kind]),
            _span("grandchild", "early", 20, 30),
        )
    )
    assert [(bar.name, bar.depth) for bar in drawn] == [("root", 0), ("early", 1), ("grandchild", 2), ("late", 1)]
    assert [(bar.left, bar.width) for bar in drawn] == [(0, 1), (0.2, 0.2), (0.2, 0.1), (0.6, 0.4)]
    assert (drawn[0].kind, drawn[1].kind, drawn[0].service) == ("agent", "unknown", "app")
    assert [bar.failed for bar in drawn] == [False, False, False, True]


def test_a_span_whose_parent_is_missing_is_a_root() -> None:
    """A span of which the parent never came is drawn, at the left."""
    assert [(bar.name, bar.depth) for bar in bars(_trace(_span("orphan", "gone", 0, 1)))] == [("orphan", 0)]


def test_nothing_to_draw() -> None:
    """A trace without spans has no bars."""
    assert bars({}) == []


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 50), st.integers(0, 50)), max_size=12))
def test_any_shape_is_drawn_without_looping(shape: list[tuple[int, int, int, int]]) -> None:
    """Whatever the parents are, cycles and duplicates included, drawing ends and draws no span twice."""
    spans = [_span(str(own), str(parent), start, start + length) for own, parent, start, length in shape]
    assert len(bars(_trace(*spans))) <= len(spans)
