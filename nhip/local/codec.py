"""Compressed bodies, both ways: lz4, zstd, gzip and deflate."""

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import lz4.frame  # type: ignore[import-untyped]

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["ENCODINGS", "CodecError", "compress", "decompress", "offered"]

SLICE_BYTES = 256 * 1024
ANY_ZLIB_HEADER = 47  # zlib and gzip headers are told apart by zlib itself
FAST_GZIP = 1  # on one machine the processor is dearer than the bytes


class CodecError(Exception):
    """A body is not what its Content-Encoding says."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


DECOMPRESSORS: dict[str, Callable[[], _Decompressor]] = {
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": zstd.ZstdDecompressor,
    "gzip": lambda: zlib.decompressobj(ANY_ZLIB_HEADER),
    "deflate": lambda: zlib.decompressobj(ANY_ZLIB_HEADER),
}
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lz4.frame.compress,
    "zstd": zstd.compress,
    "gzip": lambda data: gzip.compress(data, FAST_GZIP),
    "deflate": lambda data: zlib.compress(data, FAST_GZIP),
}
ENCODINGS = tuple(COMPRESSORS)


def offered(accept_encoding: str) -> str | None:
    """Return the first encoding of an Accept-Encoding header that is spoken here."""
    for part in accept_encoding.split(","):
        name, _, weight = part.strip().partition(";")
        if name.strip() in COMPRESSORS and weight.replace(" ", "") not in ("q=0", "q=0.0"):
            return name.strip()
    return None


def compress(data: bytes, encoding: str) -> bytes:
    """Return the data compressed; `encoding` is one of ENCODINGS."""
    return COMPRESSORS[encoding](data)


def decompress(data: bytes, encoding: str) -> Iterator[bytes]:
    """Yield the plain data in pieces.

    Clients send one frame per block, one after the other. Raises CodecError for an unknown encoding and for
    data that is damaged or cut off.
    """
    if encoding in ("", "identity"):
        yield data
        return
    if encoding not in DECOMPRESSORS:
        raise CodecError(f"Content-Encoding {encoding!r} is not supported; use one of {', '.join(ENCODINGS)}")
    decompressor = DECOMPRESSORS[encoding]()
    complete = not data
    try:
        # Slices keep a frame's remainder small: it is copied once per frame.
        for start in range(0, len(data), SLICE_BYTES):
            rest = data[start : start + SLICE_BYTES]
            while rest:
                if decompressor.eof:
                    decompressor = DECOMPRESSORS[encoding]()
                if plain := decompressor.decompress(rest):
                    yield plain
                complete = decompressor.eof
                rest = decompressor.unused_data or b"" if complete else b""
    except (RuntimeError, zlib.error, zstd.ZstdError) as error:
        raise CodecError(f"the body is not {encoding}: {error}") from error
    if not complete:
        raise CodecError(f"the {encoding} body is cut off")
