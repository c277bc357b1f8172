"""The spool: events that Kafka has not acknowledged, in order, in one SQLite file of bounded size."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from producers.errors import SpoolError, SpoolFullError, SpoolInUseError

__all__ = ["MAX_SPOOL_BYTES", "Record", "Spool", "Spooled", "size_of"]

MAX_SPOOL_BYTES = 256 * 1024 * 1024
"""Room for half a million ordinary events: a province's half year of dossiers, or seven minutes of 1,000 a second."""
ROW_BYTES = 48
"""What SQLite needs for a row beside its texts, in bytes."""

# EXCLUSIVE: no second process can open the file, and the lock goes with the process however it ends. WAL with
# synchronous=FULL: a commit is one write and one fsync, and what was committed survives a power cut. NORMAL
# would be quicker, but only survive the end of the process: too little for an event that was answered "accepted".
_OPEN = ("PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL")
_CREATE = """CREATE TABLE IF NOT EXISTS records
    (id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, key BLOB, value BLOB NOT NULL)"""
_SIZE = f"coalesce(sum({ROW_BYTES} + length(topic) + coalesce(length(key), 0) + length(value)), 0)"


class Record(NamedTuple):
    """What goes to Kafka."""

    topic: str
    key: bytes | None
    value: bytes


class Spooled(NamedTuple):
    """A record and its row: rows grow in the order in which records were appended."""

    row: int
    record: Record


def size_of(record: Record) -> int:
    """Return the bytes that a record counts for in the spool."""
    return ROW_BYTES + len(record.topic) + len(record.key or b"") + len(record.value)


class Spool:
    """A first-in-first-out file of records. Not safe to share between threads, nor between processes.

    ``max_bytes`` bounds what it holds; the file is a little larger. Raises SpoolInUseError, SpoolError.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_SPOOL_BYTES) -> None:
        self.path = path
        self.max_bytes = max_bytes
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise SpoolError(f"{path}: the spool cannot be opened: {error}: choose another path") from error
        try:
            for statement in _OPEN:
                self._db.execute(statement)
            self._db.execute("BEGIN EXCLUSIVE")
            self._db.execute(_CREATE)
            self._db.execute("COMMIT")
            found: tuple[int, int] = self._db.execute(f"SELECT count(*), {_SIZE} FROM records").fetchone()  # noqa: S608
        except sqlite3.Error as error:
            self._db.close()
            if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise SpoolInUseError(
                    f"{path}: another process uses this spool: stop it, or give each process a spool of its own"
                ) from error
            raise SpoolError(
                f"{path}: is no spool that can be read ({error}): choose another path, and keep this file: "
                "events may be in it"
            ) from error

        self.count, self.bytes = found

    def fits(self, size: int) -> bool:
        """Whether so many bytes more can be taken."""
        return self.bytes + size <= self.max_bytes

    def append(self, records: Sequence[Record]) -> int:
        """Append all records in one transaction, on disk when this returns; return the last one's row.

        Raises SpoolFullError and then takes none; SpoolError when the disk is full or fails.
        """
        size = sum(map(size_of, records))
        if not self.fits(size):
            raise SpoolFullError(
                f"{self.path}: the spool is full ({self.bytes} of {self.max_bytes} bytes): wait until Kafka is back"
            )
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT INTO records (topic, key, value) VALUES (?, ?, ?)", records)
            (last,) = self._db.execute("SELECT max(id) FROM records").fetchone()
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failed(error) from error
        self.count += len(records)
        self.bytes += size
        return int(last)

    def read(self, after: int, limit: int) -> list[Spooled]:
        """Return the oldest records behind a row. Raises SpoolError."""
        query = "SELECT id, topic, key, value FROM records WHERE id > ? ORDER BY id LIMIT ?"
        try:
            return [Spooled(row, Record(*rest)) for row, *rest in self._db.execute(query, (after, limit))]
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def delete(self, through: int) -> None:
        """Drop the records up to a row, that one too: Kafka has them. Raises SpoolError."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            query = f"SELECT count(*), {_SIZE} FROM records WHERE id <= ?"  # noqa: S608 - no text from outside
            count, size = self._db.execute(query, (through,)).fetchone()
            self._db.execute("DELETE FROM records WHERE id <= ?", (through,))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failed(error) from error
        self.count -= count
        self.bytes -= size

    def close(self) -> None:
        """Release the file; what it holds stays. May be repeated."""
        self._db.close()

    def _failed(self, error: sqlite3.Error) -> SpoolError:
        if self._db.in_transaction:
            self._db.rollback()
        return SpoolError(f"{self.path}: the spool cannot be used: {error}: free some space or check the disk")
