"""ClickHouse's HTTP interface in front of the engine that comes as a package.

    python -m nhip.local.clickhouse_server DATA PORT DATABASE

The ordinary client works against it unchanged, so there is one code path for this machine and for a real
server. It listens on the loopback interface only, and lets in whom the accounts of the folder name. Not supported:
sessions (accepted, ignored), temporary tables, external data, the native block compression (`compress=1`).
"""

import asyncio
import binascii
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from aiohttp import BasicAuth, hdrs, web

from nhip.local.codec import CodecError, compress, decompress, offered
from nhip.local.engine import READERS, WRITERS, Engine, EngineError
from nhip.local.ports import HOST
from nhip.local.statement import Statement, parse
from nhip.local.users import Door, StoreUser

__all__ = ["Server", "main"]

MAX_BODY_BYTES = 1024**3
MIN_COMPRESSED_BYTES = 4096
DRAIN_TIMEOUT_S = 10.0
DEFAULT_FORMAT = "TabSeparated"

READONLY, NOT_IMPLEMENTED, CANNOT_DECOMPRESS, TOO_MANY_BYTES, CANNOT_PARSE = 164, 48, 271, 307, 27
ACCESS_DENIED, AUTHENTICATION_FAILED = 497, 516
# The server's own parameters; every other one is a setting of the engine.
RESERVED = frozenset(
    {
        "buffer_size",
        "client_protocol_version",
        "close_session",
        "compress",
        "database",
        "decompress",
        "default_format",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "password",
        "query",
        "query_id",
        "quota_key",
        "role",
        "send_progress_in_http_headers",
        "session_check",
        "session_id",
        "session_timeout",
        "stacktrace",
        "user",
        "wait_end_of_query",
    }
)
HTTP_STATUS = {
    60: 404,  # UNKNOWN_TABLE
    81: 404,  # UNKNOWN_DATABASE
    62: 400,  # SYNTAX_ERROR
    159: 408,  # TIMEOUT_EXCEEDED
    TOO_MANY_BYTES: 413,
    ACCESS_DENIED: 403,
    AUTHENTICATION_FAILED: 403,
    NOT_IMPLEMENTED: 501,
}


@dataclass(frozen=True)
class _Call:
    """A request, read."""

    arguments: Mapping[str, str]
    body: bytes
    encoding: str
    accepts: str
    may_write: bool

    @property
    def parameters(self) -> dict[str, str]:
        """The values of the statement's `{name:Type}` places."""
        return {name[6:]: value for name, value in self.arguments.items() if name.startswith("param_")}

    @property
    def settings(self) -> dict[str, str]:
        """The engine's settings for this statement."""
        return {
            name: value
            for name, value in self.arguments.items()
            if name not in RESERVED and not name.startswith("param_")
        }


class Server:
    """The HTTP application; the engine's work runs in threads, so that a ping never waits for a query."""

    def __init__(self, engine: Engine, door: Door) -> None:
        self._engine = engine
        self._door = door
        # One thread per connection and kind: waiting reads take no thread from inserts.
        self._readers = ThreadPoolExecutor(READERS, "read")
        self._writers = ThreadPoolExecutor(WRITERS, "write")
        self._openers = ThreadPoolExecutor(WRITERS, "open")

    def application(self) -> web.Application:
        """Return the routes."""
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_get("/ping", self._ping)
        application.router.add_get("/replicas_status", self._ping)
        application.router.add_route("*", "/", self._handle)
        return application

    async def _ping(self, _request: web.Request) -> web.Response:
        return web.Response(text="Ok.\n")

    async def _handle(self, request: web.Request) -> web.Response:
        loop = asyncio.get_running_loop()
        try:
            user = _entered(request, self._door)  # before anything of its body is taken
            call = await _read(request)
            statement, rest = await loop.run_in_executor(self._openers, _open, call)
            if not (statement.reads or call.may_write):
                raise _error(READONLY, "Cannot execute query in readonly mode: use POST for changes", "READONLY")
            pool = self._readers if statement.reads else self._writers
            return await loop.run_in_executor(pool, self._answer, call, statement, rest, user)
        except EngineError as error:
            return web.Response(
                status=HTTP_STATUS.get(error.code, 500),
                text=f"{error}\n",
                headers={"X-ClickHouse-Exception-Code": str(error.code)},
            )

    def _answer(self, call: _Call, statement: Statement, rest: Iterator[bytes], user: StoreUser) -> web.Response:
        output_format = call.arguments.get("default_format") or DEFAULT_FORMAT
        answer = self._engine.run(
            statement,
            rest,
            output_format=output_format,
            parameters=call.parameters,
            settings=call.settings,
            database=call.arguments.get("database", ""),
            user=user,
        )
        body = answer.body
        headers = {
            "Content-Type": "application/octet-stream",
            "X-ClickHouse-Format": statement.output_format or output_format,
            "X-ClickHouse-Query-Id": call.arguments.get("query_id", ""),
            "X-ClickHouse-Summary": json.dumps(answer.summary),
            "X-ClickHouse-Timezone": self._engine.timezone,
        }
        wanted = call.arguments.get("enable_http_compression", "1") not in ("0", "false")
        encoding = offered(call.accepts) if wanted and len(body) >= MIN_COMPRESSED_BYTES else None
        if encoding:
            body = compress(body, encoding)
            headers["Content-Encoding"] = encoding
        return web.Response(body=body, headers=headers)


def _entered(request: web.Request, door: Door) -> StoreUser:
    """Return who comes, by each of the three ways in which ClickHouse's clients say it."""
    name = request.headers.get("X-ClickHouse-User", request.query.get("user", ""))
    password = request.headers.get("X-ClickHouse-Key", request.query.get("password", ""))
    if sent := request.headers.get(hdrs.AUTHORIZATION):
        try:
            name, password, _ = BasicAuth.decode(sent, encoding="utf-8")
        except (ValueError, binascii.Error):
            name = password = ""
    user = door.enter(name, password)
    if user is None:
        # The name is not repeated: somebody may have typed the password there.
        raise _error(AUTHENTICATION_FAILED, "Authentication failed: wrong user or password", "AUTHENTICATION_FAILED")
    return user


async def _read(request: web.Request) -> _Call:
    arguments = dict(request.query)
    if database := request.headers.get("X-ClickHouse-Database"):
        arguments.setdefault("database", database)
    body = b""
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise _too_large()  # before it is taken into memory
    try:
        if request.content_type == "multipart/form-data":  # large parameters
            for name, value in (await request.post()).items():
                if isinstance(value, web.FileField):
                    raise _error(NOT_IMPLEMENTED, "External data is not supported here", "NOT_IMPLEMENTED")
                arguments[name] = value if isinstance(value, str) else bytes(value).decode()
        else:
            body = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise _too_large() from error
    for name in ("compress", "decompress"):
        if arguments.get(name, "0") not in ("0", "false"):
            raise _error(NOT_IMPLEMENTED, f"{name}=1 is not supported; use Content-Encoding", "NOT_IMPLEMENTED")
    return _Call(
        arguments,
        body,
        request.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower(),
        request.headers.get(hdrs.ACCEPT_ENCODING, ""),
        may_write=request.method != hdrs.METH_GET,
    )


def _open(call: _Call) -> tuple[Statement, Iterator[bytes]]:
    """Decompress as much as tells what the statement is; the rest of an insert's data follows in pieces."""
    pieces = _bounded(decompress(call.body, call.encoding))
    first = next(pieces, b"")
    query = call.arguments.get("query", "")
    try:
        statement = parse(query, first)
        if statement.data is not None:
            return statement, _chained(statement.data, pieces)
        return parse(query, first + b"".join(pieces)), iter(())
    except UnicodeDecodeError as error:
        # The first piece may end within a character, or within the insert's own text.
        try:
            statement = parse(query, first + b"".join(pieces))
        except UnicodeDecodeError:
            raise _error(CANNOT_PARSE, f"The query is not UTF-8: {error}", "CANNOT_PARSE_INPUT") from error
        return statement, iter(() if statement.data is None else (bytes(statement.data),))


def _chained(first: memoryview, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield bytes(first)
    yield from rest


def _bounded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            if size > MAX_BODY_BYTES:
                raise _too_large()
            yield piece
    except CodecError as error:
        raise _error(CANNOT_DECOMPRESS, str(error), "CANNOT_DECOMPRESS") from error


def _too_large() -> EngineError:
    return _error(TOO_MANY_BYTES, f"The body is larger than {MAX_BODY_BYTES} bytes", "TOO_MANY_BYTES")


def _error(code: int, text: str, name: str) -> EngineError:
    return EngineError(f"Code: {code}. DB::Exception: {text}. ({name})", code)


async def _serve(data: Path, port: int, database: str) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    engine = Engine(data, database)
    # The bodies' compression is ours to undo, piece by piece; the framework would do it in the event loop.
    runner = web.AppRunner(
        Server(engine, Door(data)).application(),
        access_log=None,
        auto_decompress=False,
        shutdown_timeout=DRAIN_TIMEOUT_S,
    )
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    await stopped.wait()
    await runner.cleanup()
    engine.close()


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM or SIGINT; running queries get DRAIN_TIMEOUT_S to finish."""
    asyncio.run(_serve(Path(arguments[0]).resolve(), int(arguments[1]), arguments[2]))
    # A query that outlasted its time holds a thread the interpreter would wait for.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
