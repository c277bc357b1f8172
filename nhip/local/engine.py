"""The ClickHouse engine in this process, behind a small pool of connections."""

import os
import queue
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import chdb

from nhip.local.statement import Statement

__all__ = ["Answer", "Engine", "EngineError"]

STORE_NAME = "store"
# One connection runs one query at a time; several run side by side. A connection costs half a millisecond.
READERS = 8
WRITERS = 4
# The machine is shared with Kafka and the workers; the defaults (16 and 512 threads) are a server's.
SERVER_OPTIONS = {
    "background_pool_size": 2,
    "background_schedule_pool_size": 8,
    "background_fetches_pool_size": 1,
    "background_common_pool_size": 2,
    "background_move_pool_size": 1,
}
# An insert is on disk when it is answered. This is what the engine takes for a setting not given.
BASE_SETTINGS = {"async_insert": "0"}
DEFAULT_DATABASE = "default"
APPEND_BYTES = 1024 * 1024

CODE = re.compile(r"Code: (\d+)")
SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NOT_IMPLEMENTED = 48
UNKNOWN_EXCEPTION = 1002


class EngineError(Exception):
    """The engine refused a statement. `code` is ClickHouse's error code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Answer:
    """What a statement returned: its bytes in the wanted format, and the counts ClickHouse reports."""

    body: bytes
    summary: dict[str, str]


@dataclass
class _Connection:
    """A connection and the state that earlier requests left in it."""

    path: str
    handle: Any = None
    database: str = DEFAULT_DATABASE
    settings: dict[str, str] = field(default_factory=dict)

    def open(self) -> None:
        """Open afresh, with nothing left of earlier requests."""
        self.close()
        self.handle = chdb.connect(self.path)
        self.database, self.settings = DEFAULT_DATABASE, {}
        self._set(BASE_SETTINGS)

    def close(self) -> None:
        if self.handle is not None:
            self.handle.close()
            self.handle = None

    def prepare(self, database: str, settings: Mapping[str, str]) -> None:
        """Bring the connection into the state a request asks for; the usual case changes nothing."""
        wanted = {**BASE_SETTINGS, **settings}
        if database != self.database:
            self.handle.query("USE {name:Identifier}", "Null", params={"name": database})
            self.database = database
        if wanted != self.settings:
            self._set(wanted)

    def _set(self, wanted: Mapping[str, str]) -> None:
        # SET serves every kind of statement, where a SETTINGS clause has its place only in some, and it
        # takes values as parameters.
        changed = {name: value for name, value in wanted.items() if self.settings.get(name) != value}
        for name in changed:
            if not SETTING_NAME.fullmatch(name):
                raise EngineError(f"Code: 115. DB::Exception: Unknown setting {name!r}. (UNKNOWN_SETTING)", 115)
        parts = [f"{name} = {{v{index}:String}}" for index, name in enumerate(changed)]
        parts += [f"{name} = DEFAULT" for name in self.settings if name not in wanted]
        if parts:
            values = {f"v{index}": _escaped(value) for index, value in enumerate(changed.values())}
            self.handle.query(f"SET {', '.join(parts)}", "Null", params=values)
        self.settings = dict(wanted)


class Engine:
    """ClickHouse's engine on one folder. Its methods block and may be called from any thread."""

    def __init__(self, data: Path) -> None:
        # The path is the beginning of an option string: a plain name cannot be misread.
        os.chdir(data)
        options = "&".join(f"{name}={value}" for name, value in SERVER_OPTIONS.items())
        path = f"{STORE_NAME}?{options}"
        self._readers = _pool(path, READERS)
        self._writers = _pool(path, WRITERS)
        self.timezone = self._first_line("SELECT timezone()")
        self.version = self._first_line("SELECT version()")

    def run(
        self,
        statement: Statement,
        data: Iterator[bytes],
        *,
        output_format: str,
        parameters: Mapping[str, str],
        settings: Mapping[str, str],
        database: str,
    ) -> Answer:
        """Run one statement; an insert takes its data piece by piece. Raises EngineError."""
        with self._leased(statement, database or DEFAULT_DATABASE, settings) as connection:
            if statement.data is not None:
                return _insert(connection, statement, data, parameters)
            result = connection.query(statement.sql, output_format, params=dict(parameters))
            return Answer(
                result.bytes(),
                {
                    "read_rows": str(result.storage_rows_read()),
                    "read_bytes": str(result.storage_bytes_read()),
                    "written_rows": str(result.rows_written()),
                    "written_bytes": str(result.bytes_written()),
                    "result_rows": str(result.rows_read()),
                    "elapsed_ns": str(int(result.elapsed() * 1e9)),
                },
            )

    def close(self) -> None:
        """Close every connection that is not in use; data is on disk afterwards."""
        for pool in (self._readers, self._writers):
            while not pool.empty():
                pool.get_nowait().close()

    @contextmanager
    def _leased(self, statement: Statement, database: str, settings: Mapping[str, str]) -> Iterator[Any]:
        pool = self._readers if statement.reads else self._writers
        connection = pool.get()
        clean = False
        try:
            connection.prepare(database, settings)
            clean = not statement.taints
            yield connection.handle
        except (chdb.ChdbError, RuntimeError) as error:
            raise _engine_error(error) from error
        finally:
            if not clean:
                connection.open()
            pool.put(connection)

    def _first_line(self, sql: str) -> str:
        statement = Statement(sql, reads=True, taints=False)
        answer = self.run(statement, iter(()), output_format="TabSeparated", parameters={}, settings={}, database="")
        return answer.body.decode().strip()


def _pool(path: str, size: int) -> "queue.LifoQueue[_Connection]":
    # Last in, first out: the connection just used is likeliest to have the wanted settings already.
    pool: queue.LifoQueue[_Connection] = queue.LifoQueue()
    for _ in range(size):
        connection = _Connection(path)
        connection.open()
        pool.put(connection)
    return pool


def _insert(handle: Any, statement: Statement, data: Iterator[bytes], parameters: Mapping[str, str]) -> Answer:
    if parameters:
        text = "Code: 48. DB::Exception: An INSERT with data takes no parameters here. (NOT_IMPLEMENTED)"
        raise EngineError(text, NOT_IMPLEMENTED)
    with handle.send_insert(statement.sql, statement.data_format) as inserter:
        for piece in data:
            view = memoryview(piece)
            for start in range(0, len(view), APPEND_BYTES):
                inserter.append(view[start : start + APPEND_BYTES])
        result = inserter.finish()
    return Answer(b"", {"written_rows": str(result.rows_written), "written_bytes": str(result.bytes_written)})


def _engine_error(error: Exception) -> EngineError:
    text = str(error)
    found = CODE.search(text)
    if found is None:
        return EngineError(text, UNKNOWN_EXCEPTION)
    return EngineError(text[found.start() :], int(found[1]))


def _escaped(value: str) -> str:
    """Escape a parameter's value: the engine reads it as a field of a tab-separated line."""
    for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"), ("\0", "\\0")):
        value = value.replace(plain, escaped)
    return value
