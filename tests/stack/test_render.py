import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from spyglass import assets
from spyglass.errors import PartError, ProgramError
from spyglass.settings import Settings, load
from spyglass.stack import environment, files, render, validation
from spyglass.stack.files import Files
from spyglass.stack.parts import PARTS, Part

NATIVE = ("prometheus", "tempo", "alertmanager")
SECRET = "Planted0Secret1Of2The3Warehouse"


class Rendered:
    """Hold what was rendered for some parts."""

    def __init__(self, data: Path, names: tuple[str, ...], **settings: Any) -> None:
        self.settings = Settings(data_dir=str(data), **_programs(), **settings)
        self.parts: list[Part] = [PARTS[name] for name in names]
        self.place: Files = files.prepare(self.settings, warehouse=False)
        self.values = render.values(self.settings, self.place, self.parts)
        render.write(self.settings, self.place, self.parts, self.values)

    def read(self, name: str) -> Any:
        """Return a rendered file as data."""
        return yaml.safe_load((self.place.config / name).read_text())

    def check(self) -> None:
        """Have the programs check it."""
        validation.check(self.parts, self.values, environment.of_parts(self.settings, self.parts))


def _programs() -> dict[str, Any]:
    """Return the paths of the programs that the environment names."""
    loaded = load().settings
    return {
        name: getattr(loaded, name)
        for name in ("prometheus", "promtool", "alertmanager", "amtool", "tempo", "collector")
    }


@pytest.fixture
def assets_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the stack read a copy of the folders of assets, for tests that break something in it."""
    for name in assets.FOLDERS:
        shutil.copytree(assets.folder(name), tmp_path / "assets" / name)
    for place in ("spyglass.assets.folder", "spyglass.stack.alerting.folder"):
        monkeypatch.setattr(place, lambda name: tmp_path / "assets" / name)
    return tmp_path / "assets"


def test_configurations_pass_their_programs_checks(tmp_path: Path) -> None:
    """Promtool, amtool and Tempo itself accept what is rendered."""
    Rendered(tmp_path, NATIVE, port_offset=3000).check()


def test_prometheus_gets_ports_and_retention(tmp_path: Path) -> None:
    """Ports carry the offset, samples are kept as set, and rules and Alertmanager are found."""
    config = Rendered(tmp_path, NATIVE, port_offset=3000, retention_prometheus_days=3).read("prometheus.yaml")
    targets = {job["job_name"]: job["static_configs"][0]["targets"][0] for job in config["scrape_configs"]}
    assert targets == {
        "collector": "127.0.0.1:11888",
        "warehouse": "127.0.0.1:11123",
        "prometheus": "127.0.0.1:12090",
        "tempo": "127.0.0.1:6200",
        "alertmanager": "127.0.0.1:12093",
        "server": "127.0.0.1:11400",
    }
    assert config["storage"]["tsdb"]["retention"] == {"time": "3d"}
    assert config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == ["127.0.0.1:12093"]
    assert config["rule_files"] == [f"{assets.folder('alertmanager')}/rules/*.yaml"]


def test_tempo_listens_on_loopback_and_reports_to_nobody(tmp_path: Path) -> None:
    """Every address in Tempo's configuration is loopback, and its report to its makers is off."""
    config = Rendered(tmp_path, NATIVE, port_offset=3000, retention_tempo_hours=5).read("tempo.yaml")
    assert config["usage_report"] == {"reporting_enabled": False}
    assert config["compactor"]["compaction"] == {"block_retention": "5h"}
    text = json.dumps(config)
    assert text.count("127.0.0.1") == 8


def test_the_project_of_process_compose(tmp_path: Path) -> None:
    """Parts without needs start by themselves, the others when told; all restart and have time to stop."""
    rendered = Rendered(tmp_path, ("warehouse", "prometheus", "server"), port_offset=3000)
    processes = rendered.read("process-compose.yaml")["processes"]
    assert {name: row["disabled"] for name, row in processes.items()} == {
        "warehouse": False,
        "prometheus": False,
        "server": True,
    }
    assert processes["server"]["depends_on"] == {"warehouse": {"condition": "process_started"}}
    assert processes["warehouse"]["entrypoint"] == [sys.executable, "-m", "spyglass", "warehouse", "serve"]
    assert processes["warehouse"]["shutdown"] == {"signal": 15, "timeout_seconds": 60}
    assert processes["warehouse"]["readiness_probe"]["http_get"] == {
        "host": "127.0.0.1",
        "port": "11123",
        "path": "/ping",
    }
    assert all(row["availability"]["restart"] == "always" for row in processes.values())


def test_no_secret_is_written_into_a_configuration(tmp_path: Path) -> None:
    """The warehouse's passwords are in the parts' environment, and in no rendered file or argument."""
    rendered = Rendered(tmp_path, ("warehouse", *NATIVE, "collector", "server"), warehouse_collector_password=SECRET)
    environ = environment.of_parts(rendered.settings, rendered.parts)
    assert environ["SPYGLASS_WAREHOUSE_COLLECTOR_PASSWORD"] == SECRET
    reader = (tmp_path / "secrets" / "warehouse_reader.password").read_text().strip()
    for path in rendered.place.config.iterdir():
        text = path.read_text()
        assert SECRET not in text
        assert reader not in text
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_environment_of_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts get their ports, the resolved settings and nothing that would make them report to somebody else."""
    for name in (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_TRACES_EXPORTER",
        "JAEGER_ENDPOINT",
        "PC_PORT_NUM",
        "SPYGLASS_X",
        "TRACEPARENT",
    ):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("no_proxy", "example.com")
    settings = Settings(data_dir=str(tmp_path), port_offset=2000, content="full", endpoint="http://elsewhere:4318")
    environ = environment.of_parts(settings, [PARTS["prometheus"]])
    assert "elsewhere" not in environ.values()
    assert environ["PORT_OTLP_HTTP"] == "6318"
    assert environ["DATA_DIR"] == environ["SPYGLASS_DATA_DIR"] == str(tmp_path)
    assert environ["SPYGLASS_ENDPOINT"] == "http://127.0.0.1:6318"
    assert (environ["SPYGLASS_CONTENT"], environ["SPYGLASS_PORT_OFFSET"]) == ("full", "2000")
    assert environ["SPYGLASS_CONFIG"] == "/dev/null"
    assert environ["no_proxy"] == "example.com,127.0.0.1,localhost"
    assert not (tmp_path / "secrets").exists(), "Prometheus alone needs no password"


def test_a_program_that_cannot_be_had_is_named_first(tmp_path: Path) -> None:
    """Rendering stops at a configured program that is not there."""
    settings = Settings(data_dir=str(tmp_path), tempo=str(tmp_path / "tempo"))
    with pytest.raises(ProgramError, match=f"tempo: SPYGLASS_TEMPO names {tmp_path}/tempo, which does not exist"):
        render.values(settings, files.of(settings), [PARTS["tempo"]])


def _typo_in_rule(assets_copy: Path) -> str:
    (assets_copy / "alertmanager" / "rules" / "broken.yaml").write_text(
        "groups: [{name: a, rules: [{alert: A, expr: 'sum('}]}]"
    )
    return r"prometheus: its configuration is refused: .*rules/broken\.yaml.*parse error: .*\. Mend what it names"


def _typo_in_prometheus(assets_copy: Path) -> str:
    path = assets_copy / "deploy" / "local" / "prometheus.yaml"
    path.write_text(path.read_text().replace("scrape_configs", "scrape_config"))
    return r"prometheus: its configuration is refused: .*field scrape_config not found.*config/prometheus\.yaml"


def _typo_in_tempo(assets_copy: Path) -> str:
    path = assets_copy / "deploy" / "local" / "tempo.yaml"
    path.write_text(path.read_text().replace("flush_check_period", "flush_chek_period"))
    return r"tempo: its configuration is refused: .*field flush_chek_period not found.*config/tempo\.yaml"


def _typo_in_routing(assets_copy: Path) -> str:
    path = assets_copy / "alertmanager" / "routing.yaml"
    path.write_text(path.read_text().replace("group_wait", "group_weight"))
    return r"alertmanager: its configuration is refused: .*field group_weight not found.*config/alertmanager\.yaml"


@pytest.mark.parametrize("spoil", [_typo_in_rule, _typo_in_prometheus, _typo_in_tempo, _typo_in_routing])
def test_a_typo_is_told_in_one_sentence_with_its_file(
    assets_copy: Path, tmp_path: Path, spoil: Callable[[Path], str]
) -> None:
    """A configuration that its program refuses is named with the program's reason, before anything starts."""
    expected = spoil(assets_copy)
    with pytest.raises(PartError, match=expected) as raised:
        Rendered(tmp_path / "data", NATIVE).check()
    assert "\n" not in str(raised.value)
