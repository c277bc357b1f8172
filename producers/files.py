"""Rows from files: CSV or JSON lines, plain or gzipped, read as a stream."""

import codecs
import csv
import gzip
import json
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from producers.json_values import BrokenJsonError, json_values
from producers.refusal import Refusal

__all__ = ["NumberedRow", "ReplayError", "read_rows"]

NumberedRow = tuple[int, dict[str, str]]
"""The row's number as a spreadsheet counts, and its cells by column, all as text."""

_GZIP_MAGIC = b"\x1f\x8b"
_CSV, _JSONL = ".csv", (".jsonl", ".ndjson")
_BOM = "\ufeff"
_UTF_8 = "utf-8"


class ReplayError(Exception):
    """A file cannot be read on. The text names the file, the row where there is one, and the remedy."""


def read_rows(
    path: str | Path,
    on_header: Callable[[list[str]], None] = lambda _: None,
    encoding: str = _UTF_8,
    delimiter: str = ",",
) -> Iterator[NumberedRow | Refusal]:
    """Yield the rows of a file; a malformed row comes as its Refusal.

    ``.csv`` is CSV with a header and its cells apart by ``delimiter``, ``.jsonl`` and ``.ndjson`` are one JSON
    object a line, other names are told apart by the first character (``[`` begins a JSON array of objects);
    gzip by its first bytes. Text is in ``encoding``, a name that Python knows for one that keeps ASCII; other
    than UTF-8 it becomes NFC. Raises ReplayError: file missing, empty or truncated, text in another encoding,
    header unusable, an array broken. ``on_header`` gets the columns of a CSV before its first row.
    """
    path = Path(path)
    try:
        with path.open("rb") as raw:
            zipped = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            raw.seek(0)
            if zipped:
                with gzip.open(raw) as unzipped:
                    yield from _rows(path, unzipped, on_header, encoding, delimiter)
            else:
                yield from _rows(path, raw, on_header, encoding, delimiter)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ReplayError(f"{path}: the gzip file is truncated or damaged ({error}): fetch it again") from error
    except OSError as error:
        raise ReplayError(f"{path}: cannot be read: {error.strerror or error}") from error


def _rows(
    path: Path,
    binary: BinaryIO | gzip.GzipFile,
    on_header: Callable[[list[str]], None],
    encoding: str,
    delimiter: str,
) -> Iterator[NumberedRow | Refusal]:
    lines = _lines(path, binary, encoding)
    first = next(lines, None)
    if first is None:
        raise ReplayError(f"{path}: is empty: a header or a first object was expected")
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    whole = chain([first], lines)
    if suffix not in (*_JSONL, _CSV) and first.lstrip().startswith("["):
        yield from _array(path, whole)
        return
    as_json = suffix in _JSONL or (suffix != _CSV and first.lstrip().startswith("{"))
    yield from _objects(whole) if as_json else _table(path, whole, on_header, delimiter)


def _array(path: Path, lines: Iterator[str]) -> Iterator[NumberedRow | Refusal]:
    try:
        yield from _objects(json_values(lines))
    except BrokenJsonError as error:
        raise ReplayError(f"{path}: the JSON is broken: {error} (at {error.rest!r}): export it again") from None


def _lines(path: Path, binary: BinaryIO | gzip.GzipFile, encoding: str) -> Iterator[str]:
    """Decode line by line, so that a wrong byte has a row."""
    other = not codecs.lookup(encoding).name.startswith(_UTF_8)
    for number, raw in enumerate(binary, 1):
        if other and not raw.isascii() and _is_utf_8(raw):
            raise ReplayError(f"{path}: row {number} is UTF-8, not {encoding}: set the encoding to {_UTF_8}")
        try:
            line = raw.decode(encoding)
        except UnicodeDecodeError as error:
            wrong = f"{path}: row {number} is not {encoding.upper()} (byte {raw[error.start]:#04x})"
            raise ReplayError(f"{wrong}: save the file as {encoding.upper()}") from None
        if other:
            line = unicodedata.normalize("NFC", line)  # Windows-1258 writes an accent after its letter
        yield line.removeprefix(_BOM) if number == 1 else line


def _is_utf_8(raw: bytes) -> bool:
    """Whether accented bytes are UTF-8: by chance those of a one-byte encoding practically never are."""
    try:
        raw.decode(_UTF_8)
    except UnicodeDecodeError:
        return False
    return True


def _table(
    path: Path, lines: Iterator[str], on_header: Callable[[list[str]], None], delimiter: str
) -> Iterator[NumberedRow | Refusal]:
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    try:
        header = [name.strip() for name in next(reader)]
        double = sorted({name for name in header if name and header.count(name) > 1})
        if double:
            raise ReplayError(f"{path}: the header has {', '.join(double)} more than once: rename one")
        on_header(header)
        for number, cells in enumerate(reader, 2):
            if not cells:
                continue  # an empty line, often the last
            if len(cells) != len(header):
                yield Refusal(number, None, f"has {len(cells)} cells, the header has {len(header)}")
                continue
            yield number, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise ReplayError(f"{path}: line {reader.line_num} is not CSV: {error}") from None


def _objects(lines: Iterator[str]) -> Iterator[NumberedRow | Refusal]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line, parse_float=str, parse_int=str)
        except (ValueError, RecursionError) as error:
            yield Refusal(number, None, f"is not JSON: {error}")
            continue
        if not isinstance(found, dict):
            yield Refusal(number, None, f"is a JSON {type(found).__name__}, not an object with columns")
            continue
        cells = {name: _text(cell) for name, cell in found.items()}
        # JSON can spell half a character, which no other text can hold; only an escape can.
        if "\\u" in line and not _is_text("".join(cells.values())):
            yield Refusal(number, None, "holds a lone surrogate (\\ud800 to \\udfff), which is no character")
            continue
        yield number, cells


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(cell: Any) -> str:
    """Return the text that a CSV would have: numbers keep their digits, null is empty."""
    if isinstance(cell, str):
        return cell
    return "" if cell is None else json.dumps(cell, ensure_ascii=False)
