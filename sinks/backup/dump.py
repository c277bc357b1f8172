"""Writing a back-up: a folder that appears under its name only when it is whole."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO

import msgspec
import pyarrow.parquet as pq

from sinks.backup.errors import BackupTargetError
from sinks.backup.manifest import FORMAT, MANIFEST, SUMS, AppliedMigration, Manifest, TableFile
from sinks.backup.pages import TableShape, pages, shapes
from sinks.backup.plan import known_tables, reading_order
from sinks.client import Client
from sinks.migrate import ensure_schema

__all__ = ["dump"]

Show = Callable[[int, int], None]


def dump(client: Client, target: Path, *, program: str, now: Callable[[], datetime], show: Show) -> Manifest:
    """Back the database up into the folder ``target`` while workers run, and return what was written.

    ``program``: the version to note; ``show`` gets (rows written, rows expected). Raises BackupTargetError,
    SchemaError.
    """
    ensure_schema(client)
    began_at = now()
    positions = _positions(client)
    with _appearing(target) as folder:
        found = shapes(client, reading_order(known_tables()))
        expected = sum(shape.rows for shape in found.values())
        tables: list[TableFile] = []
        sums: dict[str, str] = {}
        for name in reading_order(found):
            done = sum(table.rows for table in tables)
            table, digest = _write_table(client, folder, found[name], partial(_shown, show, done, expected))
            tables.append(table)
            sums[table.file] = digest
        manifest = Manifest(
            format=FORMAT,
            program=program,
            began_at=began_at,
            ended_at=now(),
            migrations=_migrations(client),
            fingerprint=_fingerprint(client),
            positions=positions,
            tables=tables,
        )
        text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        sums[MANIFEST] = hashlib.sha256(text).hexdigest()
        _write(folder / MANIFEST, text)
        _write(folder / SUMS, "".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode())
    return manifest


def _migrations(client: Client) -> list[AppliedMigration]:
    rows = client.rows("SELECT DISTINCT number, name, checksum FROM schema_migrations ORDER BY number")
    return [AppliedMigration(int(number), name, checksum) for number, name, checksum in rows]


def _fingerprint(client: Client) -> str:
    rows = client.rows("SELECT fingerprint FROM definitions ORDER BY sequence DESC LIMIT 1")
    return str(rows[0][0]) if rows else ""


def _positions(client: Client) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = {}
    for topic, partition, offset in client.rows(
        "SELECT toString(topic), `partition`, max(offset) FROM progress GROUP BY topic, `partition` ORDER BY ALL"
    ):
        found.setdefault(topic, {})[int(partition)] = int(offset)
    return found


def _shown(show: Show, before: int, expected: int, rows: int) -> None:
    show(before + rows, max(before + rows, expected))


def _write_table(
    client: Client, folder: Path, shape: TableShape, show: Callable[[int], None]
) -> tuple[TableFile, str]:
    path, rows = folder / f"{shape.name}.parquet", 0
    with _created(path) as file:
        read = pages(client, shape)
        first = next(read)
        with pq.ParquetWriter(file, first.schema, compression="zstd") as writer:
            for page in chain([first], read):
                writer.write_table(page)
                rows += page.num_rows
                show(rows)
    with path.open("rb") as file:
        return TableFile(shape.name, path.name, rows, shape.columns), hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, data: bytes) -> None:
    with _created(path) as file:
        file.write(data)


@contextmanager
def _created(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that only its owner may read, and have it on the disk at the end."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """Give a folder beside the target that takes its name at the end; a failure leaves nothing behind."""
    beside = target.with_name(f"{target.name}.partial")
    if target.exists():
        raise BackupTargetError(f"{target} exists already: choose another folder")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(beside, ignore_errors=True)  # of a back-up that was killed
        beside.mkdir(mode=0o700)
        yield beside
        beside.rename(target)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise BackupTargetError(
            f"the back-up cannot be written to {target} ({error.strerror or error}): "
            "free space, correct its owner, or choose another folder"
        ) from error
    except BaseException:  # Ctrl-C too
        shutil.rmtree(beside, ignore_errors=True)
        raise
