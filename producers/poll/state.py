"""What was sent, kept in SQLite: one row an entity, and the outbox of the round that is under way.

A round is staged in the outbox while the source is read, then sealed in one transaction with everything that
the next round needs, then sent. A crash before the seal forgets the round; after it the same events, with the
same ids and versions, are sent again. An entity counts as sent once the target has confirmed it.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from producers.poll.errors import StateError
from producers.poll.lock import locked

__all__ = ["GONE", "Known", "PollState", "Staged"]

FORMAT = "1"
GONE = 2**62
"""In place of a round's number: the entity was voided, and is not looked for again."""
CACHE_KIB = 65_536
"""Pages of the file that SQLite keeps in memory: bounds it, whatever the number of entities."""
WORTH_PAGES = 10_000
"""Free pages (40 MB) from which on giving them back to the disk is worth the copying."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memo (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entities (
  subject TEXT PRIMARY KEY,
  digest BLOB NOT NULL,
  version INTEGER NOT NULL,
  stated INTEGER,
  seen INTEGER NOT NULL,
  event BLOB
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
  subject TEXT PRIMARY KEY,
  digest BLOB NOT NULL,
  version INTEGER NOT NULL,
  stated INTEGER,
  seen INTEGER NOT NULL,
  event BLOB NOT NULL
) WITHOUT ROWID;
"""


class Known(NamedTuple):
    """An entity as it was last sent; ``seen`` is the number of the round that last found it."""

    digest: bytes
    version: int
    stated: int | None
    seen: int


class Staged(NamedTuple):
    """An event in the outbox; ``seen`` is the number of its round, or GONE."""

    subject: str
    digest: bytes
    version: int
    stated: int | None
    seen: int
    event: bytes


class PollState:
    """The state of one source; a context manager. Only one process may have it open.

    ``owner`` says whose it is: kind and source of the events. Raises StateError.
    """

    def __init__(self, path: Path, owner: str, *, keep_events: bool) -> None:
        self.path = path
        self._keep_events = keep_events
        self._lock = locked(path)
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            try:
                self._open(owner)
            except BaseException:
                self._db.close()
                raise
        except BaseException as error:
            self._lock.close()
            if isinstance(error, sqlite3.Error):
                raise StateError(f"{path}: cannot be used ({error}): is it the state of a poller?") from error
            raise

    def _open(self, owner: str) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        # A confirmed round must outlive a loss of power: the default of WAL would not promise it.
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._db.executescript(_SCHEMA)
        for key, expected in (("format", FORMAT), ("owner", owner)):
            found = self.fact(key)
            if found is not None and found != expected:
                raise StateError(
                    f"{self.path}: has the {key} {found!r}, not {expected!r}: give each configuration a state of "
                    "its own (the key state)"
                )
            self._db.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (key, expected))

    @staticmethod
    def copy(path: Path, to: Path) -> None:
        """Copy a state, also one that a poller is using; nothing if there is none."""
        if path.exists():
            with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(to)) as target:
                source.backup(target)

    def fact(self, key: str) -> str | None:
        """Return one remembered value."""
        found = self._db.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def memo(self) -> dict[str, str]:
        """Return what the pages of the last finished round gave."""
        return dict(self._db.execute("SELECT key, value FROM memo"))

    @property
    def sealed(self) -> bool:
        """Whether the outbox holds a whole round that is not wholly sent."""
        return self.fact("sealed") == "1"

    def count(self) -> int:
        """Return how many entities are known and not voided."""
        return int(self._db.execute("SELECT count(*) FROM entities WHERE seen < ?", (GONE,)).fetchone()[0])

    def begin(self) -> int:
        """Forget what an unfinished round had staged; return the number of the new round."""
        number = int(self.fact("round") or 0) + 1
        with _Transaction(self._db):
            self._db.execute("DELETE FROM outbox")
            self._set({"round": str(number), "sealed": "0"})
        return number

    def known(self, subjects: Collection[str]) -> dict[str, Known]:
        """Return those of the entities that were sent before."""
        sql = (
            "SELECT subject, digest, version, stated, seen FROM entities "
            "WHERE subject IN (SELECT value FROM json_each(?))"
        )
        return {row[0]: Known(*row[1:]) for row in self._db.execute(sql, (json.dumps(list(subjects)),))}

    def staged(self, subjects: Collection[str]) -> dict[str, int | None]:
        """Return those of the entities that this round has already staged, with the version they claim."""
        sql = "SELECT subject, stated FROM outbox WHERE subject IN (SELECT value FROM json_each(?))"
        return dict(self._db.execute(sql, (json.dumps(list(subjects)),)))

    def stage(
        self,
        number: int,
        changed: Sequence[Staged],
        unchanged: Iterable[tuple[str, int | None]],
        seen: Iterable[str],
        kept: Iterable[tuple[str, bytes]] = (),
    ) -> None:
        """Take in one batch of round ``number``: events, entities as they were, and codes that were seen.

        ``kept``: events of unchanged entities that were not kept before.
        """
        with _Transaction(self._db):
            self._db.executemany("INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?, ?, ?)", changed)
            same = [(number, stated, subject) for subject, stated in unchanged]
            self._db.executemany("UPDATE entities SET seen = ?, stated = ? WHERE subject = ?", same)
            self._db.executemany("DELETE FROM outbox WHERE subject = ?", [(row[2],) for row in same])
            self._db.executemany("UPDATE entities SET seen = ? WHERE subject = ?", [(number, s) for s in seen])
            self._db.executemany(
                "UPDATE entities SET event = ? WHERE subject = ? AND event IS NULL", [(e, s) for s, e in kept]
            )

    def vanished(self, number: int, after: str, limit: int) -> list[tuple[str, int, bytes | None]]:
        """Return entities after ``after`` that round ``number`` did not see: subject, version, event."""
        sql = (
            "SELECT subject, version, event FROM entities WHERE seen < ? AND subject > ? "
            "AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.subject = entities.subject) ORDER BY subject LIMIT ?"
        )
        return self._db.execute(sql, (number, after, limit)).fetchall()

    def count_vanished(self, number: int) -> int:
        """Return how many entities round ``number`` did not see."""
        sql = (
            "SELECT count(*) FROM entities WHERE seen < ? "
            "AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.subject = entities.subject)"
        )
        return int(self._db.execute(sql, (number,)).fetchone()[0])

    def seal(self, memo: Mapping[str, str], facts: Mapping[str, str]) -> int:
        """Finish the reading: from here on the outbox will be sent. Returns how many events it holds."""
        with _Transaction(self._db):
            self._db.execute("DELETE FROM memo")
            self._db.executemany("INSERT INTO memo VALUES (?, ?)", memo.items())
            self._set({**facts, "sealed": "1"})
        return int(self._db.execute("SELECT count(*) FROM outbox").fetchone()[0])

    def outbox(self, limit: int) -> list[Staged]:
        """Return the next events to send."""
        sql = "SELECT subject, digest, version, stated, seen, event FROM outbox ORDER BY subject LIMIT ?"
        return [Staged(*row) for row in self._db.execute(sql, (limit,))]

    def confirm(self, sent: Sequence[Staged]) -> None:
        """Note events that the target has stored."""
        rows = [s if self._keep_events else s._replace(event=None) for s in sent]  # type: ignore[arg-type]
        with _Transaction(self._db):
            self._db.executemany("INSERT OR REPLACE INTO entities VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._db.executemany("DELETE FROM outbox WHERE subject = ?", [(s.subject,) for s in sent])

    def finish(self, facts: Mapping[str, str]) -> None:
        """Note that the outbox is empty, and give its room back."""
        with _Transaction(self._db):
            self._set({**facts, "sealed": "0"})
        free, pages = (self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count"))
        # After 3 million rows copying what is left took 5 s, an incremental vacuum 106 s (2 busy cores).
        if free > WORTH_PAGES and free > pages // 2:
            self._db.execute("VACUUM")

    def _set(self, facts: Mapping[str, str]) -> None:
        self._db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())

    def close(self) -> None:
        """Let go of the file; may be repeated."""
        self._db.close()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Transaction:
    """All of a block, or nothing."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.execute("COMMIT" if error is None else "ROLLBACK")
