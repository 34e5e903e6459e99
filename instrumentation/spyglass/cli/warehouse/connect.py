"""Connect the commands to a warehouse: the local one, or a ClickHouse server."""

from __future__ import annotations

import argparse
import getpass
import os
from typing import TYPE_CHECKING

from spyglass.errors import StackNotRunningError
from spyglass.settings import Settings, load

if TYPE_CHECKING:
    from spyglass.warehouse.client import Warehouse


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a ClickHouse server."""
    parser.add_argument("--url", help="address of a ClickHouse server (else the local warehouse)")
    parser.add_argument(
        "--user", default="default", help="user at --url; the password is asked for, or CLICKHOUSE_PASSWORD"
    )


def server_or_local(arguments: argparse.Namespace) -> Warehouse:
    """Return a client of the server that the options name, else of the local warehouse as its admin."""
    return server(arguments) if arguments.url else local()


def server(arguments: argparse.Namespace) -> Warehouse:
    """Return a client of the server that the options name."""
    from spyglass.warehouse.client import Warehouse  # noqa: PLC0415 -- a command imports what it needs

    return Warehouse(arguments.url, arguments.user, _password())


def local() -> Warehouse:
    """Return a client of the local warehouse as its admin."""
    from spyglass.warehouse.client import admin  # noqa: PLC0415 -- a command imports what it needs

    return admin(running(load().settings))


def running(settings: Settings) -> Settings:
    """Return the settings with the ports of the stack that runs, or as they are where none says so."""
    try:
        from spyglass.stack.running import attach  # noqa: PLC0415 -- a command imports what it needs

        return attach(settings)
    except (ImportError, StackNotRunningError):
        return settings


def _password() -> str:
    given = os.environ.get("CLICKHOUSE_PASSWORD")
    return given if given is not None else getpass.getpass("Password: ")
