"""The lint of dashboards: nothing in ours, and every known-bad change is found by its rule."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from grafana import build, lint

Json = dict[str, Any]
Break = Callable[[Json], None]


def overview() -> Json:
    """Return the overview's JSON, as Grafana gets it."""
    found: Json = json.loads(build.text(build.DASHBOARDS[0]))
    return found


def panel(dashboard: Json, title: str) -> Json:
    """Return the panel of this title."""
    (found,) = [each for each in dashboard["panels"] if each["title"] == title and each["type"] != "row"]
    assert isinstance(found, dict)
    return found


def renamed(title: str, old: str, new: str, key: str = "expr") -> Break:
    """Return a change that replaces a word in the queries of a panel."""

    def change(dashboard: Json) -> None:
        for target in panel(dashboard, title)["targets"]:
            assert old in target[key]
            target[key] = target[key].replace(old, new)

    return change


def with_value(title: str, path: str, value: object) -> Break:
    """Return a change that sets a key of a panel, by a dotted path."""

    def change(dashboard: Json) -> None:
        place: Any = panel(dashboard, title)
        *way, last = path.split(".")
        for key in way:
            place = place[int(key)] if key.isdigit() else place[key]
        place[last] = value

    return change


def undeclared(dashboard: Json) -> None:
    """Remove the declaration of a variable."""
    dashboard["templating"]["list"] = [each for each in dashboard["templating"]["list"] if each["name"] != "agent"]


def unused(dashboard: Json) -> None:
    """Declare a variable that nothing uses."""
    dashboard["templating"]["list"].append({**dashboard["templating"]["list"][0], "name": "spare"})


KNOWN_BAD: list[tuple[str, str, Break]] = [
    ("model", "schemaVersion is 12", lambda each: each.update(schemaVersion=12)),
    ("model", "do not say spyglass", lambda each: each.update(uid="overview")),
    ("panel_types", "type 'graph' is none of", with_value("Runs by outcome", "type", "graph")),
    ("identities", "id 2 occurs 2 times", with_value("Cost", "id", 2)),
    ("identities", "title 'Tokens' occurs 2 times", with_value("Cost", "title", "Tokens")),
    ("identities", "two targets have one refId", with_value("Duration of runs", "targets.1.refId", "A")),
    ("words", "no title", with_value("Cost", "title", " ")),
    ("words", "does not say what it means", with_value("Cost", "description", "Cost in USD.")),
    ("units", "no unit", with_value("Cost", "fieldConfig.defaults.unit", "")),
    ("sources", "no target", with_value("Cost", "targets", [])),
    ("sources", "is not provisioned", with_value("Cost", "datasource", None)),
    ("sources", "is not provisioned", with_value("Cost", "targets.0.datasource", {"type": "loki", "uid": "loki"})),
    ("grid", "leaves the grid", with_value("Alerts firing", "gridPos.w", 4)),
    ("grid", "covers 'Runs'", with_value("Cost", "gridPos.x", 0)),
    ("variables", "'agent' is not declared", undeclared),
    ("variables", "'spare' is used by no panel", unused),
    ("expansion", "$__timeFilterMs", renamed("Runs", "$__timeFilter_ms", "$__timeFilterMs", "rawSql")),
    ("time_bounds", "no $__timeFilter_ms", renamed("Runs", "$__timeFilter_ms(timestamp)", "1", "rawSql")),
    ("metric_names", "no metric is called 'spyglass_durations", renamed("Duration of runs", "duration_", "durations_")),
    ("metric_names", "no label is called 'state'", renamed("Memory", "system_memory_state", "state")),
    ("metric_names", "no label is called 'model'", renamed("Tokens by model", "(gen_ai_request_model)", "(model)")),
    ("metric_names", "invalid promql query", renamed("Collector queues", " / ", " /// ")),
    ("legends", "shows 'host'", renamed("Memory", "host_name", "host", "legendFormat")),
]


def test_nothing_is_wrong_with_ours() -> None:
    """No rule finds anything in the dashboards that are built."""
    assert [lint.findings(json.loads(build.text(each))) for each in build.DASHBOARDS] == [[]] * len(build.DASHBOARDS)


@pytest.mark.parametrize(
    ("rule", "words", "change"), KNOWN_BAD, ids=[f"{rule}-{at}" for at, (rule, _, _) in enumerate(KNOWN_BAD)]
)
def test_every_known_bad_change_is_found(rule: str, words: str, change: Break) -> None:
    """A dashboard with one mistake is reported by the rule for it, in words that name it."""
    dashboard = overview()
    change(dashboard)
    found = [finding for finding in lint.findings(dashboard) if finding.rule == rule]
    assert any(words in finding.problem for finding in found), found


def test_every_rule_has_a_known_bad_change() -> None:
    """There is no rule that was never seen to find something."""
    assert {rule.__name__ for rule in lint.RULES} == {rule for rule, _, _ in KNOWN_BAD}
