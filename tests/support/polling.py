"""A poller in a test: configurations as text, a clock that the test moves, a target that is a list."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from contract.kind import Event
from producers.poll.config import load_config
from producers.poll.poller import Poller
from producers.poll.report import RoundReport

__all__ = ["MAPPING", "START", "Clock", "Sent", "Table", "once", "opened", "write"]

START = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
"""When the tests' rounds begin: 9 o'clock at the source."""

MAPPING = """
kind = "dossier"
layout = "snapshots"
source = "onestop/test"
time_formats = ["iso"]
[subject]
column = "code"
[moments]
row = "updated"
[fields]
unit = { column = "office" }
channel = { column = "how", map = { "web" = "online", "desk" = "counter" } }
status = { column = "state", map = { "Đang xử lý" = "processing", "Đã trả" = "completed" } }
due_at = { column = "due" }
finished_at = { column = "finished" }
"""


class Clock:
    """Our clock, moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


class Sent:
    """A target: what is flushed is stored; ``fail_after`` lets so many calls pass, then fails."""

    def __init__(self) -> None:
        self.waiting: list[Event] = []
        self.stored: list[Event] = []
        self.fail_after: int | None = None

    def send(self, event: Event, /) -> None:
        self._step()
        self.waiting.append(event)

    def flush(self) -> None:
        self._step()
        self.stored += self.waiting
        self.waiting = []

    def take(self) -> list[Any]:
        """What was stored since the last call."""
        taken, self.stored = self.stored, []
        return taken

    def _step(self) -> None:
        if self.fail_after is None:
            return
        if self.fail_after == 0:
            self.waiting = []
            raise ConnectionError("the target has failed")
        self.fail_after -= 1


class Table:
    """A table of dossiers in SQLite, as a one-stop system has it."""

    COLUMNS = ("code", "office", "how", "state", "due", "finished", "updated")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run(f"CREATE TABLE dossiers ({', '.join(self.COLUMNS)})")

    def run(self, sql: str, rows: Sequence[Sequence[object]] = ((),)) -> None:
        """Execute a statement, once a row."""
        with closing(sqlite3.connect(self.path)) as db, db:
            db.executemany(sql, rows) if rows != ((),) else db.execute(sql)

    def add(self, code: str, **cells: object) -> None:
        """Insert a row; what is not given is usual."""
        usual: dict[str, object] = {
            "code": code,
            "office": "H19.01",
            "how": "web",
            "state": "Đang xử lý",
            "due": "2026-11-25 17:00:00",
            "finished": None,
            "updated": "2026-11-21 08:00:00",
        }
        row = {**usual, **cells}
        self.run(f"INSERT INTO dossiers VALUES ({', '.join('?' * len(row))})", [tuple(row.values())])  # noqa: S608


def write(folder: Path, source: str, *, mapping: str = MAPPING, top: str = "") -> Path:
    """Write a configuration and its mapping; return the configuration's path."""
    (folder / "mapping.toml").write_text(mapping, "utf-8")
    config = folder / "poll.toml"
    config.write_text(f'mapping = "mapping.toml"\n{top}\n{source}', "utf-8")
    return config


@contextmanager
def opened(config: Path, sent: Sent, clock: Clock, environ: Mapping[str, str] | None = None) -> Iterator[Poller]:
    """Open a poller, as a start of the process does."""
    with Poller(load_config(config), sent, now=clock, environ=environ or {}) as poller:
        yield poller


def once(config: Path, sent: Sent, clock: Clock, environ: Mapping[str, str] | None = None) -> RoundReport:
    """One process that does one round."""
    with opened(config, sent, clock, environ) as poller:
        return poller.round()
