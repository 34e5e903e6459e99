"""Let read-only users ask whatever the tables hold, and nothing else: no file, address, process, setting or write.

The engine's grants and ``readonly`` are not enough in chDB: the function ``file()`` reads any file, ``Python()`` any
variable of this process. So a statement passes these gates, each of which uses the engine's own parser:

1. its classifier: one statement, which only reads;
2. its syntax tree: kinds of statements, table functions and system tables by lists of what is allowed;
3. its formatter: in the statement as the engine would write it (no comments, escapes or heredocs), no name is that of a
   function that leaves the tables. The tree alone does not show the functions of ``APPLY``.

Role, limits and ``readonly`` come on top (see ``reads``), and the process itself owns nothing (see ``privileges``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from spyglass.errors import StatementError
from spyglass.warehouse import codes
from spyglass.warehouse.engine import Engine
from spyglass.warehouse.statements import literal, names, tokens, unquote

# Functions that came after this version of the engine have not been looked at: they are refused.
_REVIEWED_VERSION = (26, 9)
_STATEMENTS = re.compile(
    r"SelectWithUnionQuery|DescribeQuery|Exists\w+Query|ShowCreate\w+Query"
    r"|Show(Tables|Columns|Indexes|Functions|Setting)\b"
)
# To the tree, SHOW CLUSTERS and SHOW MERGES are SHOW TABLES: what may be shown is read from the statement's words.
_SHOWN = names(
    "CHANGED COLUMNS CREATE DATABASES DICTIONARIES FIELDS FUNCTIONS INDEX INDEXES INDICES KEYS SETTING SETTINGS TABLES"
)
_BEFORE_SHOWN = names("EXTENDED FULL SHOW TEMPORARY")
_LONGEST_SHOW = 4  # words until the one that says what
_TABLE_FUNCTIONS = names(
    "generate_series generateseries null numbers numbers_mt primes sqlstandardvalues values view zeros zeros_mt"
)
_SYSTEM_TABLES = names(
    "aggregate_function_combinators build_options collations columns completions contributors data_type_families "
    "databases dictionaries formats functions keywords licenses merge_tree_settings numbers numbers_mt one parts "
    "parts_columns projections settings table_engines table_functions tables time_zones zeros zeros_mt"
)
# Functions that read the machine or the process, wait, log, or ask others.
_FUNCTIONS = names(
    "addresstoline addresstolinewithinlines addresstosymbol catboostevaluate connectionid currentrequesturl demangle "
    "evalmlmethod file filesystemavailable filesystemcapacity filesystemunreserved fqdn generateserialid "
    "getclienthttpheader getmacro getoskernelversion getserverport getserversetting logtrace naivebayesclassifier "
    "naivebayesclassifierwithallprobs naivebayesclassifierwithprob serveruuid showcertificate sleep sleepeachrow tid "
    "transactionid transactionlatestsnapshot transactionoldestsnapshot zookeepersessionuptime"
)
_CATEGORIES = ("AI", "Introspection")
# What only the admin can define, of functions that were there: ours in the migrations, and the admin's own.
_KNOWN_ORIGINS = ("System", "SQLUserDefined")
# Statements that passed are remembered: dashboards ask the same ones again, and judging takes longer than most answers.
_REMEMBERED = 512
_LONGEST_REMEMBERED = 16_384
_NODE = re.compile(r"(?P<indent> *)(?P<kind>\w+)(?: (?P<name>\S+))?")


class Gate:
    """Judge statements of read-only users."""

    def __init__(self, engine: Engine) -> None:
        """Learn from the engine which of its functions are new or reach outside."""
        self._engine = engine
        self._passed: dict[tuple[object, ...], None] = {}
        with engine.session("admin") as session:
            rows = session.run("SELECT name, categories, introduced_in, origin FROM system.functions", "TSVRaw").data
        found = (line.split("\t") for line in rows.decode().splitlines())
        self._functions = _FUNCTIONS.union(row[0].lower() for row in found if _suspicious(*row))

    def check(self, user: str, sql: str, parameters: Mapping[str, str], settings: Mapping[str, object]) -> None:
        """Raise StatementError unless the statement only reads tables and computes.

        The engine parses it in a session of its own, with no ``settings`` but those that the statement itself repeats:
        others would shorten what the engine explains here. One that passed passes again without being parsed.
        """
        key = (user, sql, *sorted(settings.items()))
        if key in self._passed:
            return
        self._judge(user, sql, parameters, settings)
        if len(sql) <= _LONGEST_REMEMBERED and "identifier" not in sql.lower():  # a parameter that may name any table
            self._remember(key)

    def _remember(self, key: tuple[object, ...]) -> None:
        while len(self._passed) >= _REMEMBERED:
            self._passed.pop(next(iter(self._passed), key), None)
        self._passed[key] = None

    def _judge(self, user: str, sql: str, parameters: Mapping[str, str], settings: Mapping[str, object]) -> None:
        with self._engine.session(user, settings, readonly=True) as session:
            found = session.classify(sql)
            if found.statements > 1:
                raise codes.refused(codes.SYNTAX_ERROR, "Syntax error (Multi-statements are not allowed).")
            if found.name == "UNKNOWN":  # the engine explains what it does not understand, and does not run it
                session.run(f"EXPLAIN AST {sql}", parameters=parameters)
            if not found.read_only:
                raise codes.refused(codes.READONLY, f"Cannot execute query in readonly mode ({found.name}).")
            tree = session.run(f"EXPLAIN AST {sql}", "TSVRaw", parameters).data
            written = session.run(f"SELECT formatQuerySingleLine({literal(sql)})", "TSVRaw").data
        self._check_tree(tree.decode("utf-8", "replace"))
        _check_shown(written.decode("utf-8", "replace"))
        self._check_names(written.decode("utf-8", "replace"))

    def _check_tree(self, tree: str) -> None:
        if not _STATEMENTS.match(tree):
            raise _denied(f"statement {tree.split(maxsplit=1)[0] if tree.strip() else ''}")
        for kind, name, parent in _nodes(tree):
            if kind == "Function" and parent == "TableExpression" and name.lower() not in _TABLE_FUNCTIONS:
                raise _denied(f"table function {name}")
            if kind in ("Identifier", "TableIdentifier"):
                database, _, table = name.lower().partition(".")
                if database == "system" and table and table.partition(".")[0] not in _SYSTEM_TABLES:
                    raise _denied(f"table {name}")

    def _check_names(self, written: str) -> None:
        for token in tokens(written):
            name = unquote(token.text) if token.kind in ("word", "quoted") else ""
            if name.lower() in self._functions:
                raise _denied(f"function {name}")


def _check_shown(written: str) -> None:
    words = [token.text.upper() for token, _ in zip(tokens(written), range(_LONGEST_SHOW), strict=False)]
    shown = next((word for word in words if word not in _BEFORE_SHOWN), "")
    if words[:1] == ["SHOW"] and shown not in _SHOWN:
        raise _denied(f"SHOW {shown}")


def _nodes(tree: str) -> Iterator[tuple[str, str, str]]:
    """Yield kind, name and the parent's kind of each node; children are indented by one blank more."""
    path: list[str] = []
    for line in tree.splitlines():
        found = _NODE.match(line)
        if found:
            depth = len(found["indent"])
            parent = path[depth - 1] if 0 < depth <= len(path) else ""
            path[depth:] = [found["kind"]]
            yield found["kind"], found["name"] or "", parent


def _suspicious(name: str, category: str, introduced: str, origin: str) -> bool:
    version = tuple(int(part) for part in re.findall(r"\d+", introduced)[:2])
    internal = name.startswith("__")
    return internal or origin not in _KNOWN_ORIGINS or category in _CATEGORIES or version > _REVIEWED_VERSION


def _denied(what: str) -> StatementError:
    return codes.refused(codes.ACCESS_DENIED, f"Not enough privileges for {what}.")
