"""What is put into the queries of panels: as Grafana and its data sources would."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grafana import build
from grafana.live import PanelQuery, queries
from grafana.variables import anything_but
from spyglass.errors import UsageError

END = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
START = END - timedelta(hours=1)
OVERVIEW: dict[str, Any] = json.loads(build.text(build.DASHBOARDS[0]))


def one(panel: str, variables: dict[str, Any] | None = None, ref_id: str = "A", **options: Any) -> PanelQuery:
    """Return one query of the overview, for a fixed hour."""
    found = queries(OVERVIEW, variables, start=START, end=END, **options)
    (query,) = [each for each in found if (each.panel, each.ref_id) == (panel, ref_id)]
    return query


def test_every_target_becomes_a_query_with_nothing_left_to_replace() -> None:
    """Each target of each panel is one query of a store, without a variable or macro left in it."""
    found = queries(OVERVIEW, start=START, end=END)
    assert len(found) == sum(len(panel.get("targets", ())) for panel in OVERVIEW["panels"])
    assert {query.store for query in found} == {"prometheus", "clickhouse", "tempo"}
    assert not [query for query in found if re.search(r"\$[\w{]", query.query.replace("$re$", ""))]
    assert {query.panel for query in found if query.empty} == {
        "GPU",
        "GPU memory",
        "Newest errors",
        "Firing alerts",
    }


def test_promql_gets_values_escaped_and_intervals() -> None:
    """Prometheus gets a regular expression of the chosen values, and a rate interval of four scrapes or more."""
    query = one("Failed runs by agent", {"organization": ["acme", "o.b (c)"], "agent": "a.b"})
    assert 'spyglass_organization=~"(acme|o\\\\.b \\\\(c\\\\))"' in query.query
    assert 'gen_ai_agent_name=~"a\\\\.b"' in query.query
    assert 'spyglass_project=~".*"' in query.query
    assert "[60s]" in query.query
    assert "[135s]" in one("Failed runs by agent", step_seconds=120).query


def test_sql_gets_values_in_a_heredoc_and_the_plugins_macros() -> None:
    """The warehouse gets values as a regular expression that no quote ends, and times as the plugin writes them."""
    query = one("Runs", {"organization": ["O'Neill.x"]})
    assert "match(organization, $re$^(?:O'Neill\\.x)$$re$)" in query.query
    between = f"timestamp >= fromUnixTimestamp64Milli({int(START.timestamp() * 1000)}) AND timestamp <= "
    assert f"{between}fromUnixTimestamp64Milli({int(END.timestamp() * 1000)})" in query.query
    assert "toStartOfInterval(toDateTime(timestamp), INTERVAL 60 second)" in one("Runs by outcome").query
    bars = one("Runs by outcome", {"interval": "5m"})
    assert "INTERVAL 300 second" in bars.query
    assert bars.step_seconds == 300


def test_traceql_gets_values_between_back_quotes() -> None:
    """Tempo gets the same regular expressions, unescaped by quotes."""
    query = one("Newest runs", {"organization": ["a.b", "c"], "project": "p"})
    assert 'span."spyglass.organization" =~ `(a\\.b|c)` && span."spyglass.project" =~ `p`' in query.query
    assert query.limit == 20


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ("demo", "`demo`"),
        (["demo"], "`demo`"),
        ("$__all", f"`{anything_but('demo')}`"),
        (None, f"`{anything_but('demo')}`"),
    ],
)
def test_all_organizations_leave_demo_out_and_demo_can_be_chosen(given_value: Any, expected: str) -> None:
    """All means every organization but demo; demo comes when it is named."""
    chosen = {} if given_value is None else {"organization": given_value}
    assert f'span."spyglass.organization" =~ {expected}' in one("Newest runs", chosen).query


@given(st.text() | st.sampled_from(["", "d", "de", "dem", "demo", "demo ", "demos", "edemo", "DEMO", "deno"]))
def test_anything_but_a_word_is_everything_but_that_word(text: str) -> None:
    """The expression for All, anchored as the stores anchor it, matches every text except the word."""
    matched = re.fullmatch(anything_but("demo"), text, re.DOTALL) is not None
    assert matched == (text != "demo")


def test_an_unknown_variable_is_refused_by_name() -> None:
    """A value for a variable that the dashboard does not have is a mistake of the caller, told with those it has."""
    with pytest.raises(UsageError, match=r"spyglass-overview has no variable 'organisation'\. It has organization,"):
        queries(OVERVIEW, {"organisation": "acme"})


def test_an_interval_that_is_none_is_refused() -> None:
    """An interval that Grafana would not understand is refused with examples."""
    with pytest.raises(UsageError, match="'five' is not an interval such as 30s, 5m or 1h"):
        queries(OVERVIEW, {"interval": "five"})


def test_a_value_without_a_format_is_refused_where_quotes_would_break_it() -> None:
    """SQL and TraceQL must say how a value is written, because their stores do not."""
    broken = json.loads(json.dumps(OVERVIEW).replace("${organization:regex}", "${organization}"))
    with pytest.raises(UsageError, match=r"Write \$\{name:regex\}"):
        queries(broken, {"organization": "acme"})
