"""The ClickHouse engine in this process, behind a small pool of connections."""

import os
import queue
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import chdb

from nhip.local.access import CONFIG_OPTIONS, limits, write_config
from nhip.local.gate import Gate, GateError, touches_files
from nhip.local.space import FREE_AFTER_BYTES, FREE_BEFORE_BYTES, free_bytes
from nhip.local.statement import Statement
from nhip.local.users import StoreUser
from sinks.rights import Role

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
# Which of these settings a request may bring itself, and up to how much; see sinks.rights.
GRAFANA_SECONDS = range(1, 31)
CLOSED_DATABASES = frozenset({"system", "information_schema"})
SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NOT_IMPLEMENTED, READONLY, NOT_ENOUGH_SPACE, ACCESS_DENIED = 48, 164, 243, 497
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
    role: Role = Role.WRITER
    settings: dict[str, str] = field(default_factory=dict)

    def open(self) -> None:
        """Open afresh, with nothing left of earlier requests."""
        self.close()
        self.handle = chdb.connect(self.path)
        self.database, self.settings = DEFAULT_DATABASE, {}
        self._take(Role.WRITER)
        self._set(BASE_SETTINGS)

    def close(self) -> None:
        if self.handle is not None:
            self.handle.close()
            self.handle = None

    def prepare(self, role: Role, database: str, settings: Mapping[str, str]) -> None:
        """Bring the connection into the state a request asks for; the usual case changes nothing."""
        wanted = {**BASE_SETTINGS, **settings}
        if role is not self.role:
            self._take(role)
        if database != self.database:
            self.handle.query("USE {name:Identifier}", "Null", params={"name": database})
            self.database = database
        if wanted != self.settings:
            self._set(wanted)

    def _take(self, role: Role) -> None:
        self.handle.query(f"SET ROLE {role}", "Null")
        self.role = role

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
    """ClickHouse's engine on one folder. Its methods block and may be called from any thread.

    ``database``: the one in which accounts have rights, or sinks.rights.ANY.
    """

    def __init__(self, data: Path, database: str) -> None:
        # The path is the beginning of an option string: a plain name cannot be misread.
        os.chdir(data)
        write_config(data, database)
        self._database = database
        options = "&".join(f"{name}={value}" for name, value in {**SERVER_OPTIONS, **CONFIG_OPTIONS}.items())
        path = f"{STORE_NAME}?{options}"
        self._readers = _pool(path, READERS)
        # Connections of their own, so that a writer's never change their role.
        self._lookers = _pool(path, READERS)
        self._writers = _pool(path, WRITERS)
        self.timezone = self._ask("SELECT timezone()").strip()
        self._gate = Gate(self._ask)

    def run(
        self,
        statement: Statement,
        data: Iterator[bytes],
        *,
        output_format: str,
        parameters: Mapping[str, str],
        settings: Mapping[str, str],
        database: str,
        user: StoreUser,
    ) -> Answer:
        """Run one statement; an insert takes its data piece by piece. Raises EngineError, also for want of rights."""
        if touches_files(statement.sql):
            raise _denied("INTO OUTFILE and FROM INFILE are not allowed")
        if user.role is not Role.WRITER:
            statement, settings = self._admitted(statement, database, settings, user)
        with self._leased(statement, user.role, database or DEFAULT_DATABASE, settings) as connection:
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
        for pool in (self._readers, self._lookers, self._writers):
            while not pool.empty():
                pool.get_nowait().close()

    def _admitted(
        self, statement: Statement, database: str, settings: Mapping[str, str], user: StoreUser
    ) -> tuple[Statement, Mapping[str, str]]:
        """Return what somebody who may not do everything may run, and the settings under which."""
        if database.lower() in CLOSED_DATABASES:
            raise _denied(f"database {database} is not for this account")
        forced = limits(user, self._database)
        if user.role is Role.GRAFANA:
            _refuse_settings(settings)
        try:
            if statement.data is None:
                statement = replace(statement, sql=self._gate.admitted(statement.sql))
            else:
                self._gate.admitted(f"{statement.sql} FORMAT {statement.data_format}", inserts=True)
        except GateError as error:
            raise _denied(str(error)) from error
        return statement, {**forced, **settings} if user.role is Role.GRAFANA else {**settings, **forced}

    @contextmanager
    def _leased(self, statement: Statement, role: Role, database: str, settings: Mapping[str, str]) -> Iterator[Any]:
        pool = self._readers if statement.reads else self._writers
        if role is not Role.WRITER:
            pool = self._lookers
        connection = pool.get()
        clean = False
        try:
            connection.prepare(role, database, settings)
            # Who is `readonly` stays so; the next request may be somebody else's.
            clean = not statement.taints and role is not Role.GRAFANA
            yield connection.handle
        except (chdb.ChdbError, RuntimeError) as error:
            raise _engine_error(error) from error
        finally:
            if not clean:
                connection.open()
            pool.put(connection)

    def _ask(self, sql: str, **parameters: str) -> str:
        statement = Statement(sql, reads=True, taints=False)
        with self._leased(statement, Role.WRITER, DEFAULT_DATABASE, {}) as handle:
            values = {name: _escaped(value) for name, value in parameters.items()}
            found: bytes = handle.query(sql, "TabSeparatedRaw", params=values).bytes()
            return found.decode(errors="replace")


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
    _require_space(FREE_BEFORE_BYTES)
    with handle.send_insert(statement.sql, statement.data_format) as inserter:
        for piece in data:
            view = memoryview(piece)
            for start in range(0, len(view), APPEND_BYTES):
                inserter.append(view[start : start + APPEND_BYTES])
        result = inserter.finish()
    _require_space(FREE_AFTER_BYTES)
    return Answer(b"", {"written_rows": str(result.rows_written), "written_bytes": str(result.bytes_written)})


def _require_space(least: int) -> None:
    """Refuse an insert as the engine should where the disk is nearly full; it works in the folder of its data."""
    if (free := free_bytes(Path())) < least:
        text = f"Code: 243. DB::Exception: The disk of the store is full: {free} bytes left. (NOT_ENOUGH_SPACE)"
        raise EngineError(text, NOT_ENOUGH_SPACE)


def _refuse_settings(settings: Mapping[str, str]) -> None:
    """As a server does in readonly mode; the limit of time may be chosen, as its profile allows."""
    for name, value in settings.items():
        if name != "max_execution_time" or not value.isdecimal() or int(value) not in GRAFANA_SECONDS:
            text = f"Code: {READONLY}. DB::Exception: Cannot modify {name!r} setting in readonly mode. (READONLY)"
            raise EngineError(text, READONLY)


def _denied(text: str) -> EngineError:
    return EngineError(f"Code: {ACCESS_DENIED}. DB::Exception: {text}. (ACCESS_DENIED)", ACCESS_DENIED)


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
