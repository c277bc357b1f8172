"""What a back-up says of itself: the manifest, and the digests of all files in the form of `sha256sum`."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from sinks.backup.errors import BackupDamagedError
from sinks.engines import SchemaError

__all__ = ["FORMAT", "MANIFEST", "SUMS", "AppliedMigration", "Manifest", "TableFile", "read_manifest", "verify"]

FORMAT = 1
"""Number of the layout of a back-up."""
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
READ_BYTES = 1024 * 1024

_SUM = re.compile(r"([0-9a-f]{64})  ([\w.-]+)")


class AppliedMigration(msgspec.Struct, frozen=True):
    """A migration that the database had."""

    number: int
    name: str
    checksum: str


class TableFile(msgspec.Struct, frozen=True):
    """The file of one table; ``columns``: name → type in the store."""

    table: str
    file: str
    rows: int
    columns: dict[str, str]


class Manifest(msgspec.Struct, frozen=True):
    """What a back-up holds, ``tables`` in the order in which they were read.

    ``program``: version of nhip; ``fingerprint``: definitions under which the marks were counted, empty before the
    first; ``positions``: topic → partition → last record that is in the back-up for certain.
    """

    format: int
    program: str
    began_at: datetime
    ended_at: datetime
    migrations: list[AppliedMigration]
    fingerprint: str
    positions: dict[str, dict[int, int]]
    tables: list[TableFile]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)


class _Numbered(msgspec.Struct):
    format: int
    program: str = "?"


def read_manifest(folder: Path) -> Manifest:
    """Read a back-up's manifest. Raises BackupDamagedError; SchemaError for a layout of a newer program."""
    path = folder / MANIFEST
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BackupDamagedError(f"{folder} is no back-up that can be read: {error}") from error
    try:
        numbered = msgspec.json.decode(text, type=_Numbered)
        if numbered.format > FORMAT:
            raise SchemaError(
                f"{folder} was written by nhip {numbered.program} in a newer layout: restore it with that version"
            )
        return msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError as error:
        raise BackupDamagedError(f"{path} is damaged ({error}): take another back-up") from error


def verify(folder: Path, manifest: Manifest, show: Callable[[int, int], None]) -> None:
    """Compare every file with its digest and its count of rows. ``show`` gets (bytes read, all bytes).

    Raises BackupDamagedError, which names the first file that is not as it was written.
    """
    sums = _sums(folder)
    for name in (MANIFEST, *(table.file for table in manifest.tables)):
        if name not in sums:
            raise BackupDamagedError(f"{folder / SUMS} has no line for {name}: take another back-up")
    try:
        total = sum((folder / name).stat().st_size for name in sums)
        done = 0
        for name, expected in sums.items():
            digest = hashlib.sha256()
            with (folder / name).open("rb") as file:
                while piece := file.read(READ_BYTES):
                    digest.update(piece)
                    done += len(piece)
                    show(done, total)
            if digest.hexdigest() != expected:
                raise BackupDamagedError(f"{folder / name} is not as it was written: take another back-up")
        for table in manifest.tables:
            if (rows := pq.read_metadata(folder / table.file).num_rows) != table.rows:
                raise BackupDamagedError(f"{folder / table.file} has {rows} rows, the manifest says {table.rows}")
    except (OSError, pa.ArrowInvalid) as error:
        raise BackupDamagedError(f"{folder} is incomplete or cannot be read ({error}): take another one") from error


def _sums(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / SUMS).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupDamagedError(f"{folder} is no whole back-up: {SUMS} cannot be read: {error}") from error
    matches = [_SUM.fullmatch(line) for line in lines]
    if None in matches:
        raise BackupDamagedError(f"{folder / SUMS} is damaged: take another back-up")
    return {match[2]: match[1] for match in matches if match is not None}
