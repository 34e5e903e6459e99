"""Give spans that lost their parent one that was inferred from the ids that they carry.

The engine finds which traces have to be looked at together, and which spans may be the parent (2_keys, 2_found and 3_*
of clickhouse/finaliser say by what). Here is decided which of them it is: none, unless the agents around them stand one
below the other. Spans are handled in the order of their starts, so whatever stands above is known by then, and the
result does not depend on the order in which spans came.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, groupby
from operator import itemgetter
from typing import Any

from spyglass.names import InferredFrom
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.finaliser.contributions import text
from spyglass.warehouse.finaliser.workplace import Work

# An id that so many traces of one moment share tells nothing of them.
MOST_TOGETHER = 200
# Traces in one statement, whose parameters are in its address.
_AT_ONCE = 200
_AGENTS = "SELECT trace_id, span_id, above FROM spyglass.$run_holders WHERE is_agent AND above != ''"
Place = tuple[str, str]


def gather(warehouse: Warehouse, work: Work, values: Mapping[str, Any]) -> list[int]:
    """Load the spans of the traces in ``$run_traces``, and those of all that may be joined with them.

    Returns the keys that more than MOST_TOGETHER traces share: nothing is joined by these.
    """
    seen: set[tuple[int, str]] = set()
    asked: set[str] = set()
    together: Counter[int] = Counter()
    for number in count():
        values = {**values, "round": number, "next": number + 1}
        work.run(text("2_spans"), values)
        work.run(text("2_keys"), values)
        if number == 0:
            work.run(text("2_known"), values)
        found = {(row["key"], row["trace_id"]) for row in warehouse.rows(work.named(text("2_found")))} - seen
        seen |= found
        together.update(key for key, _ in found if key)
        wanted = {trace for key, trace in found if together[key] <= MOST_TOGETHER} - asked
        asked |= wanted
        if not wanted:
            break
        every = sorted(wanted)
        for at in range(0, len(every), _AT_ONCE):
            work.run(text("2_more"), {**values, "found": every[at : at + _AT_ONCE]})
    return sorted(key for key, traces in together.items() if traces > MOST_TOGETHER)


def join(warehouse: Warehouse, work: Work, values: Mapping[str, Any]) -> None:
    """Fill ``$run_joins``, ``$run_trees`` and ``$run_inferred`` by the keys in ``$run_sought``."""
    work.run(text("3_pairs"), values)
    work.run(text("3_holders"), values)
    forest = {
        (row["trace_id"], row["span_id"]): (row["trace_id"], row["above"]) for row in _rows(warehouse, work, _AGENTS)
    }
    found = resolve(_rows(warehouse, work, text("3_candidates")), forest)
    names = ("joined_trace", "joined_span", "parent_trace", "parent_span", "rule")
    joins = [dict(zip(names, (*span, *parent, rule), strict=True)) for span, (parent, rule) in found.items()]
    warehouse.insert(work.named("spyglass.$run_joins"), joins)
    trees = _trees((join["joined_trace"], join["parent_trace"]) for join in joins)
    rows = [{"tree_trace": trace, "tree": tree} for trace, tree in trees.items()]
    warehouse.insert(work.named("spyglass.$run_trees"), rows)
    work.run(text("3_inferred"), values)


def resolve(
    candidates: Sequence[Mapping[str, Any]], forest: Mapping[Place, Place]
) -> dict[Place, tuple[Place, InferredFrom]]:
    """Return the parents that were found, and by which rule; places are pairs of trace and span id.

    ``candidates`` are rows of 3_candidates, by the start of the span that seeks; ``forest`` leads from an agent to what
    holds the span above it: the nearest agent, else the uppermost span.
    """
    above = dict(forest)
    found: dict[Place, tuple[Place, InferredFrom]] = {}
    for span, rows in groupby(candidates, itemgetter("trace_id", "span_id")):
        by_rule = defaultdict(list)
        for row in rows:
            by_rule[row["rule"]].append(row)
        for rule in InferredFrom:
            chosen = _chosen(span, by_rule[rule], above)
            if chosen:
                found[span] = (chosen["parent_trace"], chosen["parent_span"]), rule
                above[span] = _holder(chosen)
                break
    return found


def _chosen(span: Place, rows: Sequence[Mapping[str, Any]], above: Mapping[Place, Place]) -> Mapping[str, Any] | None:
    """Return the candidate that is the parent, where the agents of all stand one above the other, else None.

    Who has the id first asked for all that has it; in a conversation the innermost agent that runs is at work.
    """
    lines = {}
    for row in rows:
        line = [_holder(row), *_ancestors(_holder(row), above)]
        if not row["is_busy"] and span not in line:
            lines[line[0]] = line
    if not lines:
        return None
    inward = sorted(lines, key=lambda holder: len(lines[holder]))
    if not set(inward) <= set(lines[inward[-1]]):
        return None
    is_conversation = rows[0]["rule"] == InferredFrom.CONVERSATION
    holder = inward[-1] if is_conversation else inward[0]
    own = sorted(
        (row for row in rows if _holder(row) == holder), key=itemgetter("began", "parent_trace", "parent_span")
    )
    chosen = own[-1] if is_conversation else own[0]
    return None if chosen["is_doubtful"] else chosen


def _holder(row: Mapping[str, Any]) -> Place:
    return row["parent_trace"], row["holder"]


def _ancestors(place: Place, above: Mapping[Place, Place]) -> Iterator[Place]:
    """Yield what holds a place, and what holds that; a circle ends where it began."""
    seen = {place}
    while (place := above.get(place, place)) not in seen:
        seen.add(place)
        yield place


def _trees(pairs: Iterable[Place]) -> dict[str, str]:
    """Return of each trace that is joined with another the smallest of all that are joined with it."""
    groups: dict[str, set[str]] = {}
    for one, other in pairs:
        if one != other:
            merged = groups.get(one, {one}) | groups.get(other, {other})
            groups.update(dict.fromkeys(merged, merged))
    return {trace: min(group) for trace, group in groups.items()}


def _rows(warehouse: Warehouse, work: Work, sql: str) -> list[dict[str, Any]]:
    return warehouse.rows(work.named(sql))
