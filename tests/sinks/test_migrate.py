"""Migrations: once each, in order, and never a changed or unknown one."""

import dataclasses
import re

import pytest

from contract.kind import Kind
from contract.registry import KINDS
from sinks.client import Client
from sinks.columns import columns_of, table_columns
from sinks.migrate import RETIRED, Migration, SchemaError, SchemaSettings, load, migrate, status
from sinks.tables import table_sql


def test_numbers_have_no_gap() -> None:
    """Migrations count from 1; the first ones are retired."""
    rv = load()

    assert [*sorted(RETIRED), *(m.number for m in rv)] == list(range(1, len(RETIRED) + len(rv) + 1))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (SchemaSettings(), "CREATE TABLE t  ENGINE = ReplacingMergeTree(v)"),
        (
            SchemaSettings("Replicated", "ioc-1"),
            "CREATE TABLE t ON CLUSTER `ioc-1` ENGINE = ReplicatedReplacingMergeTree(v)",
        ),
    ],
)
def test_engines_come_from_settings(settings: SchemaSettings, expected: str) -> None:
    """One setting turns every table into a replicated one."""
    rv = settings.fill("CREATE TABLE t {on_cluster} ENGINE = {engine:ReplacingMergeTree}(v)")

    assert rv == expected


@pytest.mark.parametrize("settings", [{"engine_prefix": "Shared"}, {"cluster": "a` SYNC --"}, {"cluster": "1"}])
def test_settings_cannot_smuggle_sql(settings: dict[str, str]) -> None:
    """What becomes part of SQL is checked."""
    with pytest.raises(ValueError, match=next(iter(settings))):
        SchemaSettings(**settings)


def test_every_table_is_filled_in() -> None:
    """No placeholder is left, and every table is made by an engine of the settings."""
    statements = [statement for migration in load() for statement in migration.statements()]
    for statement in (*statements, *map(table_sql, KINDS)):
        rv = SchemaSettings("Replicated", "c").fill(statement)

        assert rv.count("ON CLUSTER `c`") == 1
        assert "{engine" not in rv
        assert "CREATE TABLE" not in rv or re.search(r"ENGINE = Replicated(Replacing)?MergeTree", rv)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.key)
def test_every_field_has_a_column_and_a_meaning(kind: Kind) -> None:
    """No field takes the name of a column that every kind has, such as ``version``, and each says what it means."""
    columns = table_columns(kind)

    assert len({column.name for column in columns}) == len(columns)
    assert all(column.comment for column in columns)


@pytest.mark.services
def test_migrating_twice_is_once(client: Client) -> None:
    """The second run finds nothing to do."""
    first = migrate(client)

    rv = migrate(client)

    assert rv == []
    assert first == load()
    assert all(done for _, done in status(client))
    assert client.rows("SELECT count() FROM schema_migrations") == [(len(first),)]


@pytest.mark.services
def test_a_changed_migration_is_refused(client: Client) -> None:
    """An applied file must not change; the error says what to do."""
    migrate(client)
    changed = load()
    changed[2] = dataclasses.replace(changed[2], sql=changed[2].sql + " ")

    with pytest.raises(SchemaError, match=r"migration 6 \(rates\) was changed .*: restore the file"):
        migrate(client, None, changed)


@pytest.mark.services
def test_a_newer_database_is_refused(client: Client) -> None:
    """An old program does not write into a new schema."""
    newer = [*load(), Migration(99, "later", "CREATE TABLE later (a Int8) ENGINE = {engine:MergeTree} ORDER BY a;\n")]
    migrate(client, None, newer)

    with pytest.raises(SchemaError, match=r"has migration 99 \(later\), .*: install the version"):
        status(client)


@pytest.mark.services
def test_every_table_and_column_says_what_it_holds(client: Client) -> None:
    """Docs are made from comments, so none is missing."""
    migrate(client)

    here = {"d": client.database}
    columns = client.rows("SELECT table, name FROM system.columns WHERE database = {d:String} AND comment = ''", here)
    tables = client.rows("SELECT name FROM system.tables WHERE database = {d:String} AND comment = ''", here)

    assert columns == []
    assert tables == []


@pytest.mark.services
def test_tables_hold_every_field(client: Client) -> None:
    """A field or indicator added to a kind needs a column."""
    migrate(client)

    for kind in KINDS:
        layout = columns_of(kind)
        rows = client.rows(
            "SELECT name FROM system.columns WHERE database = {d:String} AND table = {t:String}",
            {"d": client.database, "t": kind.table},
        )
        names = {name for (name,) in rows}

        assert names >= set(layout.names)
        assert names >= {f"{key}_{side}" for key in layout.marks for side in ("at", "good")}


@pytest.mark.services
@pytest.mark.parametrize(
    ("code", "known"),
    [
        ("H15.50.05.13-261008-0975", True),
        ("G09.20-20260609-0092637", True),
        ("000.00.04.G18-261008-0001", True),
        ("H10.12-261121-0042", True),
        ("H10.12-261321-0042", False),
        ("H10.12-261121-042", False),
        ("hồ sơ 1", False),
    ],
)
def test_forms_of_dossier_codes(client: Client, code: str, known: bool) -> None:
    """National forms are known; others are stored and flagged."""
    migrate(client)
    client.command("INSERT INTO dossiers (id) VALUES ({id:String})", {"id": code})

    rv = client.rows("SELECT id, code_form_known FROM dossiers")

    assert rv == [(code, known)]
