"""Services that several tests share: one Kafka and one store for the session, a fresh database for each test."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from nhip.local import LocalClickHouse, LocalKafka
from sinks.client import connect


@dataclass(frozen=True)
class Database:
    """Where a test's own database is."""

    host: str
    port: int
    name: str


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """One real broker for the session; tests use topics of their own."""
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalClickHouse]:
    """One real engine behind its HTTP interface for the session."""
    with LocalClickHouse(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture
def database(clickhouse: LocalClickHouse) -> Iterator[Database]:
    """A fresh, empty database on the session's engine."""
    name = f"t{uuid.uuid4().hex[:12]}"
    client = connect(host=clickhouse.host, port=clickhouse.port)
    client.command(f"CREATE DATABASE {name}")
    yield Database(clickhouse.host, clickhouse.port, name)
    client.command(f"DROP DATABASE {name}")
    client.close()
