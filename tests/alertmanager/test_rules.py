"""The rules, their tests and their runbooks: checked by the real tools, and complete."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from grafana.dashboards import DASHBOARDS
from grafana.vocabulary import known_labels, known_metrics, used
from spyglass.assets import folder
from tests.alertmanager.conftest import Program

ROOT = folder("alertmanager")
FILES = sorted((ROOT / "rules").glob("*.yaml"))
SEVERITIES = {"low", "medium", "high", "critical"}
RUNBOOK_HEADINGS = ["Meaning", "Impact", "First look", "Queries to copy", "Remedy", "How to silence"]


def rules(path: Path) -> list[dict[str, Any]]:
    """Return the rules of a file, in order."""
    return [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


RULES = [rule for path in FILES for rule in rules(path)]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
NAMES = sorted({rule["alert"] for rule in ALERTS})


def alert_id(rule: dict[str, Any]) -> str:
    """Return a name for a test of one alerting rule."""
    return f"{rule['alert']}-{rule['labels']['severity']}-{rule['labels'].get('reason', '')}"


def test_promtool_and_pint_find_nothing(program: Program) -> None:
    """The rules pass promtool, and pint's offline checks up to warnings."""
    paths = [str(path) for path in FILES]
    subprocess.run([program("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *paths], check=True)
    lint = ["--offline", "--config", "alertmanager/pint.hcl", "lint", "--fail-on=warning", "alertmanager/rules"]
    done = subprocess.run([program("pint"), *lint], cwd=ROOT.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"entries={len(RULES)}" in re.sub(r"\x1b\[\d*m", "", done.stderr)


def test_pint_reads_the_rules(program: Program, tmp_path: Path) -> None:
    """A rule that pint must refuse is refused with the same configuration: the check above can fail."""
    shutil.copytree(ROOT, tmp_path / "alertmanager")
    path = tmp_path / "alertmanager" / "rules" / "hosts.yaml"
    path.write_text(path.read_text().replace("max by (host_name,", "max by (service_name,"))
    lint = ["--offline", "--config", "alertmanager/pint.hcl", "lint", "--fail-on=warning", "alertmanager/rules"]
    done = subprocess.run([program("pint"), *lint], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "host_name" in done.stderr


def test_promtool_tests_pass(program: Program) -> None:
    """Every rule file has a twin of tests that pass: firing, not firing, resolved, rendered annotations."""
    paths = [path.parents[1] / "tests" / path.name for path in FILES]
    done = subprocess.run(
        [program("promtool"), "test", "rules", *map(str, paths)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_is_tested_firing_and_silent(name: str) -> None:
    """Each alert has a test in which it fires with its annotations, and one in which it must not."""
    cases = [
        case
        for path in sorted((ROOT / "tests").glob("*.yaml"))
        for test in yaml.safe_load(path.read_text())["tests"]
        for case in test.get("alert_rule_test", ())
        if case["alertname"] == name
    ]
    assert any(case.get("exp_alerts") for case in cases)
    assert any(not case.get("exp_alerts") for case in cases)
    expected = [alert for case in cases for alert in case.get("exp_alerts") or ()]
    assert all(alert["exp_annotations"]["description"] for alert in expected)


@pytest.mark.parametrize("rule", ALERTS, ids=alert_id)
def test_every_alert_says_what_a_woken_person_needs(rule: dict[str, Any]) -> None:
    """Each alert has severity, owner and component, a summary, a description with its limit, a value and links."""
    name, labels, annotations = rule["alert"], rule["labels"], rule["annotations"]
    assert labels["severity"] in SEVERITIES
    assert labels["owner"]
    assert labels["component"]
    assert set(annotations) == {
        "summary",
        "description",
        "metric",
        "value",
        "threshold",
        "runbook_url",
        "dashboard_url",
    }
    assert annotations["runbook_url"] == f"{{{{ $externalLabels.spyglass_server_url }}}}/runbooks/{name}"
    assert float(annotations["threshold"]) >= 0
    dashboard = re.search(r"/d/([\w-]+)", annotations["dashboard_url"])
    assert dashboard
    assert dashboard[1] in {each.uid for each in DASHBOARDS}


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_has_a_runbook(name: str) -> None:
    """Each alert has a runbook of its name with the same headings, and a command that silences it."""
    text = (ROOT / "runbooks" / f"{name}.md").read_text()
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == RUNBOOK_HEADINGS
    assert f"silence add alertname={name} " in text


def test_every_runbook_has_an_alert() -> None:
    """There is no runbook of an alert that is gone."""
    assert sorted(path.stem for path in (ROOT / "runbooks").glob("*.md")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_queries_of_a_runbook_are_on_metrics_that_exist(name: str) -> None:
    """PromQL that a runbook offers to copy parses, and names metrics and labels that exist."""
    text = (ROOT / "runbooks" / f"{name}.md").read_text()
    blocks = re.findall(r"```promql\n(.*?)```", text, re.DOTALL)
    assert blocks
    for line in (line for block in blocks for line in block.strip().splitlines()):
        found = used(line)
        assert found.metrics - {""} <= known_metrics() | RECORDED, line
        assert found.labels - {"__name__"} <= known_labels(), line


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_rules_name_metrics_and_labels_that_exist(path: Path) -> None:
    """Every metric and label of a rule is in the vocabulary, in the probes' catalogue, a part's own, or recorded."""
    for rule in rules(path):
        found = used(rule["expr"])
        assert found.metrics <= known_metrics() | RECORDED, rule
        assert found.labels <= known_labels(), rule
        templates = " ".join([*rule.get("labels", {}).values(), *rule.get("annotations", {}).values()])
        assert set(re.findall(r"\$labels\.(\w+)", templates)) <= known_labels(), rule


def uses() -> list[tuple[str, int, str]]:
    """Return every use of a metric or label in an expression: the file, the number of the rule, and the name."""
    found = [
        (path.stem, at, name)
        for path in FILES
        for at, rule in enumerate(rules(path))
        for name in sorted(used(rule["expr"]).metrics | used(rule["expr"]).labels)
    ]
    assert len(found) > 50, "the search for names finds too little"
    return found


@pytest.mark.parametrize(("theme", "at", "name"), uses())
def test_a_renamed_metric_or_label_is_noticed(theme: str, at: int, name: str, program: Program, tmp_path: Path) -> None:
    """Renaming one metric or label in one rule, to a name that exists, makes the promtool tests fail."""
    other = "receiver" if name == "exporter" else "exporter"
    if name in known_metrics() | RECORDED:
        other = "spyglass_calls_total" if name.startswith("otelcol") else "otelcol_exporter_queue_size"
    document = yaml.safe_load((ROOT / "rules" / f"{theme}.yaml").read_text())
    (group,) = document["groups"]
    changed = re.sub(rf"(?<![\w:]){re.escape(name)}(?![\w:])", other, group["rules"][at]["expr"])
    assert changed != group["rules"][at]["expr"]
    group["rules"][at]["expr"] = changed
    for part in ("rules", "tests"):
        (tmp_path / part).mkdir()
    (tmp_path / "rules" / f"{theme}.yaml").write_text(yaml.safe_dump(document))
    shutil.copy(ROOT / "tests" / f"{theme}.yaml", tmp_path / "tests")
    command = [program("promtool"), "test", "rules", f"{theme}.yaml"]
    done = subprocess.run(command, cwd=tmp_path / "tests", capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "FAILED" in done.stdout + done.stderr
