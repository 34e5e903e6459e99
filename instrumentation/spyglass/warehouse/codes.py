"""Know ClickHouse's error codes: the ones the gateway raises, their HTTP status, and which data can never be stored."""

from __future__ import annotations

import re

from spyglass.errors import StatementError

CANNOT_READ_ALL_DATA = 33
CHECKSUM_DOESNT_MATCH = 40
NOT_IMPLEMENTED = 48
TABLE_ALREADY_EXISTS = 57
SYNTAX_ERROR = 62
UNKNOWN_SETTING = 115
TIMEOUT_EXCEEDED = 159
READONLY = 164
TOO_MANY_SIMULTANEOUS_QUERIES = 202
SOCKET_TIMEOUT = 209
QUERY_IS_TOO_LARGE = 229
ABORTED = 236
MEMORY_LIMIT_EXCEEDED = 241
CANNOT_DECOMPRESS = 271
QUERY_WAS_CANCELLED = 394
TOO_MANY_ROWS_OR_BYTES = 396
ACCESS_DENIED = 497
AUTHENTICATION_FAILED = 516
SERVER_OVERLOADED = 745
UNKNOWN_EXCEPTION = 1002

NAMES = {
    CANNOT_READ_ALL_DATA: "CANNOT_READ_ALL_DATA",
    CHECKSUM_DOESNT_MATCH: "CHECKSUM_DOESNT_MATCH",
    NOT_IMPLEMENTED: "NOT_IMPLEMENTED",
    SYNTAX_ERROR: "SYNTAX_ERROR",
    UNKNOWN_SETTING: "UNKNOWN_SETTING",
    READONLY: "READONLY",
    TOO_MANY_SIMULTANEOUS_QUERIES: "TOO_MANY_SIMULTANEOUS_QUERIES",
    CANNOT_DECOMPRESS: "CANNOT_DECOMPRESS",
    QUERY_IS_TOO_LARGE: "QUERY_IS_TOO_LARGE",
    ABORTED: "ABORTED",
    QUERY_WAS_CANCELLED: "QUERY_WAS_CANCELLED",
    TOO_MANY_ROWS_OR_BYTES: "TOO_MANY_ROWS_OR_BYTES",
    ACCESS_DENIED: "ACCESS_DENIED",
    AUTHENTICATION_FAILED: "AUTHENTICATION_FAILED",
    SERVER_OVERLOADED: "SERVER_OVERLOADED",
    UNKNOWN_EXCEPTION: "UNKNOWN_EXCEPTION",
}

# What ClickHouse's server answers by code (exceptionCodeToHTTPStatus.cpp); any other code is 500. 202, 236 and 745 are
# ours: with 503 a sender waits and tries again.
_STATUS: dict[int, tuple[int, ...]] = {
    400: (6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675, 676),
    401: (194,),
    403: (192, 193, 497, 512, 516),
    404: (46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511),
    408: (159,),
    411: (381,),
    413: (229,),
    415: (779,),
    501: (48,),
    503: (76, 202, 209, 236, 439, 745),
}
_STATUS_BY_CODE = {code: status for status, codes in _STATUS.items() for code in codes}

# Data that the engine refuses for what it is: it can never be stored, however often it is sent. Everything else (disk
# full, memory, too many parts, an unknown table or column while a migration is owed …) may pass later.
NEVER_STORABLE = frozenset(
    {
        3,  # UNEXPECTED_END_OF_FILE
        6,  # CANNOT_PARSE_TEXT
        7,  # INCORRECT_NUMBER_OF_COLUMNS
        9,  # SIZES_OF_COLUMNS_DOESNT_MATCH
        19,  # SIZE_OF_FIXED_STRING_DOESNT_MATCH
        25,  # CANNOT_PARSE_ESCAPE_SEQUENCE
        26,  # CANNOT_PARSE_QUOTED_STRING
        27,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
        32,  # ATTEMPT_TO_READ_AFTER_EOF
        33,  # CANNOT_READ_ALL_DATA
        38,  # CANNOT_PARSE_DATE
        41,  # CANNOT_PARSE_DATETIME
        50,  # UNKNOWN_TYPE
        53,  # TYPE_MISMATCH
        69,  # ARGUMENT_OUT_OF_BOUND
        70,  # CANNOT_CONVERT_TYPE
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        128,  # TOO_LARGE_ARRAY_SIZE
        130,  # CANNOT_READ_ARRAY_FROM_TEXT
        131,  # TOO_LARGE_STRING_SIZE
        190,  # SIZES_OF_ARRAYS_DONT_MATCH
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        349,  # CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        395,  # FUNCTION_THROW_IF_VALUE_IS_NON_ZERO
        407,  # DECIMAL_OVERFLOW
        469,  # VIOLATED_CONSTRAINT
        691,  # UNKNOWN_ELEMENT_OF_ENUM
    }
)

_ENGINE_TEXT = re.compile(r"(?:.*?Code: (?P<code>\d+)\. DB::\w*Exception: )+(?P<message>.*)", re.DOTALL)
_VERSION = re.compile(r"\s*\(version [\d.]+(?: \([^)]*\))?\)")


def from_engine(text: str) -> StatementError:
    """Read an engine's message, such as ``Code: 60. DB::Exception: … (UNKNOWN_TABLE)``, into an error.

    The engine repeats its prefix when it passes an exception on; only the innermost is kept.
    """
    found = _ENGINE_TEXT.match(text)
    if not found:
        return StatementError(UNKNOWN_EXCEPTION, text)
    message = _VERSION.sub("", found["message"]).strip()
    name = re.search(r"\(([A-Z][A-Z0-9_]+)\)$", message)
    if name:  # the name, too, is repeated
        message = re.sub(rf"(?:\.?\s*\({name[1]}\))+$", f". ({name[1]})", message)
    return StatementError(int(found["code"]), message)


def refused(code: int, sentence: str) -> StatementError:
    """Make an error of the gateway's own, in the engine's form."""
    return StatementError(code, f"{sentence} ({NAMES[code]})")


def http_status(error: StatementError) -> int:
    """Return the HTTP status that a ClickHouse server answers with this error."""
    return _STATUS_BY_CODE.get(error.code, 500)


def wire_text(error: StatementError, version: str) -> str:
    """Return the body of an error's answer, as a ClickHouse server words it."""
    return f"Code: {error.code}. DB::Exception: {error.problem} (version {version})\n"
