"""Opening the store that the settings name, and preparing a new one."""

import time
from pathlib import Path

from nhip.settings import Settings, SettingsError
from sinks.client import Client, connect
from sinks.migrate import SchemaSettings, migrate
from sinks.store import ClickHouseStore
from streams.store import StoreUnavailableError

__all__ = ["open_client", "open_store", "prepare_store"]

OPEN_PATIENCE_S = 30.0


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
        except StoreUnavailableError as error:
            if time.monotonic() > deadline_s:
                raise StoreUnavailableError(
                    f"the store at {settings.store_host}:{settings.store_port} does not answer: start it "
                    f"(`nhip up`), or correct store_host and store_port. {error}"
                ) from error
            time.sleep(0.5)


def open_store(settings: Settings, *, patience_s: float = OPEN_PATIENCE_S) -> ClickHouseStore:
    """Open the store's database."""
    return ClickHouseStore(open_client(settings, patience_s=patience_s))


def prepare_store(settings: Settings) -> None:
    """Create the database and bring its schema up to date."""
    with_default = open_client(settings, database="default", patience_s=OPEN_PATIENCE_S)
    with_default.command(f"CREATE DATABASE IF NOT EXISTS `{settings.store_database}`")  # checked by its pattern
    with_default.close()
    client = open_client(settings)
    migrate(client, SchemaSettings(settings.store_engine_prefix, settings.store_cluster))
    client.close()


def _password(settings: Settings) -> str:
    if settings.store_password_file is None:
        return ""
    try:
        return Path(settings.store_password_file).read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"store_password_file: {error}") from error
