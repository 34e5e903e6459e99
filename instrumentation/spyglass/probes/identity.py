"""Say who the probe of a host is, so that the same host makes the same series after every restart."""

from __future__ import annotations

import hashlib
import socket
from importlib.metadata import version
from pathlib import Path

from spyglass import names
from spyglass.settings import Settings

SERVICE = "spyglass-probe"
MACHINE_ID = Path("/etc/machine-id")


def host_resource(settings: Settings, *, host: str | None = None, machine_id: Path = MACHINE_ID) -> dict[str, str]:
    """Return the resource attributes of ``spyglass probe`` on this host.

    ``host`` is the host's name. Organization, project and environment are absent where the settings have none.
    """
    host = host or socket.gethostname()
    attributes = {
        names.SERVICE_NAME: SERVICE,
        names.SERVICE_VERSION: version("spyglass"),
        names.SERVICE_INSTANCE_ID: instance_id(host, machine_id),
        names.HOST_NAME: host,
        names.ORGANIZATION: settings.organization,
        names.PROJECT: settings.project,
        names.DEPLOYMENT_ENVIRONMENT_NAME: settings.environment,
        names.DEMO: "true" if settings.demo else "",
    }
    return {name: value for name, value in attributes.items() if value}


def instance_id(host: str, machine_id: Path = MACHINE_ID) -> str:
    """Return 16 hex digits that stay the same while the host keeps its name and its machine id.

    Both go in: cloned machines and containers of one image share a machine id, and it must not be told in clear
    (machine-id(5)).
    """
    try:
        machine = machine_id.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        machine = ""
    return hashlib.sha256(f"{SERVICE}\n{machine}\n{host}".encode()).hexdigest()[:16]
