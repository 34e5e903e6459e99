"""Load the engine's dictionaries again; the embedded engine never does so by itself."""

from __future__ import annotations

from spyglass.warehouse.connection import Connection


def reload_prices(connection: Connection) -> None:
    """Make the price table's present rows those that costs are computed with."""
    connection.execute("SYSTEM RELOAD DICTIONARY spyglass.price")
