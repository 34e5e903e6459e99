"""Make the environment that the parts run in."""

from __future__ import annotations

import os
from collections.abc import Iterable

from spyglass.names import CONTEXT_FIELDS
from spyglass.paths import data_directory
from spyglass.settings import CONFIG_VARIABLE, PREFIX, ROWS, Settings, variable
from spyglass.stack.parts import Part
from spyglass.warehouse import passwords

# What a shell may hold that would change what the parts do, make Tempo send its own traces somewhere, or put all that
# the parts ever do into the one trace in which they were started.
FOREIGN = ("PC_", "COMPOSE_", "OTEL_", "JAEGER_", *map(str.upper, CONTEXT_FIELDS))
LOOPBACK = "127.0.0.1,localhost"


def of_parts(settings: Settings, parts: Iterable[Part]) -> dict[str, str]:
    """Return the environment of these parts: what the shell has, the settings as resolved here, ports and folders.

    Secrets are in it and nowhere else: neither in a rendered file nor in an argument. Passwords that a part needs and
    that do not exist yet are made.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith((*FOREIGN, PREFIX))}
    environment[CONFIG_VARIABLE] = os.devnull  # the settings are resolved, all of them
    environment |= {variable(name): _text(getattr(settings, name)) for name in ROWS}
    environment |= {f"PORT_{name.upper()}": str(port) for name, port in settings.ports().items()}
    environment["DATA_DIR"] = environment[variable("data_dir")] = str(data_directory(settings))
    # The stack's own probe and server send to this stack, wherever the agents of this shell send to.
    environment[variable("endpoint")] = f"http://127.0.0.1:{settings.port('otlp_http')}"
    users = {user for part in parts for user in part.passwords}
    if users:
        made = passwords.ensure(settings)
        environment |= {variable(f"warehouse_{user}_password"): getattr(made, user) for user in users}
    return _around_proxies(environment)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _around_proxies(environment: dict[str, str]) -> dict[str, str]:
    """Keep the parts' calls to each other away from a proxy that the shell names."""
    for name in ("no_proxy", "NO_PROXY"):
        environment[name] = ",".join(filter(None, (environment.get(name), LOOPBACK)))
    return environment
