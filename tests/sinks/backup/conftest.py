"""A database full of anything that its types allow."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sinks.backup.dump import dump
from sinks.backup.manifest import Manifest
from sinks.client import Client
from sinks.migrate import migrate
from tests.support.released import fill

Backup = Callable[[Client, Path], Manifest]


@pytest.fixture
def full(client: Client) -> Client:
    """The first database with random rows in every table: all bytes, extremes, NULLs."""
    migrate(client)
    fill(client)
    return client


@pytest.fixture
def taken() -> Backup:
    """Take a back-up at a known time."""

    def take(client: Client, folder: Path) -> Manifest:
        return dump(
            client, folder, program="0.0.0", now=lambda: datetime(2026, 11, 22, tzinfo=UTC), show=lambda *_: None
        )

    return take
