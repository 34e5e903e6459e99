"""The bytes that clickhouse-go v2 sends and expects over HTTP (its conn_http.go and conn_http_batch.go)."""

from __future__ import annotations

import struct
from typing import Any

import lz4.block
from clickhouse_cityhash.cityhash import CityHash128

from spyglass.warehouse import compression, native
from tests.warehouse.wire import Server


def _frame(data: bytes) -> bytes:
    packed = bytes(lz4.block.compress(data, store_size=False))
    body = struct.pack("<BII", 0x82, len(packed) + 9, len(data)) + packed
    number = CityHash128(body)
    return struct.pack("<QQ", number & (2**64 - 1), number >> 64) + body


def _go(server: Server, body: bytes, user: str = "admin", **parameters: str) -> Any:
    fixed = {"database": "spyglass", "default_format": "Native", "client_protocol_version": "54460"}
    return server.post(
        body, user, {"User-Agent": "clickhouse-go/2.47.0 (lv:go/1.26; os:linux)"}, **(fixed | parameters)
    )


def test_go_hello(server: Server) -> None:
    """The preflight's answer is a block of revision 54460 that announces revision 0."""
    for compress in ("0", "1"):
        answer = _go(server, native.HELLO_QUERY.encode(), "collector", compress=compress)
        data = compression.unframe(answer.body) if compress == "1" else answer.body
        assert data[:8] == b"\x01\x00\x02\xff\xff\xff\xff\x00"
        assert data[8:10] == b"\x04\x01"
        revision = data.index(b"revision()") + len(b"revision()") + len(b"\x06UInt32") + 1
        assert data[revision : revision + 4] == bytes(4)
        assert data.endswith(b"\x03UTC")


def test_go_ping_and_describe(server: Server) -> None:
    """SELECT 1 has one column named 1; DESCRIBE TABLE has seven, in memory after the first time, fresh after DDL."""
    assert _go(server, b"SELECT 1").body[:4] == b"\x01\x01\x011"
    server.sql("CREATE TABLE spyglass.described (a Int8) ENGINE = Memory")
    try:
        first = _go(server, b'DESCRIBE TABLE "spyglass"."described"', "collector").body
        assert first[0] == 7
        assert _go(server, b'DESCRIBE TABLE "spyglass"."described"', "collector").body == first
        server.sql("ALTER TABLE spyglass.described ADD COLUMN b String")
        assert _go(server, b'DESCRIBE TABLE "spyglass"."described"', "collector").body != first
    finally:
        server.sql("DROP TABLE spyglass.described")


def test_go_batch_in_frames(server: Server) -> None:
    """A batch in LZ4 frames is stored and answered with an empty body; a broken frame is an error."""
    server.sql("CREATE TABLE spyglass.g (a UInt64, b String) ENGINE = Memory")
    try:
        rows = 10_000
        block = native.varint(2) + native.varint(rows) + b"\x01a\x06UInt64" + struct.pack(f"<{rows}Q", *range(rows))
        block += b"\x01b\x06String" + native.string(b"a\n\nb") * rows
        parameters = {"query": "INSERT INTO spyglass.g (a, b) FORMAT Native", "compress": "1", "decompress": "1"}
        answer = _go(server, _frame(block), **parameters)
        assert (answer.status, answer.body) == (200, b"")
        assert server.sql("SELECT count(), sum(a), countIf(b = 'a\\n\\nb') FROM g") == "10000\t49995000\t10000"
        broken = bytearray(_frame(block))
        broken[40] ^= 1
        assert _go(server, bytes(broken), **parameters).headers["x-clickhouse-exception-code"] == "40"
        assert _go(server, _frame(block)[:-5], **parameters).headers["x-clickhouse-exception-code"] == "271"
    finally:
        server.sql("DROP TABLE spyglass.g")


def test_go_error_in_the_middle(server: Server) -> None:
    """After the head, an error is a block that carries the tag of the headers."""
    answer = _go(server, b"SELECT throwIf(number = 3000000), number FROM numbers(4000000)")
    tag = answer.headers["x-clickhouse-exception-tag"].encode()
    assert answer.status == 200
    at = answer.body.index(b"\r\n__exception__\r\n" + tag + b"\r\nCode: 395.")
    assert answer.body.endswith(tag + b"\r\n__exception__\r\n")
    assert at > 1000
