"""Write the engine's configuration: pools, durability, roles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

# chDB's defaults are for a notebook: they leave one thread for merges and drop merged-away parts at once.
_SERVER = {
    "background_pool_size": 4,
    "background_common_pool_size": 2,
    "background_schedule_pool_size": 4,
    "mark_cache_size": 268_435_456,
    "index_mark_cache_size": 67_108_864,
    "timezone": "UTC",
}
# Nothing that was answered is lost when power fails; without them, only when this process dies.
_POWER = {
    "fsync_after_insert": 1,
    "fsync_part_directory": 1,
    "min_rows_to_fsync_after_merge": 1,
    "old_parts_lifetime": 480,
}
_MERGE_TREE: dict[str, dict[str, int]] = {"power": _POWER, "process": {}}

# What others asked is for the admin alone.
_NOT_THE_LOG = "REVOKE SELECT ON spyglass.query_log"
# The engine knows one user; each connection narrows it to one of these roles.
_ROLES = {
    "admin": ("GRANT ALL ON *.* WITH GRANT OPTION",),
    "collector": ("GRANT INSERT, SELECT, SHOW ON spyglass.*", _NOT_THE_LOG),
    "reader": (
        "GRANT SELECT, SHOW, dictGet ON spyglass.*",
        _NOT_THE_LOG,
        "GRANT SELECT ON system.*",
        "GRANT SELECT ON information_schema.*",
        "GRANT SELECT ON INFORMATION_SCHEMA.*",
    ),
}


def write(folder: Path, durability: str) -> Path:
    """Write the files into the folder and return the path of the main one; durability is "power" or "process"."""
    users = folder / "users.xml"
    users.write_text(_document(_users()), encoding="utf-8")
    main = folder / "engine.xml"
    body = _elements(_SERVER) + _element("merge_tree", _elements(_MERGE_TREE[durability]))
    body += _element("user_directories", _element("users_xml", _element("path", escape(str(users)))))
    main.write_text(_document(body), encoding="utf-8")
    return main


def _users() -> str:
    roles = "".join(_element(name, _grants(queries)) for name, queries in _ROLES.items())
    user = _element("password", "") + _element("networks", _element("ip", "::1")) + _element("profile", "default")
    user += _element("quota", "default") + _grants(tuple(f"GRANT {name}" for name in _ROLES))
    profile = _element("profiles", _element("default", _element("async_insert", "0")))
    quota = _element("quotas", _element("default", ""))
    return profile + quota + _element("roles", roles) + _element("users", _element("default", user))


def _grants(queries: tuple[str, ...]) -> str:
    return _element("grants", "".join(_element("query", escape(query)) for query in queries))


def _elements(values: Mapping[str, object]) -> str:
    return "".join(_element(name, escape(str(value))) for name, value in values.items())


def _element(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>"


def _document(content: str) -> str:
    return _element("clickhouse", content) + "\n"
