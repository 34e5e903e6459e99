"""Add the options that every command about a local stack has, and resolve the settings with them."""

from __future__ import annotations

import argparse
import os

from spyglass.settings import Loaded, Settings, load, variable

# Options named on the command line count more than the environment: the user typed them just now.
OPTIONS = ("data_dir", "port_offset")


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """Add --data-dir."""
    parser.add_argument("--data-dir", metavar="DIR", help=f"the stack's data directory (else {variable('data_dir')})")


def add_port_offset(parser: argparse.ArgumentParser) -> None:
    """Add --port-offset."""
    parser.add_argument(
        "--port-offset", metavar="N", type=int, help="add N, a multiple of 1000, to every port (default 0)"
    )


def load_with(arguments: argparse.Namespace) -> Loaded:
    """Return the settings with the options of the command line, where each came from, and what is no setting."""
    given = {name: getattr(arguments, name, None) for name in OPTIONS}
    overridden = {variable(name) for name, value in given.items() if value is not None}
    return load(given, {name: value for name, value in os.environ.items() if name not in overridden})


def settings_of(arguments: argparse.Namespace, *, strict: bool = False) -> Settings:
    """Return the settings with the options of the command line.

    ``strict`` raises SettingError for a ``SPYGLASS_*`` variable that is no setting.
    """
    loaded = load_with(arguments)
    if strict and loaded.unknown:
        raise loaded.unknown[0]
    return loaded.settings
