"""The first rows of a file, read as a mapping for it would read them."""

import gzip
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from producers.files import ReplayError, read_rows
from producers.propose.sniff import HEAD_BYTES, FileForm, sniff
from producers.refusal import Refusal

__all__ = ["ROWS_LOOKED_AT", "Look", "look_at"]

ROWS_LOOKED_AT = 20_000
"""So many rows decide what is proposed."""

_GZIP_MAGIC = b"\x1f\x8b"


class Look(NamedTuple):
    """Rows of a file with its form; ``malformed`` counts rows that could not be read."""

    rows: list[dict[str, str]]
    form: FileForm
    malformed: int


def look_at(path: Path) -> Look:
    """Read the first rows of a file. Raises ReplayError: missing, empty, or no encoding that can be read."""
    form = sniff(_head(path))
    if form.encoding == "utf-16":
        raise ReplayError(f"{path}: is {form.why}")
    found = list(islice(read_rows(path, encoding=form.encoding, delimiter=form.delimiter), ROWS_LOOKED_AT))
    rows = [row[1] for row in found if not isinstance(row, Refusal)]
    if not rows:
        raise ReplayError(f"{path}: has no row that can be read ({form.why}): export it again")
    return Look(rows, form, len(found) - len(rows))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as raw:
            head = raw.read(HEAD_BYTES)
            if head[:2] != _GZIP_MAGIC:
                return head
            raw.seek(0)
            with gzip.open(raw) as unzipped:
                return unzipped.read(HEAD_BYTES)
    except (EOFError, gzip.BadGzipFile) as error:
        raise ReplayError(f"{path}: the gzip file is truncated or damaged ({error}): fetch it again") from error
    except OSError as error:
        raise ReplayError(f"{path}: cannot be read: {error.strerror or error}") from error
