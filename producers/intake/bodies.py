"""From a request's headers and body to the bytes of its records. Pure: every way CloudEvents over HTTP knows."""

import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

__all__ = ["BATCH", "JSON", "NDJSON", "STRUCTURED", "BodyError", "records_of", "unpacked"]

JSON = "application/json"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"
_LINES = frozenset({NDJSON, "application/ndjson", "application/jsonl"})

_GZIP = zlib.MAX_WBITS | 16
_raw_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
_ATTRIBUTE = re.compile(r"ce-[a-z0-9]{1,20}")
_CHARSET = re.compile(r"""charset\s*=\s*"?([^";\s]+)""", re.IGNORECASE)


class BodyError(Exception):
    """The request as a whole cannot be read: ``status`` is that of the answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo the Content-Encoding, to at most ``limit`` bytes. Raises BodyError (400, 413, 415)."""
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _gunzip(body, limit)
        case other:
            raise BodyError(415, f"Content-Encoding {other[:32]!r} is not read: send gzip, or nothing packed")


def _gunzip(body: bytes, limit: int) -> bytes:
    parts, size, rest = [], 0, body
    while rest:
        # One member after the other, each no further than what is still allowed.
        member = zlib.decompressobj(_GZIP)
        try:
            part = member.decompress(rest, limit - size + 1)
        except zlib.error as error:
            raise BodyError(400, f"the body is not gzip: {error}") from None
        size += len(part)
        if size > limit:
            raise BodyError(413, f"the body has more than {limit} bytes when it is unpacked: send smaller batches")
        if not member.eof:
            raise BodyError(400, "the gzip body is cut off: send it whole")
        parts.append(part)
        rest = member.unused_data
    return b"".join(parts)


def records_of(content_type: str, headers: Iterable[tuple[str, str]], body: bytes) -> list[bytes]:
    """Return the bytes of each record in the order sent, unread.

    ``headers``: those of the request, names in lower case. Raises BodyError (400, 415).
    """
    kind, _, parameters = content_type.partition(";")
    kind = kind.strip().lower()
    charset = _CHARSET.search(parameters)
    if charset is not None and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise BodyError(415, f"charset {charset[1][:32]!r} is not read: send UTF-8")
    if kind in _LINES:
        return _some([line for line in (part.strip() for part in body.split(b"\n")) if line])
    if kind == BATCH:
        return _array(body)
    if kind == STRUCTURED:
        return [body]
    if kind != JSON:
        known = f"{JSON}, {STRUCTURED}, {BATCH} or {NDJSON}"
        raise BodyError(415, f"Content-Type {kind[:64]!r} is not read: send {known}")
    attributes = _attributes(headers)
    if attributes:
        return [_bound(attributes, body)]
    return _array(body) if body.lstrip(b" \t\r\n")[:1] == b"[" else _some([body] if body.strip() else [])


def _array(body: bytes) -> list[bytes]:
    try:
        return _some([bytes(raw) for raw in _raw_list(body)])
    except msgspec.ValidationError:
        raise BodyError(400, "the body is no array of events") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyError(400, f"the body is not JSON: {error}") from None


def _some(records: list[bytes]) -> list[bytes]:
    if not records:
        raise BodyError(400, "the body holds no event")
    return records


def _attributes(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the CloudEvents attributes of the binary mode, by name; none when it is not that mode."""
    found: dict[str, str] = {}
    for name, value in headers:
        if not name.startswith("ce-"):
            continue
        if not _ATTRIBUTE.fullmatch(name):
            raise BodyError(400, f"header {name[:64]!r} is no CloudEvents attribute")
        key = name.removeprefix("ce-")
        if key in found:
            raise BodyError(400, f"header {name} is there twice")
        try:
            found[key] = unquote_to_bytes(value).decode()
        except UnicodeDecodeError:
            raise BodyError(400, f"header {name} is not percent-encoded UTF-8") from None
    return found


def _bound(attributes: Mapping[str, str], body: bytes) -> bytes:
    """Put the attributes of the binary mode and the data into one structured event."""
    try:
        # Read before it is put in: bytes that are more than one value would become fields of the envelope.
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyError(400, f"the body is not JSON: {error}") from None
    event: dict[str, Any] = dict(attributes)
    version = event.get("version", "")
    if version.isascii() and version.isdigit() and len(version) < 20:  # noqa: PLR2004 - more digits are no int64
        event["version"] = int(version)
    if "data" in event:
        raise BodyError(400, "header ce-data is no CloudEvents attribute: data is the body")
    event["data"] = msgspec.Raw(body)
    return _encode(event)
