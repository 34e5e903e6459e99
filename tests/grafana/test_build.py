"""The dashboards' JSON, as built and as committed, and the command that builds it."""

import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from grafana import build, style
from grafana.targets import CLICKHOUSE, PROMETHEUS, TEMPO
from grafana.vocabulary import known_labels, known_metrics
from spyglass.cli import main


def test_committed_json_is_what_the_code_makes() -> None:
    """Building again gives the committed bytes, and the lint finds nothing in them."""
    assert build.check() == []


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    """A second build changes nothing, and a dashboard that is gone is removed."""
    first = build.write(tmp_path)
    assert [path.name for path in first] == [f"{dashboard.name}.json" for dashboard in build.DASHBOARDS]
    assert build.write(tmp_path) == []
    assert all(path.read_bytes() == (build.GENERATED / path.name).read_bytes() for path in first)
    gone = tmp_path / "gone.json"
    gone.write_text("{}")
    assert [finding.problem for finding in build.check(tmp_path)] == [
        "gone.json belongs to no dashboard: build again to remove it"
    ]
    assert build.write(tmp_path) == [gone]
    assert not gone.exists()


def test_an_edited_file_is_noticed(tmp_path: Path) -> None:
    """JSON that was edited by hand, or is not there, is reported by file."""
    build.write(tmp_path)
    path = build.generated(build.DASHBOARDS[0], tmp_path)
    path.write_text(path.read_text().replace("Fleet overview", "Fleet review"))
    assert [finding.rule for finding in build.check(tmp_path)] == ["generated"]
    path.unlink()
    assert [finding.rule for finding in build.check(tmp_path)] == ["generated"]


def test_the_overview_is_grafanas_current_model() -> None:
    """The overview has its uid, schema 42, no key of older Grafanas, and only the three provisioned data sources."""
    (overview,) = [json.loads(build.text(each)) for each in build.DASHBOARDS if each.name == "overview"]
    assert overview["uid"] == "spyglass-overview"
    assert overview["schemaVersion"] == 42
    assert not {"rows", "hideControls", "style", "sharedCrosshair", "gnetId"} & set(overview)
    panels = [panel for panel in overview["panels"] if panel["type"] != "row"]
    assert {panel["type"] for panel in panels} == {"timeseries", "stat", "gauge", "table"}
    assert all(panel["pluginVersion"] == style.GRAFANA_VERSION for panel in panels)
    sources = [target["datasource"] for panel in panels for target in panel["targets"]]
    assert all(source in sources for source in (PROMETHEUS, CLICKHOUSE, TEMPO))
    assert all(source in (PROMETHEUS, CLICKHOUSE, TEMPO) for source in sources)


def test_the_overview_links_errors_to_traces_and_durations_to_exemplars() -> None:
    """A trace id in 'Newest errors' opens Tempo, and 'Duration of runs' asks for exemplars."""
    (overview,) = [json.loads(build.text(each)) for each in build.DASHBOARDS if each.name == "overview"]
    panels = {panel["title"]: panel for panel in overview["panels"]}
    overrides = {each["matcher"]["options"]: each for each in panels["Newest errors"]["fieldConfig"]["overrides"]}
    (links,) = [each["value"] for each in overrides["trace_id"]["properties"] if each["id"] == "links"]
    assert links[0]["url"].startswith("/explore?schemaVersion=1&panes=")
    assert quote('"datasource":"tempo"') in links[0]["url"]
    assert "${__data.fields.trace_id}" in links[0]["url"]
    assert any(target["exemplar"] for target in panels["Duration of runs"]["targets"])


SOURCES = sorted(path for path in build.GENERATED.parent.rglob("*.py"))


def test_one_module_knows_grafanalib() -> None:
    """Grafanalib is imported by panels.py and by nothing else."""
    importing = [
        path.name for path in SOURCES if re.search(r"^(from|import) grafanalib", path.read_text(), re.MULTILINE)
    ]
    assert importing == ["panels.py"]


def test_no_query_types_a_name_by_hand() -> None:
    """Names in queries come from the vocabulary: no metric or label that an OTLP name becomes stands in the source."""
    translated = {name for name in known_metrics() | known_labels() if re.match("(gen_ai|hw|spyglass|system)_", name)}
    assert len(translated) > 50
    for path in (path for path in SOURCES if path.parent.name in {"queries", "sections", "dashboards"}):
        assert not translated & set(re.findall(r"\w+", path.read_text())), path.name


def test_colours_of_statuses_stand_for_nothing_else() -> None:
    """Good, warning and bad each have a colour that no other meaning has."""
    colours = [colour.value for colour in style.Colour if colour.name in {"GOOD", "WARNING", "BAD", "UNKNOWN"}]
    others = [colour.value for colour in style.Colour.__members__.values() if colour.value not in colours]
    assert len(set(colours)) == 4
    assert not set(colours) & set(others)


def test_the_command_checks_and_lists(capsys: pytest.CaptureFixture[str]) -> None:
    """``spyglass dashboards`` checks, lists as JSON, and says when there is nothing to build."""
    assert main(["dashboards", "check"]) == 0
    assert capsys.readouterr().out == "1 checked, no mistake\n"
    assert main(["dashboards", "list", "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["uid"] for row in listed] == [dashboard.uid for dashboard in build.DASHBOARDS]
    assert Path(listed[0]["file"]).is_file()
    assert main(["dashboards", "build"]) == 0
    assert capsys.readouterr().out == "1 up to date\n"


def test_the_command_fails_for_a_mistake(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``spyglass dashboards check`` exits with 1 and one JSON object per mistake."""
    monkeypatch.setattr(build.check, "__defaults__", (tmp_path,))
    assert main(["dashboards", "check", "--json"]) == 1
    (finding,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert finding["rule"] == "generated"
