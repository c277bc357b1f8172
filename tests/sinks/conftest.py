"""A migrated database for each test, and random events."""

import socket
import uuid
from collections.abc import Iterator

import pytest

from nhip.local import LocalClickHouse
from sinks.alert_store import ClickHouseAlertStore
from sinks.client import Client, connect
from sinks.migrate import migrate
from sinks.store import ClickHouseStore
from tests.conftest import Database
from tests.support.alert_store import sunday_store


@pytest.fixture
def client(database: Database) -> Iterator[Client]:
    """A connection to the test's own, empty database."""
    connected = connect(host=database.host, port=database.port, database=database.name, **database.login)
    yield connected
    connected.close()


@pytest.fixture
def reader(clickhouse: LocalClickHouse, database: Database) -> Iterator[Client]:
    """A connection with the rights of the wall, which are fewer."""
    password = clickhouse.reader_password_file.read_text().strip()
    connected = connect(
        host=database.host, port=database.port, database=database.name, user=clickhouse.reader, password=password
    )
    yield connected
    connected.close()


@pytest.fixture
def other(database: Database) -> Iterator[Client]:
    """A connection to a second, empty database on the same engine."""
    client = connect(host=database.host, port=database.port, database=database.name, **database.login)
    name = f"t{uuid.uuid4().hex[:12]}"
    client.command(f"CREATE DATABASE {name}")
    connected = connect(host=database.host, port=database.port, database=name, **database.login)
    yield connected
    client.command(f"DROP DATABASE {name}")
    connected.close()
    client.close()


@pytest.fixture
def store(client: Client) -> ClickHouseStore:
    """A store with all tables and definitions."""
    migrate(client)
    found = ClickHouseStore(client)
    found.ensure_definitions("first")
    return found


@pytest.fixture
def alerts(client: Client) -> ClickHouseAlertStore:
    """A store of alerts with all tables, on a Sunday morning."""
    return sunday_store(client)


@pytest.fixture
def unused_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
