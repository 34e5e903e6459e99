"""The files that Grafana provisions itself from."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from grafana import build, style, targets
from spyglass.assets import folder
from spyglass.settings import Settings

PROVISIONING = folder("grafana") / "provisioning"
ENVIRONMENT = {f"PORT_{name.upper()}": str(port) for name, port in Settings().ports().items()} | {
    "SPYGLASS_WAREHOUSE_READER_PASSWORD": "pa55word",
    "DASHBOARDS_DIR": str(build.GENERATED),
}


def provisioned(path: str) -> dict[str, Any]:
    """Return a file as Grafana reads it: $NAME and ${NAME} from the environment, $$ a dollar sign."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return "$" if name is None else ENVIRONMENT[name]

    text = (PROVISIONING / path).read_text()
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found: dict[str, Any] = yaml.safe_load(re.sub(r"\$\$|\$\{(\w+)\}|\$(\w+)", value, code))
    return found


def sources() -> dict[str, dict[str, Any]]:
    """Return the data sources by uid."""
    return {each["uid"]: each for each in provisioned("datasources/spyglass.yaml")["datasources"]}


def test_the_data_sources_are_those_that_panels_name() -> None:
    """Type and uid of the three provisioned data sources are those of the targets."""
    found = [{"type": each["type"], "uid": uid} for uid, each in sources().items()]
    assert found == [targets.PROMETHEUS, targets.TEMPO, targets.CLICKHOUSE]


def test_the_data_sources_are_on_loopback_at_the_stacks_ports() -> None:
    """Each data source is asked on loopback, at the port that the environment gives."""
    found, ports = sources(), Settings().ports()
    assert found["prometheus"]["url"] == f"http://127.0.0.1:{ports['prometheus']}"
    assert found["tempo"]["url"] == f"http://127.0.0.1:{ports['tempo']}"
    warehouse = found["clickhouse"]["jsonData"]
    assert (warehouse["host"], int(warehouse["port"])) == ("127.0.0.1", ports["warehouse"])
    assert (warehouse["username"], warehouse["defaultDatabase"]) == ("reader", "spyglass")


def test_the_password_comes_from_the_environment_only() -> None:
    """The reader's password stands in no file, and reaches the secret part of the data source."""
    assert sources()["clickhouse"]["secureJsonData"] == {"password": "pa55word"}
    assert "pa55word" not in str(sources()["clickhouse"]["jsonData"])


def test_exemplars_lead_to_traces_and_traces_to_logs() -> None:
    """A dot over a chart opens its trace in Tempo, and a trace its logs in the warehouse."""
    found = sources()
    (exemplar,) = found["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert exemplar == {"name": "trace_id", "datasourceUid": "tempo"}
    logs = found["tempo"]["jsonData"]["tracesToLogsV2"]
    assert (logs["datasourceUid"], logs["customQuery"]) == ("clickhouse", True)
    assert "FROM logs WHERE trace_id = '${__trace.traceId}' AND $__timeFilter_ms(timestamp)" in logs["query"]
    (correlation,) = found["tempo"]["correlations"]
    assert correlation["targetUID"] == "clickhouse"
    assert "trace_id = '${__value.raw}'" in correlation["config"]["target"]["rawSql"]


def test_rates_span_what_the_data_source_says() -> None:
    """The scrape interval that Grafana computes rate intervals from is the one that the queries are proven with."""
    assert sources()["prometheus"]["jsonData"]["timeInterval"] == f"{style.SCRAPE_SECONDS}s"


def test_the_dashboards_come_from_the_generated_folder() -> None:
    """Grafana reads the generated folder into the folder Spyglass, and lets nobody edit what would be lost."""
    (provider,) = provisioned("dashboards/spyglass.yaml")["providers"]
    assert provider["folder"] == style.FOLDER
    assert provider["allowUiUpdates"] is False
    names = sorted(path.name for path in Path(provider["options"]["path"]).iterdir())
    assert names == [f"{each.name}.json" for each in build.DASHBOARDS]


@pytest.mark.parametrize("path", ["datasources/spyglass.yaml", "dashboards/spyglass.yaml"])
def test_provisioning_names_only_what_the_stack_gives(path: str) -> None:
    """Every variable of a provisioning file is one that Grafana's process gets."""
    assert provisioned(path)["apiVersion"] == 1
