"""Open versions of the price book, so that every cost says which prices it was computed with, and list them."""

from __future__ import annotations

import os
import pwd
from typing import Any

from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.connection import Connection

Row = dict[str, Any]

PRICES = "prices"
RESTATEMENT = "restatement"

_NEWEST = "SELECT max(version) AS newest FROM spyglass.price_book_versions"
_UNFINISHED = """
SELECT version FROM spyglass.price_book_versions FINAL
WHERE why = 'restatement' AND NOT finished AND first_day = {first:Date} AND last_day = {last:Date}
    AND organization = {organization:String} AND project = {project:String} AND model = {model:String}
ORDER BY version DESC LIMIT 1
"""
_FINISH = """
INSERT INTO spyglass.price_book_versions
SELECT * REPLACE (true AS finished, now64(6) AS changed_at) FROM spyglass.price_book_versions FINAL
WHERE version = {version:UInt32} AND why = 'restatement'
"""
_RESTATEMENTS = """
SELECT
    version, formatDateTime(v.at, '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS at, who, toString(first_day) AS first_day,
    toString(last_day) AS last_day, v.organization AS organization, v.project AS project, v.model AS model, finished,
    calls, before_nano_usd, after_nano_usd
FROM spyglass.price_book_versions AS v FINAL
LEFT JOIN
(
    SELECT restated_version, count() AS calls, sum(cost_nano_usd) AS before_nano_usd,
        sum(restated_cost_nano_usd) AS after_nano_usd
    FROM spyglass.llm_call_restatements FINAL
    GROUP BY restated_version
) AS r ON r.restated_version = v.version
WHERE why = 'restatement'
ORDER BY version DESC
"""


def open_version(connection: Connection, why: str, **columns: object) -> Row:
    """Write the next version and return its row; ``columns`` are those of a restatement.

    Two that are opened at the same moment may share their number: each keeps a row of its own.
    """
    (found,) = connection.rows(_NEWEST)
    row = {"version": int(found["newest"]) + 1, "who": user(), "why": why, "finished": True} | columns
    connection.insert("spyglass.price_book_versions", [row])
    return row


def user() -> str:
    """Return the name of the operating system's user."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a number that has no name
        return str(os.getuid())


def take_up(warehouse: Warehouse, scope: Row) -> int:
    """Return the version of a restatement of this scope that has not come to its end, else open one."""
    unfinished = warehouse.rows(_UNFINISHED, **scope)
    if unfinished:
        return int(unfinished[0]["version"])
    days = {"first_day": scope["first"], "last_day": scope["last"]}
    named = {name: scope[name] for name in ("organization", "project", "model")}
    return int(open_version(warehouse, RESTATEMENT, **days, **named, finished=False)["version"])


def finish(warehouse: Warehouse, version: int) -> None:
    """Say that a restatement has come to its end."""
    warehouse.execute(_FINISH, version=version)


def restatements(warehouse: Warehouse) -> list[Row]:
    """Return the restatements, newest first, with the calls that they changed and the sums in nano-USD."""
    return warehouse.rows(_RESTATEMENTS)
