"""Compressed bodies."""

import pytest

from nhip.local.codec import ENCODINGS, CodecError, compress, decompress, offered

PLAIN = b"".join(b"%d;" % number for number in range(300_000))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_chained_frames_come_back(encoding: str) -> None:
    """Clients send one frame per block; all of them are read, also across slices."""
    body = compress(PLAIN, encoding) + compress(b"tail", encoding)

    plain = b"".join(decompress(body, encoding))

    assert plain == PLAIN + b"tail"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_cut_off_body_is_refused(encoding: str) -> None:
    """Half a body is an error, never half the data."""
    body = compress(PLAIN, encoding)[:-10]

    with pytest.raises(CodecError, match="cut off"):
        list(decompress(body, encoding))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_damaged_body_is_refused(encoding: str) -> None:
    """Bytes of another kind are an error."""
    with pytest.raises(CodecError, match=encoding):
        list(decompress(b"no such thing" * 10, encoding))


def test_unknown_encoding_is_refused() -> None:
    """The message names what is understood."""
    with pytest.raises(CodecError, match="'br' is not supported; use one of lz4"):
        list(decompress(b"x", "br"))


def test_plain_and_empty_bodies_pass() -> None:
    """No encoding changes nothing."""
    assert list(decompress(b"x", "")) == [b"x"]
    assert not list(decompress(b"", "lz4"))


@pytest.mark.parametrize(
    ("header", "chosen"),
    [("", None), ("br, zstd;q=0.5, gzip", "zstd"), ("lz4;q=0,gzip", "gzip"), ("identity", None)],
)
def test_first_known_offer_is_taken(header: str, chosen: str | None) -> None:
    """The client's order decides."""
    assert offered(header) == chosen
