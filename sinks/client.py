"""The connection to ClickHouse: one place for settings, timeouts and the classification of errors.

Everything the project writes is idempotent (absolute values under keys, newest version wins), so the
retries that clickhouse-connect makes by itself after a stale keep-alive can do no harm.
"""

import logging
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypedDict

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.exceptions import Error, StreamFailureError
from urllib3.exceptions import HTTPError

from streams.store import StoreUnavailableError

__all__ = [
    "CONNECT_TIMEOUT_S",
    "READ_TIMEOUT_S",
    "SETTINGS",
    "Client",
    "Login",
    "StoreDeniedError",
    "StoreTlsError",
    "connect",
]

# Every fault is raised and told once, by whoever catches it; the driver would tell it a second time.
logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 120
"""How long one answer may be silent, in seconds; a rebuild of millions of rows computes before it speaks."""

SETTINGS: dict[str, Any] = {
    # Servers from 26.2 on collect inserts and answer before they are stored, unless told otherwise.
    "async_insert": 0,
    "wait_for_async_insert": 1,
    # All rows are idempotent by key; a block that looks like an older one must still be stored.
    "insert_deduplicate": 0,
    "deduplicate_blocks_in_dependent_materialized_views": 0,
    # What the caller no longer waits for must not go on working on the server.
    "max_execution_time": READ_TIMEOUT_S,
    "output_format_arrow_string_as_string": 1,
    "output_format_arrow_low_cardinality_as_dictionary": 0,
}

_UNAVAILABLE = frozenset(
    {
        3,  # UNEXPECTED_END_OF_FILE: the server was killed while it answered
        159,  # TIMEOUT_EXCEEDED
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        203,  # NO_FREE_CONNECTION
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        225,  # NO_ZOOKEEPER
        236,  # ABORTED: the server is stopping
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY: a replica without Keeper
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS
        279,  # ALL_CONNECTION_TRIES_FAILED
        285,  # TOO_FEW_LIVE_REPLICAS
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED
        439,  # CANNOT_SCHEDULE_TASK
        745,  # SERVER_OVERLOADED
        999,  # KEEPER_EXCEPTION
    }
)


_DENIED = frozenset({164, 497})  # READONLY, ACCESS_DENIED


class Login(TypedDict):
    """Who comes to the store."""

    user: str
    password: str


class StoreDeniedError(Exception):
    """The store's user has no right to do what was asked; says which, and what to do."""


class StoreTlsError(Exception):
    """No connection by TLS: a certificate that is not trusted, or a server that does not speak it. Says which."""


@contextmanager
def _classified() -> Iterator[None]:
    """Turn what may pass by itself into StoreUnavailableError, want of a right or of trust into errors of their own.

    All else propagates.
    """
    try:
        yield
    except StreamFailureError as error:
        raise StoreUnavailableError(f"the store's answer broke off: {error}") from error
    except Error as error:
        if (fault := _tls_fault(error)) is not None:
            raise StoreTlsError(fault) from error
        if error.code in _DENIED:
            raise StoreDeniedError(
                f"the store's user may not do this: {_first_sentence(error)}. Use the user who may (store_user, "
                "store_password_file), or give the right: deploy/clickhouse/users.sql"
            ) from error
        # Without a code no server spoke: the connection was refused, reset or timed out.
        silent = error.code is None and isinstance(error.__cause__, (HTTPError, OSError))
        if silent or error.code in _UNAVAILABLE:
            raise StoreUnavailableError(f"the store cannot answer now: {error}") from error
        raise
    except (HTTPError, OSError) as error:
        if (fault := _tls_fault(error)) is not None:
            raise StoreTlsError(fault) from error
        raise StoreUnavailableError(f"the store does not answer: {error}") from error


def _tls_fault(error: BaseException) -> str | None:
    """Return what TLS found wrong; a connection that merely broke off is not TLS's fault."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return getattr(cause, "verify_message", "") or cause.reason or str(cause)
        reason = getattr(cause, "reason", None)  # urllib3 keeps the cause there
        cause = reason if isinstance(reason, BaseException) else cause.__cause__ or cause.__context__
    return None


def _first_sentence(error: Error) -> str:
    """Return what ClickHouse says is missing, without its code and version."""
    found = re.search(r"DB::Exception: (?:default: )?(.+?)(?:\. \(|\.?\s*$)", str(error), re.DOTALL)
    return " ".join((found[1] if found else str(error)).split())


class Client:
    """One ClickHouse database. Safe to use from several threads: it has no session, only a connection pool.

    Every method may raise StoreUnavailableError (try again later); other errors are faults of a statement.
    """

    def __init__(self, inner: Any, database: str) -> None:
        self._inner = inner
        self.database = database

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement without an answer."""
        with _classified():
            self._inner.command(sql, parameters=dict(parameters or {}))

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Return the whole answer as rows of Python values."""
        columns = self.columns(sql, parameters)
        return list(zip(*columns, strict=True))

    def columns(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Sequence[Any]]:
        """Return the whole answer as columns of Python values; no columns when it has no rows."""
        with _classified():
            answer = self._inner.query(sql, parameters=dict(parameters or {}), column_oriented=True)
            return list(answer.result_columns)

    def blocks(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Iterator[list[Sequence[Any]]]:
        """Stream a long answer as blocks of columns; the connection is held until the iterator ends."""
        with _classified():
            # A long answer takes as long as its reader does.
            stream = self._inner.query_column_block_stream(
                sql, parameters=dict(parameters or {}), settings={"max_execution_time": 0}
            )
            with stream:
                yield from stream

    def arrow(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Return the whole answer as an Arrow table; text as its bytes, UTF-8 or not."""
        with _classified():
            answer: pa.Table = self._inner.query_arrow(sql, parameters=dict(parameters or {}), use_strings=False)
            return answer

    def insert(self, table: str, rows: pa.Table) -> None:
        """Insert one block; returns when it is stored."""
        with _classified():
            self._inner.insert_arrow(table, rows)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def connect(
    *,
    host: str,
    port: int,
    database: str = "default",
    user: str = "default",
    password: str = "",
    tls: bool = False,
    ca_file: str | None = None,
    connect_timeout_s: int = CONNECT_TIMEOUT_S,
    read_timeout_s: int = READ_TIMEOUT_S,
) -> Client:
    """Connect to a database that exists.

    ``tls``: only with a server whose certificate is of ``host``, signed by one in ``ca_file`` (PEM), or by one of
    this machine's. Raises StoreUnavailableError while nobody answers, StoreTlsError.
    """
    with _classified():
        inner = clickhouse_connect.get_client(
            host=host,
            port=port,
            database=database,
            username=user,
            password=password,
            secure=tls,
            verify=True,
            ca_cert=ca_file,
            connect_timeout=connect_timeout_s,
            send_receive_timeout=read_timeout_s,
            # A session would allow one query at a time; look-ups run beside inserts.
            autogenerate_session_id=False,
            settings=SETTINGS,
            # Instants come back aware; a naive one would be read as local time somewhere.
            tz_mode="aware",
            client_name="nhip",
            dedicated_pool=True,
        )
    return Client(inner, database)
