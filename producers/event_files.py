"""Files of events, checked record by record exactly as the stream checks them: JSON, JSON array or NDJSON."""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from contract.decode import EventError, Horizon, decode_any
from contract.kind import Event
from producers.files import ReplayError
from producers.json_values import MAX_VALUE_CHARS, BrokenJsonError, json_values

__all__ = ["Checked", "check_file", "check_value"]

CHUNK_BYTES = 262_144
"""How much of a file is read at once, in bytes."""

_GZIP_MAGIC = b"\x1f\x8b"
_LINES = (".ndjson", ".jsonl")


class Checked(NamedTuple):
    """One record of a file: ``number`` counts from 1, in NDJSON it is the line.

    ``event`` is None when it is refused; then ``reason`` is the stable key, ``path`` the place inside the
    record (None when the record as a whole is meant) and ``text`` the whole sentence.
    """

    number: int
    event: Event | None
    reason: str | None = None
    path: str | None = None
    text: str = ""


def check_value(number: int, value: bytes, horizon: Horizon) -> Checked:
    """Check the bytes of one record of any kind; the kind is that of its ``type``."""
    try:
        return Checked(number, decode_any(value, horizon)[1])
    except EventError as error:
        return Checked(number, None, error.reason, error.path, str(error))


def check_file(
    path: Path, horizon: Horizon, on_progress: Callable[[int, int], None] = lambda *_: None
) -> Iterator[Checked]:
    """Check a file record by record, gzip too, in bounded memory.

    ``.ndjson`` and ``.jsonl`` hold one record a line; other names are told apart by their first line. Where
    an array is broken the rest cannot be told apart: it is one refusal, the last. ``on_progress`` gets
    (bytes read, bytes of the file). Raises ReplayError: file missing, empty, or a damaged gzip.
    """
    try:
        total = path.stat().st_size
        with path.open("rb") as raw:
            zipped = raw.peek(2)[:2] == _GZIP_MAGIC
            with gzip.open(raw) if zipped else raw as plain:
                opened = io.BufferedReader(plain, CHUNK_BYTES) if isinstance(plain, gzip.GzipFile) else plain
                if not opened.peek(1):
                    raise ReplayError(f"{path}: is empty: at least one event was expected")
                for number, value in _values(path, opened):
                    on_progress(raw.tell(), total)
                    yield value if isinstance(value, Checked) else check_value(number, value, horizon)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ReplayError(f"{path}: the gzip file is truncated or damaged ({error}): fetch it again") from error
    except OSError as error:
        raise ReplayError(f"{path}: cannot be read: {error.strerror or error}") from error


def _values(path: Path, opened: BinaryIO) -> Iterator[tuple[int, bytes | Checked]]:
    first = opened.readline(MAX_VALUE_CHARS)
    lines = Path(path.name.lower().removesuffix(".gz")).suffix in _LINES
    bare = first.removeprefix(codecs.BOM_UTF8).strip()
    if lines or (bare.startswith(b"{") and bare.endswith(b"}")):
        yield from _by_line(first.removeprefix(codecs.BOM_UTF8), opened)
        return
    number = 0
    try:
        for number, text in enumerate(json_values(_chunks(first, opened)), 1):
            yield number, text.encode("utf-8", "surrogateescape")
    except BrokenJsonError as error:
        text = f"the value is not JSON: {error}" + (f" (at {error.rest!r})" if error.rest else "")
        yield number + 1, Checked(number + 1, None, "not_json", None, text)


def _by_line(first: bytes, opened: BinaryIO) -> Iterator[tuple[int, bytes | Checked]]:
    line, number = first, 0
    while line:
        number += 1
        whole = line
        while len(line) == MAX_VALUE_CHARS and not line.endswith(b"\n"):
            line = opened.readline(MAX_VALUE_CHARS)  # the rest of a line that is too long anyway
        if whole.strip():
            yield number, whole.strip()
        line = opened.readline(MAX_VALUE_CHARS)


def _chunks(first: bytes, opened: BinaryIO) -> Iterator[str]:
    # Bytes that are no UTF-8 pass as they are: the record that holds them is refused, not the file.
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    yield decoder.decode(first.removeprefix(codecs.BOM_UTF8))
    while piece := opened.read(CHUNK_BYTES):
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)
