"""Every released version's database, with its rows, becomes one of this program: in place and from a back-up."""

import re
from pathlib import Path
from typing import Any

import pytest

from sinks.backup.load import restore
from sinks.backup.manifest import Manifest, read_manifest, verify
from sinks.client import Client
from sinks.engines import SchemaSettings
from sinks.migrate import ensure_schema, migrate
from tests.support.released import RELEASED, fill, freeze, thaw

VERSIONS = sorted(path.name for path in RELEASED.iterdir()) if RELEASED.exists() else []
CHANGELOG = Path(__file__).resolve().parents[2] / "CHANGELOG.md"
TODAY = "today"


def quiet(*_: int) -> None:
    """Show nothing."""


def test_every_release_is_frozen() -> None:
    """A version in the changelog has its database here: `python -m tests.support.released VERSION` makes it."""
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", CHANGELOG.read_text("utf-8"), re.MULTILINE)

    assert set(released) <= set(VERSIONS)


@pytest.fixture(params=[*VERSIONS, TODAY])
def frozen(request: pytest.FixtureRequest, other: Client, tmp_path: Path) -> Path:
    """A release, or what would be frozen today."""
    if request.param != TODAY:
        return RELEASED / str(request.param)
    migrate(other)
    fill(other)
    freeze(other, tmp_path / TODAY, TODAY)
    for (table,) in other.rows("SHOW TABLES"):
        other.command(f"DROP TABLE {table} SYNC")
    return tmp_path / TODAY


def schema(client: Client) -> list[tuple[Any, ...]]:
    """Every column as the engine declares it."""
    return client.rows(
        "SELECT table, name, type, default_kind, default_expression FROM system.columns "
        "WHERE database = {d:String} ORDER BY table, name",
        {"d": client.database},
    )


def rows(client: Client, manifest: Manifest) -> dict[str, int]:
    """Rows of the tables that a back-up holds."""
    return {t.table: client.rows(f"SELECT count() FROM {t.table}")[0][0] for t in manifest.tables}  # noqa: S608


@pytest.mark.services
def test_an_old_database_is_upgraded_in_place(frozen: Path, client: Client, other: Client) -> None:
    """`nhip prepare` on it: the schema of a new database, and all rows."""
    manifest = thaw(client, frozen)

    migrate(client)
    ensure_schema(client)
    migrate(other)

    assert set(schema(client)) >= set(schema(other))
    assert rows(client, manifest) == {t.table: t.rows for t in manifest.tables}


@pytest.mark.services
def test_an_old_backup_is_restored(frozen: Path, client: Client, other: Client) -> None:
    """`nhip restore` of it: the schema of a new database, and all rows."""
    manifest = read_manifest(frozen / "backup")
    verify(frozen / "backup", manifest, quiet)

    restore(client, frozen / "backup", manifest, SchemaSettings(), replace=False, show=quiet)
    ensure_schema(client)
    migrate(other)

    assert schema(client) == schema(other)
    assert rows(client, manifest) == {t.table: t.rows for t in manifest.tables}
