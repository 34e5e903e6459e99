"""Put ports, folders and programs into the configurations, and write them where the parts read them."""

from __future__ import annotations

import string
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from spyglass import assets
from spyglass.settings import Settings
from spyglass.stack import alerting, grafana, programs
from spyglass.stack.catalogue import PROGRAMS
from spyglass.stack.files import Files
from spyglass.stack.parts import Part

SECRET_MODE = 0o600
TEMPLATES = {"prometheus": "prometheus.yaml", "tempo": "tempo.yaml"}
LOG_MEGABYTES, LOG_FILES = 20, 3
PROBE_SECONDS = 5
BACKOFF_SECONDS = 2


def values(settings: Settings, files: Files, parts: Iterable[Part]) -> dict[str, str]:
    """Return what ``${…}`` stands for; builds the programs that the parts need and that are not there yet."""
    found = {f"PORT_{name.upper()}": str(port) for name, port in settings.ports().items()}
    found |= {
        "DATA_DIR": str(files.data),
        "CONFIG_DIR": str(files.config),
        "DEPLOY_DIR": str(assets.folder("deploy")),
        "ALERTMANAGER_DIR": str(assets.folder("alertmanager")),
        "COLLECTOR_CONFIG_DIR": str(assets.folder("collector-config")),
        "GRAFANA_DIR": str(assets.folder("grafana")),
        "COLLECTOR_FURTHER_LAYERS": "\n".join(f"--config={path}" for path in _further_layers(settings)),
        "RETENTION_PROMETHEUS_DAYS": str(settings.retention_prometheus_days),
        "RETENTION_TEMPO_HOURS": str(settings.retention_tempo_hours),
        "PYTHON": sys.executable,
    }
    words = {word for part in parts for word in _words(*part.command, *part.check)}
    for name in PROGRAMS:
        word = f"PROGRAM_{name.upper().replace('-', '_')}"
        if word in words:
            found[word] = str(programs.locate(name, settings))
    server = grafana.server(settings)
    found["GRAFANA_URL"] = f"http://127.0.0.1:{settings.port('grafana')}" if server else ""
    if server:
        found |= {"GRAFANA": str(server), "GRAFANA_HOME": str(grafana.home(server))}
    return found | {"GRAFANA_PLUGINS": str(grafana.plugins(files))}


def _further_layers(settings: Settings) -> list[Path]:
    names = filter(None, (name.strip() for name in settings.collector_config.split(",")))
    return [Path(name).expanduser().absolute() for name in names]


def fill(text: str, found: Mapping[str, str]) -> str:
    """Put the values in; a word that is not known is a mistake in our own templates and raises KeyError."""
    return string.Template(text).substitute(found)


def fill_all(texts: Sequence[str], found: Mapping[str, str]) -> list[str]:
    """Put the values into each text; a value of several lines makes several texts, and an empty one none."""
    return [line for text in texts for line in fill(text, found).splitlines()]


def write(settings: Settings, files: Files, parts: Sequence[Part], found: Mapping[str, str]) -> None:
    """Write the configurations of these parts and process-compose's project file, readable by the owner only.

    Raises SettingError when the settings of a receiver of alerts are not complete.
    """
    for part in parts:
        if part.name in TEMPLATES:
            template = assets.folder("deploy") / "local" / TEMPLATES[part.name]
            _write(files.config / template.name, fill(template.read_text(encoding="utf-8"), found))
        elif part.name == "alertmanager":
            _write(files.config / "alertmanager.yaml", _yaml(alerting.config(settings)))
    _write(files.project, _yaml(_project(files, parts, found)))


def _project(files: Files, parts: Sequence[Part], found: Mapping[str, str]) -> dict[str, Any]:
    names = {part.name for part in parts}
    return {
        "version": "0.5",
        "is_strict": True,
        "disable_env_expansion": True,
        "ordered_shutdown": True,
        "processes": {part.name: _process(part, names, files, found) for part in parts},
    }


def _process(part: Part, names: set[str], files: Files, found: Mapping[str, str]) -> dict[str, Any]:
    needs = [name for name in part.needs if name in names]
    process: dict[str, Any] = {
        # What needs others is started by us, as soon as they are ready: process-compose looks once a second at best.
        "disabled": bool(needs),
        "entrypoint": fill_all(part.command, found),
        "working_dir": fill(part.folder, found) if part.folder else str(files.data),
        "environment": fill_all(part.environment, found),
        "depends_on": {name: {"condition": "process_started"} for name in needs},
        "availability": {"restart": "always", "backoff_seconds": BACKOFF_SECONDS},
        "shutdown": {"signal": 15, "timeout_seconds": part.stop_seconds},
        "log_location": str(files.log(part.name)),
        "log_configuration": {
            "disable_json": True,
            "fields_order": ["message"],
            "no_color": True,
            "no_metadata": True,
            "flush_each_line": True,
            "rotation": {"max_size_mb": LOG_MEGABYTES, "max_backups": LOG_FILES},
        },
    }
    if part.ready:
        port, path = part.ready
        process["readiness_probe"] = {
            "http_get": {"host": "127.0.0.1", "port": found[f"PORT_{port.upper()}"], "path": path},
            "period_seconds": PROBE_SECONDS,
            "timeout_seconds": PROBE_SECONDS,
            "failure_threshold": part.start_seconds // PROBE_SECONDS,
        }
    return process


def _words(*texts: str) -> set[str]:
    return {word for text in texts for word in string.Template(text).get_identifiers()}


def _yaml(content: object) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def _write(path: Path, text: str) -> None:
    path.touch(SECRET_MODE)
    path.chmod(SECRET_MODE)
    path.write_text(text, encoding="utf-8")
