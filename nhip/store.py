"""Opening the store that the settings name, and preparing a new one."""

import time
from pathlib import Path

from clickhouse_connect.driver.exceptions import Error

from nhip.settings import Settings, SettingsError
from sinks.client import Client, connect
from sinks.migrate import SchemaSettings, migrate
from sinks.store import ClickHouseStore
from streams.store import StoreUnavailableError

__all__ = ["make_database", "open_client", "open_store", "prepare_store", "schema_settings"]

OPEN_PATIENCE_S = 30.0
_NOT_LET_IN = frozenset({None, 192, 193, 194, 516})
"""Codes of ClickHouse about users and passwords; None when it was not ClickHouse that answered."""


def open_client(settings: Settings, *, database: str | None = None, patience_s: float = 0.0) -> Client:
    """Connect to the store. Raises StoreUnavailableError when nobody answers for so long, SettingsError."""
    deadline_s = time.monotonic() + patience_s
    while True:
        try:
            return connect(
                host=settings.store_host,
                port=settings.store_port,
                database=settings.store_database if database is None else database,
                user=settings.store_user,
                password=_password(settings),
            )
        except Error as error:
            if error.code not in _NOT_LET_IN:
                raise
            # Its words are not repeated: they may hold what was sent.
            raise SettingsError(
                f"{settings.store_host}:{settings.store_port} does not let user {settings.store_user!r} in, or is no "
                "ClickHouse: correct store_user, store_password_file or store_port"
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


def open_store(settings: Settings, *, patience_s: float = OPEN_PATIENCE_S) -> ClickHouseStore:
    """Open the store's database."""
    return ClickHouseStore(open_client(settings, patience_s=patience_s))


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


def _password(settings: Settings) -> str:
    if settings.store_password_file is None:
        return ""
    try:
        return Path(settings.store_password_file).read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"store_password_file: {error}") from error
