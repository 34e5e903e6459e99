"""Make Alertmanager's configuration: the base, and the receivers that the settings switch on.

What is configured stands in ``alertmanager/routing.yaml`` and ``alertmanager/receivers.yaml``; this module puts the
settings in and refuses half a receiver. Secrets stay in their files: the configuration names the files only.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from spyglass.assets import folder
from spyglass.errors import SettingError
from spyglass.settings import Settings, variable

PLACE: Final = re.compile(r"\$\{(\w+)\}")
FILE: Final = "_file"
UNSET: Final = ""


def config(settings: Settings) -> dict[str, object]:
    """Return the complete configuration of Alertmanager 0.31 as plain data, to be written as YAML.

    Raises SettingError when a receiver has some of its settings but not all, when a file with a secret cannot be read
    or is empty, and when the mail server is not ``host:port``.
    """
    base, more = _read("routing.yaml"), _read("receivers.yaml")
    on = {name: row for name, row in more["receivers"].items() if _is_on(row, settings)}
    values = _values(on, settings)
    made: dict[str, object] = _filled(base, values)
    receivers = [{"name": name, **_filled(row["config"], values)} for name, row in on.items()]
    first = base["route"]["routes"][0]
    routes = [{**_filled(first, values), "receiver": name, "matchers": [more["humans"]]} for name in on]
    made["receivers"] = [*_filled(base["receivers"], values), *receivers]
    made["route"] = {**_filled(base["route"], values), "routes": [_filled(first, values), *routes]}
    made["templates"] = [str(folder("alertmanager") / "templates" / "*.tmpl")]
    return made


def switched_on(settings: Settings) -> list[str]:
    """Return the names of the receivers that alerts go to, the inbox first; raises SettingError as config does."""
    receivers = _read("receivers.yaml")["receivers"]
    return ["inbox", *(name for name, row in receivers.items() if _is_on(row, settings))]


def _read(name: str) -> dict[str, Any]:
    text = (folder("alertmanager") / name).read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def _is_on(row: Mapping[str, Any], settings: Settings) -> bool:
    """Tell whether a receiver has any of its settings; raises SettingError for the first that is then missing."""
    given = [name for name in (*row["needs"], *row["takes"]) if getattr(settings, name) != UNSET]
    for missing, reason in _missing(row, settings):
        if reason in given or (reason == UNSET and given):
            because = variable(reason or given[0])
            raise SettingError(variable(missing), f"not set, though {because} is.", f"Set it, or unset {because}.")
    return bool(given)


def _missing(row: Mapping[str, Any], settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each setting that is not there, and the one that asks for it ("" for any of the receiver's)."""
    for name in row["needs"]:
        if getattr(settings, name) == UNSET:
            yield name, UNSET
    for pair in row["pairs"]:
        for name, other in (pair, reversed(pair)):
            if getattr(settings, name) == UNSET:
                yield name, other


def _values(on: Mapping[str, Any], settings: Settings) -> dict[str, object]:
    values: dict[str, object] = {"port_server": settings.port("server")}
    for row in on.values():
        for name in (*row["needs"], *row["takes"]):
            value = getattr(settings, name)
            secret = name.endswith(FILE) and value != UNSET
            values[name] = _secret_file(name, value, address=name in row["addresses"]) if secret else value
    if "email" in on:
        values["email_require_tls"] = not _is_loopback(settings.email_smarthost)
    return values


def _secret_file(name: str, value: str, *, address: bool) -> str:
    path = Path(value).expanduser().absolute()
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise SettingError(variable(name), f"{path} cannot be read ({reason}).") from None
    if not text:
        raise SettingError(variable(name), f"{path} is empty.")
    if address and not re.fullmatch(r"https?://\S+", text):
        raise SettingError(variable(name), f"{path} does not hold one http or https address.")
    return str(path)


def _is_loopback(smarthost: str) -> bool:
    """Tell whether a mail server is on this machine, where its certificate would prove nothing."""
    match = re.fullmatch(r"(?:\[([^\]]+)\]|([^:\[\]]+)):(\d+)", smarthost)
    if match is None:
        raise SettingError(
            variable("email_smarthost"), f"{smarthost!r} is not host:port.", "Write mail.example.org:587."
        )
    host = match[1] or match[2]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _filled(value: Any, values: Mapping[str, object]) -> Any:
    """Copy data with the values put in; a key whose value is an unset setting is left out."""
    if isinstance(value, dict):
        filled = {key: _filled(below, values) for key, below in value.items()}
        return {key: below for key, below in filled.items() if below != UNSET}
    if isinstance(value, list):
        return [_filled(below, values) for below in value]
    if isinstance(value, str):
        whole = PLACE.fullmatch(value)
        return values[whole[1]] if whole else PLACE.sub(lambda place: str(values[place[1]]), value)
    return value
