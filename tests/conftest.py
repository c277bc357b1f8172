"""Services that several tests share: one Kafka and one store for the session, a fresh database for each test."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from nhip.local import LocalClickHouse, LocalKafka
from sinks.client import Login, connect

# For mutation testing: the same few examples for every mutant, and a failure need not be made small.
settings.register_profile(
    "mutation",
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
)


@dataclass(frozen=True)
class Database:
    """Where a test's own database is."""

    host: str
    port: int
    name: str
    login: Login
    password_file: Path

    @property
    def settings(self) -> dict[str, str]:
        """What leads a command there."""
        return {
            "store_host": self.host,
            "store_port": str(self.port),
            "store_database": self.name,
            "store_password_file": str(self.password_file),
        }


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
    client = connect(host=clickhouse.host, port=clickhouse.port, **clickhouse.login)
    client.command(f"CREATE DATABASE {name}")
    yield Database(clickhouse.host, clickhouse.port, name, clickhouse.login, clickhouse.password_file)
    client.command(f"DROP DATABASE {name}")
    client.close()
