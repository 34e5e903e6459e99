"""Write and peek at ClickHouse's binary formats: varints, strings, the server's hello, the head of a Native block."""

from __future__ import annotations

_MORE = 0x80
_LONGEST = 10  # bytes of a varint of 64 bits

# What a driver asks first, at its own protocol revision.
HELLO_QUERY = "SELECT displayName(), version(), revision(), timezone()"


def varint(number: int) -> bytes:
    """Encode an unsigned number."""
    out = bytearray()
    while number >= _MORE:
        out.append(number & 0x7F | _MORE)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Decode the number at ``position``; returns it and the position behind it. Raises ValueError when it is cut."""
    number = 0
    for index, byte in enumerate(data[position : position + _LONGEST]):
        number |= (byte & 0x7F) << (7 * index)
        if byte < _MORE:
            return number, position + index + 1
    raise ValueError("a varint is cut short")


def string(text: bytes) -> bytes:
    """Encode a string: its length, then its bytes."""
    return varint(len(text)) + text


def rows_in_first_block(data: bytes) -> int:
    """Return how many rows the first Native block (revision 0) announces, or 0 when that cannot be read."""
    try:
        _, position = read_varint(data, 0)
        rows, _ = read_varint(data, position)
    except ValueError:
        return 0
    return rows


def hello(version: str) -> bytes:
    """Return the answer to HELLO_QUERY as a Native block of protocol revision 54460.

    It says that the server's revision is 0: clickhouse-go then reads every later block as plain Native, the only kind
    that the engine writes.
    """
    columns = (
        (b"displayName()", b"String", string(b"spyglass")),
        (b"version()", b"String", string(version.encode())),
        (b"revision()", b"UInt32", bytes(4)),
        (b"timezone()", b"String", string(b"UTC")),
    )
    block_info = b"\x01\x00" + b"\x02\xff\xff\xff\xff" + b"\x00"  # no overflows, no bucket, end
    return block_info + varint(len(columns)) + varint(1) + b"".join(_column(*column) for column in columns)


def _column(name: bytes, kind: bytes, value: bytes) -> bytes:
    return string(name) + string(kind) + b"\x00" + value  # 0: no custom serialisation
