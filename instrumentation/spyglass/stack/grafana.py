"""Find a Grafana on this machine, and its plugin for the warehouse."""

from __future__ import annotations

import shutil
from pathlib import Path

from spyglass.settings import Settings
from spyglass.stack.files import Files

PLUGIN = "grafana-clickhouse-datasource"
# Where Linux packages, and `grafana cli` without further words, keep plugins.
SHARED_PLUGINS = Path("/var/lib/grafana/plugins")
PACKAGE_HOME = Path("/usr/share/grafana")


def server(settings: Settings) -> Path | None:
    """Return Grafana's server program: the setting, else the one on PATH; None where there is no Grafana."""
    found = shutil.which(settings.grafana or "grafana")
    return Path(found) if found else None


def home(program: Path) -> Path:
    """Return the folder of Grafana's own files: that of the archive the program is in, else the Linux package's."""
    own = program.resolve().parent.parent
    return own if (own / "conf" / "defaults.ini").exists() else PACKAGE_HOME


def plugins(place: Files) -> Path:
    """Return the folder of plugins to use: the machine's, where the warehouse's plugin is in it, else the stack's."""
    return SHARED_PLUGINS if (SHARED_PLUGINS / PLUGIN).is_dir() else place.data / "grafana" / "plugins"


def install_command(place: Files) -> str:
    """Return the command that installs the warehouse's plugin where the stack's Grafana looks for it."""
    return f"GF_PLUGIN_DIR={plugins(place)} grafana cli plugins install {PLUGIN}"
