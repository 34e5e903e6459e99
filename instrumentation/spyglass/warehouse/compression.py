"""Compress and decompress as ClickHouse's clients do: whole bodies by Content-Encoding, or ClickHouse's own frames.

A frame is 16 bytes of CityHash128, one byte of method, two sizes of 4 bytes (with this header of 9, and plain), then
the data. Frames travel where a request says ``compress=1`` or ``decompress=1``.
"""

from __future__ import annotations

import gzip
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import lz4.block
import lz4.frame
from clickhouse_cityhash.cityhash import CityHash128

from spyglass.warehouse import codes

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_LZ4, _ZSTD, _PLAIN = 0x82, 0x90, 0x02
_HASH_SIZE, _HEADER_SIZE = 16, 9
_FRAME_SIZE = 1 << 20  # plain bytes in one frame that we write
_LARGEST_FRAME = 1 << 30  # plain bytes that a frame may announce: more is a mistake or an attack
_MASK = (1 << 64) - 1


class Encoder(Protocol):
    """Compress a stream piece by piece."""

    def encode(self, data: bytes) -> bytes:
        """Return what can be sent now; b"" is possible."""

    def finish(self) -> bytes:
        """Return what is left at the end."""


class Plain:
    """Pass a stream on as it is."""

    def encode(self, data: bytes) -> bytes:
        """Return the data."""
        return data

    def finish(self) -> bytes:
        """Return nothing."""
        return b""


class Frames:
    """Write ClickHouse's frames with LZ4."""

    def encode(self, data: bytes) -> bytes:
        """Return the data as frames."""
        return b"".join(_frame(data[start : start + _FRAME_SIZE]) for start in range(0, len(data), _FRAME_SIZE))

    def finish(self) -> bytes:
        """Return nothing: frames stand alone."""
        return b""


class Zlib:
    """Compress with gzip or deflate."""

    def __init__(self, window_bits: int) -> None:
        self._compressor = zlib.compressobj(3, wbits=window_bits)

    def encode(self, data: bytes) -> bytes:
        """Return what the compressor gives up so far."""
        return self._compressor.compress(data)

    def finish(self) -> bytes:
        """Return the end of the stream."""
        return self._compressor.flush()


class Zstd:
    """Compress with zstd."""

    def __init__(self) -> None:
        self._compressor = zstd.ZstdCompressor(level=1)

    def encode(self, data: bytes) -> bytes:
        """Return what the compressor gives up so far."""
        return bytes(self._compressor.compress(data))

    def finish(self) -> bytes:
        """Return the end of the stream."""
        return bytes(self._compressor.flush())


class Lz4:
    """Compress with the LZ4 frame format."""

    def __init__(self) -> None:
        self._compressor = lz4.frame.LZ4FrameCompressor()
        self._begun = False

    def encode(self, data: bytes) -> bytes:
        """Return what the compressor gives up so far."""
        return self._begin() + bytes(self._compressor.compress(data))

    def finish(self) -> bytes:
        """Return the end of the stream."""
        return self._begin() + bytes(self._compressor.flush())

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        return bytes(self._compressor.begin())


# In the order in which we prefer them.
ENCODERS: dict[str, Callable[[], Encoder]] = {
    "lz4": Lz4,
    "zstd": Zstd,
    "gzip": lambda: Zlib(31),
    "deflate": lambda: Zlib(15),
}

_DECODERS: dict[str, Callable[[bytes], Any]] = {
    "": lambda data: data,
    "identity": lambda data: data,
    "lz4": lz4.frame.decompress,
    "zstd": zstd.decompress,
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
}


def encoder_for(accepted: str) -> tuple[str, Encoder]:
    """Choose by an Accept-Encoding header; returns the name for Content-Encoding ("" for none) and the encoder."""
    names = {part.partition(";")[0].strip().lower() for part in accepted.split(",")}
    for name, encoder in ENCODERS.items():
        if name in names:
            return name, encoder()
    return "", Plain()


def decode(encoding: str, data: bytes) -> bytes:
    """Undo a Content-Encoding; raises StatementError for an unknown one or broken data."""
    decoder = _DECODERS.get(encoding.lower())
    if decoder is None:
        raise codes.refused(codes.NOT_IMPLEMENTED, f"Unknown Content-Encoding {encoding[:32]!r}.")
    try:
        return bytes(decoder(data))
    except (OSError, EOFError, RuntimeError, zlib.error, zstd.ZstdError) as error:
        raise codes.refused(codes.CANNOT_DECOMPRESS, f"The body is not {encoding} ({error}).") from None


def unframe(data: bytes) -> bytes:
    """Undo ClickHouse's frames; raises StatementError where a frame is broken."""
    return b"".join(_unframe(data))


def _unframe(data: bytes) -> Iterator[bytes]:
    view, position = memoryview(data), 0
    while position < len(data):
        body = position + _HASH_SIZE
        if len(data) - body < _HEADER_SIZE:
            raise _broken("it is cut short")
        method, packed, plain = struct.unpack_from("<BII", data, body)
        if packed < _HEADER_SIZE or body + packed > len(data) or plain > _LARGEST_FRAME:
            raise _broken("its sizes do not fit the data")
        if _hash(view[body : body + packed]) != data[position:body]:
            raise codes.refused(codes.CHECKSUM_DOESNT_MATCH, "Checksum doesn't match: corrupted data.")
        yield _unpack(method, bytes(view[body + _HEADER_SIZE : body + packed]), plain)
        position = body + packed


def _unpack(method: int, data: bytes, plain: int) -> bytes:
    try:
        if method == _LZ4:
            return bytes(lz4.block.decompress(data, uncompressed_size=plain))
        if method == _ZSTD:
            return bytes(zstd.decompress(data))
    except (lz4.block.LZ4BlockError, zstd.ZstdError) as error:
        raise _broken(str(error)) from None
    if method == _PLAIN:
        return data
    raise _broken(f"its method {method:#x} is unknown")


def _frame(plain: bytes) -> bytes:
    packed = bytes(lz4.block.compress(plain, store_size=False))
    body = struct.pack("<BII", _LZ4, len(packed) + _HEADER_SIZE, len(plain)) + packed
    return _hash(body) + body


def _hash(data: bytes | memoryview) -> bytes:
    number = int(CityHash128(data))
    return struct.pack("<QQ", number & _MASK, number >> 64)


def _broken(why: str) -> Exception:
    return codes.refused(codes.CANNOT_DECOMPRESS, f"A compressed frame is broken: {why}.")
