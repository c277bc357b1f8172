"""How a file is written, told from its first bytes: encoding, and what separates its cells."""

import codecs
import csv
from typing import Final, NamedTuple

__all__ = ["HEAD_BYTES", "FileForm", "sniff"]

HEAD_BYTES: Final = 262_144
"""So many bytes of a file are looked at."""

_DELIMITERS: Final = (",", ";", "\t", "|")
_LINES_LOOKED_AT: Final = 20


class FileForm(NamedTuple):
    """``encoding`` and ``delimiter`` as a mapping names them; ``why`` says how they were told."""

    encoding: str
    delimiter: str
    why: str


def sniff(head: bytes) -> FileForm:
    """Tell the form of a file from its first bytes.

    Text that is not UTF-8 is taken for Windows-1258, the older encoding of Vietnamese: nothing in such a file
    says so. The delimiter is the one that cuts the first lines into most columns of equal number.
    """
    encoding, why = _encoding(head)
    text = head.decode(encoding, "replace").removeprefix("\ufeff")
    if text.lstrip()[:1] in {"{", "["}:
        return FileForm(encoding, ",", f"JSON, {why}")
    lines = text.splitlines()[: _LINES_LOOKED_AT + 1]
    lines = lines[:-1] if len(lines) > 1 else lines  # the last may be cut off
    delimiter = max(_DELIMITERS, key=lambda sign: (_columns(lines, sign), -_DELIMITERS.index(sign)))
    return FileForm(encoding, delimiter, f"CSV, {why}, cells separated by {delimiter!r}")


def _encoding(head: bytes) -> tuple[str, str]:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "UTF-16: save the file as UTF-8 first"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError as error:
        return "cp1258", f"not UTF-8 (byte {error.start}), so taken for Windows-1258"
    return "utf-8", "UTF-8"


def _columns(lines: list[str], delimiter: str) -> int:
    """Columns of the header if most lines have as many, else 1."""
    try:
        widths = [len(cells) for cells in csv.reader(lines, delimiter=delimiter) if cells]
    except csv.Error:
        return 1
    if not widths or 2 * sum(width == widths[0] for width in widths) <= len(widths):
        return 1
    return widths[0]
