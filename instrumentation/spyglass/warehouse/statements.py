"""Read statements: split a file into them, and an INSERT into its head and its data.

Only the engine's own parser judges what a statement may do (see ``gate``); this lexer finds ends of statements and of
an INSERT's head, where the engine must not see the data (it would run what stands behind a blank line).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(
    r"""(?P<blank> \s+ | --[^\n]* | \#[!\s][^\n]* | /\*.*?\*/ )
      | (?P<text> '(?:[^'\\]|\\.|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
      | (?P<quoted> `(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*" )
      | (?P<word> [A-Za-z_]\w* )
      | (?P<symbol> . )""",
    re.VERBOSE | re.DOTALL,
)
_SETTING = re.compile(r"\s*(?P<name>[A-Za-z_]\w*)\s*=\s*(?P<value>\d+(?:\.\d+)?|'[^'\\]*')\s*(?P<more>,?)", re.ASCII)
# INSERTs are short; only what comes behind is long.
_LONGEST_HEAD = 1 << 20


@dataclass(frozen=True, slots=True)
class Token:
    """Hold a word, a quoted identifier, a string or a symbol, and where it ends."""

    kind: str
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Say whether this is one of these keywords (given in upper case)."""
        return self.kind == "word" and self.text.upper() in words


@dataclass(frozen=True, slots=True)
class Insert:
    """Hold the head of an INSERT whose data comes with the request.

    ``target`` and ``settings`` are SQL as written; ``table`` is the table's name without its database (which is in
    ``database``, "" where none is named); ``columns`` is empty where no list is given; ``data`` is the position in the
    request where the data begins.
    """

    target: str
    database: str
    table: str
    columns: tuple[str, ...]
    settings: str
    format: str
    data: int


def names(text: str) -> frozenset[str]:
    """Return the names in a text, which are separated by blanks."""
    return frozenset(text.split())


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a statement without blanks and comments."""
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup if found.lastgroup != "tag" else "text"
        if kind != "blank":
            yield Token(str(kind), found.group(), found.start(), found.end())


def split(text: str) -> list[str]:
    """Split a file at the semicolons that end statements, not at those inside strings or comments."""
    statements, start = [], 0
    seen = False
    for token in tokens(text):
        if token.text == ";":
            if seen:
                statements.append(text[start : token.start].strip())
            start, seen = token.end, False
        else:
            seen = True
    if seen:
        statements.append(text[start:].strip())
    return statements


def output_format(text: str) -> Token | None:
    """Return the name in a query's own FORMAT clause (of the whole query, not of a part in brackets), if it has one."""
    depth, found = 0, None
    before: Token | None = None
    for token in tokens(text):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and before is not None and before.is_word("FORMAT") and token.kind == "word":
            found = token
        elif before is found and not token.is_word("SETTINGS") and token.text != ";":
            found = None  # it was a column of that name
        before = token
    return found


def settings_of(text: str) -> dict[str, str]:
    """Return the settings of a query's last SETTINGS clause, as far as their values are plain numbers or texts."""
    depth, end = 0, None
    for token in tokens(text):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.is_word("SETTINGS"):
            end = token.end
    found: dict[str, str] = {}
    while end is not None and (pair := _SETTING.match(text, end)):
        found[pair["name"]] = pair["value"].strip("'")
        end = pair.end() if pair["more"] else None
    return found


def into_file(text: str, path: str, default_format: str) -> str:
    """Return a query that writes its result into a file, in its own format or else the default one."""
    found = output_format(text)
    if found is None:
        return f"{text}\nINTO OUTFILE {literal(path)} FORMAT {default_format}"
    clause = text.upper().rindex("FORMAT", 0, found.start)
    return f"{text[:clause]} INTO OUTFILE {literal(path)} {text[clause:]}"


def unquote(identifier: str) -> str:
    """Return an identifier without its quotes."""
    if identifier[:1] in ('"', "`"):
        quote = identifier[0]
        return re.sub(r"\\(.)", r"\1", identifier[1:-1].replace(quote * 2, quote))
    return identifier


def quote(identifier: str) -> str:
    """Return an identifier in quotes."""
    return "`" + identifier.replace("\\", "\\\\").replace("`", "\\`") + "`"


def literal(text: str) -> str:
    """Return a text as a string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@lru_cache(maxsize=256)
def parse_insert_again(statement: bytes) -> Insert | None:
    """Read like parse_insert, and remember: for short statements that come with every insert of a sender."""
    return parse_insert(statement)


def parse_insert(request: bytes) -> Insert | None:
    """Read the head of an INSERT; None for every other statement, and for INSERTs that bring no data (… SELECT …)."""
    head = request[:_LONGEST_HEAD].decode("latin-1")  # so that positions are those of bytes
    before, keyword, after = _cut(head)
    if keyword is None or not keyword.is_word("FORMAT", "VALUES"):
        return None
    if len(before) < 3 or not (before[0].is_word("INSERT") and before[1].is_word("INTO")):  # noqa: PLR2004 -- and a name
        return None
    start = 3 if before[2].is_word("TABLE") else 2
    name_end = _end_of_name(before, start)
    columns_end = _end_of_brackets(before, name_end)
    settings = before[columns_end:]
    name = [_utf8(unquote(token.text)) for token in before[start:name_end] if token.text != "."]
    if len(name) not in (1, 2) or (settings and not settings[0].is_word("SETTINGS")):
        return None
    if keyword.is_word("FORMAT") and (after is None or after.kind != "word"):
        return None
    return Insert(
        target=_utf8(head[before[start].start : before[columns_end - 1].end]),
        database=name[0] if len(name) > 1 else "",
        table=name[-1],
        columns=_columns(before[name_end:columns_end]),
        settings=_utf8(head[settings[0].end : settings[-1].end]).strip() if settings else "",
        format=after.text if after and keyword.is_word("FORMAT") else "Values",
        data=_data_behind(head, after.end) if after and keyword.is_word("FORMAT") else keyword.end,
    )


def _cut(head: str) -> tuple[list[Token], Token | None, Token | None]:
    """Return the tokens before the word that ends an INSERT's head, that word, and the token behind it."""
    before: list[Token] = []
    depth, found = 0, None
    for token in tokens(head):
        if found:
            return before, found, token
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and len(before) > 2 and token.is_word("FORMAT", "VALUES", "SELECT", "WITH", "FROM"):  # noqa: PLR2004 -- INSERT INTO name
            found = token
        elif before or token.is_word("INSERT"):
            before.append(token)
        else:
            break
    return before, found, None


def _end_of_name(before: list[Token], start: int) -> int:
    end = start + 1
    while end + 1 < len(before) and before[end].text == ".":
        end += 2
    return end


def _end_of_brackets(before: list[Token], start: int) -> int:
    if start >= len(before) or before[start].text != "(":
        return start
    depth = 0
    for index in range(start, len(before)):
        depth += {"(": 1, ")": -1}.get(before[index].text, 0)
        if depth == 0:
            return index + 1
    return len(before)


def _columns(listed: list[Token]) -> tuple[str, ...]:
    """Return the names of a list of plain columns; () for one with functions or asterisks, which travels as it is."""
    listed_names = [""]
    for token in listed[1:-1]:
        if token.text == ",":
            listed_names.append("")
        elif token.kind in ("word", "quoted") or token.text == ".":
            listed_names[-1] += unquote(token.text)
        else:
            return ()
    return tuple(map(_utf8, listed_names)) if listed_names != [""] else ()


def _data_behind(head: str, position: int) -> int:
    """Skip blanks on the line of the format's name and that line's end, as the engine does."""
    found = re.compile(r"[ \t\f]*(?:\r?\n)?").match(head, position)
    return found.end() if found else position


def _utf8(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "surrogateescape")
