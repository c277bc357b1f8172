"""Opening the store that the settings name, and preparing a new one."""

import time
from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.exceptions import Error

from nhip.local.ports import HOST
from nhip.local.users import READER, WRITER, password_file
from nhip.settings import Settings, SettingsError
from sinks.client import Client, StoreTlsError, connect
from sinks.migrate import SchemaSettings, migrate
from sinks.store import ClickHouseStore
from streams.store import StoreUnavailableError

__all__ = ["LOCAL_STORE", "make_database", "open_client", "open_store", "prepare_store", "schema_settings"]

OPEN_PATIENCE_S = 30.0
_NOT_LET_IN = frozenset({None, 192, 193, 194, 516})
"""Codes of ClickHouse about users and passwords; None when it was not ClickHouse that answered."""
LOCAL_STORE = Path(".nhip") / "store"
"""Where `nhip up` keeps the store unless told otherwise, and so its passwords."""


class _Login(NamedTuple):
    user: str
    password: str
    settings: str
    """Which settings name them, for errors."""


def open_client(
    settings: Settings, *, reading: bool = False, database: str | None = None, patience_s: float = 0.0
) -> Client:
    """Connect to the store; ``reading``: as the user who may only look, where there is one.

    Raises StoreUnavailableError when nobody answers for so long, SettingsError.
    """
    deadline_s = time.monotonic() + patience_s
    login = _login(settings, reading=reading)
    if settings.store_ca_file is not None and not Path(settings.store_ca_file).is_file():
        raise SettingsError(f"store_ca_file: there is no file {settings.store_ca_file}")
    while True:
        try:
            return connect(
                host=settings.store_host,
                port=settings.store_port,
                database=settings.store_database if database is None else database,
                user=login.user,
                password=login.password,
                tls=settings.store_tls,
                ca_file=settings.store_ca_file,
            )
        except StoreTlsError as error:
            raise SettingsError(
                f"no TLS with {settings.store_host}:{settings.store_port}: {error}. Correct store_host (the name in "
                "the certificate), store_port, store_ca_file or store_tls"
            ) from None
        except Error as error:
            if error.code not in _NOT_LET_IN:
                raise
            # Its words are not repeated: they may hold what was sent.
            raise SettingsError(
                f"{settings.store_host}:{settings.store_port} does not let user {login.user!r} in, or is no "
                f"ClickHouse: correct {login.settings}, store_port or store_tls. A store of `nhip up` keeps its "
                "passwords in its data folder: store/passwords"
            ) from None
        except StoreUnavailableError as error:
            if time.monotonic() > deadline_s:
                raise StoreUnavailableError(
                    f"the store at {settings.store_host}:{settings.store_port} does not answer: start it "
                    f"(`nhip up`), or correct store_host and store_port (NHIP_STORE_PORT). {_reason(error)}"
                ) from error
            time.sleep(0.5)


def _reason(error: BaseException) -> str:
    """Return what the system says where nobody listens; what the store says where it answers."""
    root = error
    while (deeper := root.__cause__ or root.__context__) is not None:
        root = deeper
    return (root.strerror or str(root)) if isinstance(root, OSError) else str(error)


def open_store(settings: Settings, *, reading: bool = False, patience_s: float = OPEN_PATIENCE_S) -> ClickHouseStore:
    """Open the store's database, as ``open_client`` does."""
    return ClickHouseStore(open_client(settings, reading=reading, patience_s=patience_s))


def make_database(settings: Settings) -> None:
    """Create the database if it is missing."""
    with_default = open_client(settings, database="default", patience_s=OPEN_PATIENCE_S)
    with_default.command(f"CREATE DATABASE IF NOT EXISTS `{settings.store_database}`")  # checked by its pattern
    with_default.close()


def prepare_store(settings: Settings) -> None:
    """Create the database and bring its schema up to date."""
    make_database(settings)
    client = open_client(settings)
    migrate(client, schema_settings(settings))
    client.close()


def schema_settings(settings: Settings) -> SchemaSettings:
    """Return how tables are made."""
    return SchemaSettings(settings.store_engine_prefix, settings.store_cluster)


def _login(settings: Settings, *, reading: bool) -> _Login:
    if reading and settings.store_reader_user is not None:
        named = "store_reader_user, store_reader_password_file"
        password = _password(settings.store_reader_password_file, "store_reader_password_file")
        return _Login(settings.store_reader_user, password, named)
    named = "store_user, store_password_file"
    local = password_file(LOCAL_STORE, READER if reading else WRITER)
    usual = settings.store_password_file is None and (settings.store_host, settings.store_user) == (HOST, WRITER)
    if usual and local.exists():  # beside `nhip up` in the same folder
        return _Login(local.name, _password(str(local), "store_password_file"), named)
    return _Login(settings.store_user, _password(settings.store_password_file, "store_password_file"), named)


def _password(path: str | None, setting: str) -> str:
    if path is None:
        return ""
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{setting}: {error}") from error
